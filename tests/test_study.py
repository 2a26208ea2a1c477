"""study.yml as it is read, and the mistakes it may hold."""

import shutil

import pytest

from analysis.errors import InputError
from analysis.paths import PROJECT
from analysis.safe_yaml import read_yaml
from analysis.study import load_study


@pytest.fixture
def root(national, tmp_path):
    shutil.copytree(PROJECT / "studies", tmp_path / "studies")
    return tmp_path


def mistakes(root, old, new, file="study.yml"):
    path = root / "studies" / "cnc_afdas_2026" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_study("cnc_afdas_2026", root)
    return caught.value.problems


def test_the_national_study_is_sound(national):
    assert national.population_of("skill_tool_choice") == "trained"
    assert national.variable_of("motivation_student") == "motivation"
    assert national.population_of("status") == "all"


def test_plain_words_stay_text():
    assert read_yaml("a: [30_39, yes, no, on, 1e3]") == {"a": ["30_39", "yes", "no", "on", "1e3"]}
    assert read_yaml("a: [30, 2.5, true]") == {"a": [30, 2.5, True]}


def test_yaml_never_makes_objects():
    with pytest.raises(Exception, match="could not determine a constructor"):
        read_yaml("!!python/object/apply:os.system ['true']")


def test_unknown_key_names_the_nearest(root):
    (problem,) = mistakes(root, "seed: 2026", "sede: 2026")
    assert problem.found == "sede" and "'seed'" in problem.action
    assert problem.row == 18 and problem.file.endswith("study.yml")


def test_unknown_study_names_the_nearest(root):
    with pytest.raises(InputError) as caught:
        load_study("cnc_afdas_2025", root)
    assert "cnc_afdas_2026" in caught.value.problems[0].action


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("  job: job\n", "  job: jobs\n", "roles.job"),
        ("group: skills", "group: skill", "roles.battery.group"),
        ("answers: [30_39, 40_49]", "answers: [30_39, 40_50]", "answer_sets.age.30_49"),
        (
            "training_objective: trained",
            "training_objective: traind",
            "base_populations.training_objective",
        ),
        (
            "where: \"${status} = 'student'\"",
            "where: \"${statut} = 'student'\"",
            "populations.student.where",
        ),
        (
            "where: \"${status} = 'student'\"",
            "where: \"lower(${status}) = 'student'\"",
            "populations.student.where",
        ),
        ("path: survey.csv", "path: ../../survey.csv", "sources.survey.path"),
        ("fr: ensemble des réponses retenues, ", "", "populations.all.label"),
        ("languages: [fr, en]", "languages: fr", "languages"),
        ("study: cnc_afdas_2026", "study: another", "study"),
    ],
)
def test_names_must_exist(root, old, new, place):
    found = mistakes(root, old, new)
    assert place in [problem.column for problem in found]
    assert all(problem.row for problem in found)


def test_broken_yaml_names_the_line(root):
    (problem,) = mistakes(root, "seed: 2026", "seed: [2026")
    assert problem.rule == "study.yml is YAML in UTF-8" and problem.row


def test_yaml_nested_without_end_is_a_mistake_like_another(root):
    (problem,) = mistakes(root, "seed: 2026", "seed: " + "[" * 100_000)
    assert problem.rule == "study.yml is YAML in UTF-8" and problem.row
    assert "40 levels" in problem.found


def test_recodes_need_their_header(root):
    (problem,) = mistakes(root, "source,kind,", "source;kind;", "recodes.csv")
    assert problem.row == 1


def test_recodes_need_a_known_kind(root):
    (problem,) = mistakes(root, "survey,drop,", "survey,remove,", "recodes.csv")
    assert "remove" in problem.found and problem.row == 7


WEIGHT = """
      weight:
        label: {fr: Poids, en: Weight}
        type: number
  actions:
    path:"""
BY_STATUS, PRACTICE = "{variable: trained, by: status}", "{variable: practice, category: daily}"
# Mistakes made at once: what is changed, where that is told, and the nearest name there is.
MISNAMED = {
    "misspelt": [
        (BY_STATUS, "{variable: traned, by: statut}", "tables.learning.2.variable", "trained"),
        ("", "", "tables.learning.2.by", "status"),
        ("ordered: [age,", "ordered: [agee,", "ordered.0", "age"),
        ("pairs: [motivation_pro,", "pairs: [motivation_pr,", "pairs.0", "motivation_pro"),
        (PRACTICE, PRACTICE.replace("practice", "practise"), "headlines.1.variable", "practice"),
        ("satisfied_total}", "satisfied_totl}", "headlines.0.category", "satisfied_total"),
        ("    by: [status]\n", "    by: [statuss]\n", "roles.battery.by.0", "status"),
    ],
    "of another kind": [
        # A column of another source than that of the population, and a question of free text.
        (BY_STATUS, "{variable: comment, by: institution_type}", "tables.learning.2.variable", ""),
        ("", "", "tables.learning.2.by", ""),
        ("institutions, by: institution_type", "institutions, by: age", "tables.offer.0.by", ""),
        ("pairs: [motivation_pro,", "pairs: [status,", "pairs.0", ""),
        (PRACTICE, PRACTICE.replace("daily", "dayly"), "headlines.1.category", "daily"),
        ("    by: [status]\n", "    by: [sector]\n", "roles.battery.by.0", ""),
    ],
}
DESIGNS = {
    "weights: wheight, strata: statu, clusters: informal_learning, population: 9": [
        ("weights", ""), ("strata", "status"), ("clusters", ""), ("population", "each stratum"),
    ],
    "weights: started_on, population: {a: 500}": [("weights", ""), ("population", "one number")],
    "raking: {margins: {agee: {under_30: 1}, informal_learning: {peers: 1}, ai_integration: "
    "{strong: 1}, age: {under_3O: 1}}}": [
        ("raking.margins.agee", "age"),
        ("raking.margins.informal_learning", ""),
        ("raking.margins.ai_integration", ""),
        ("raking.margins.age.under_3O", "under_30"),
    ],
}  # fmt: skip


def told(found):
    return {problem.column: problem for problem in found}


@pytest.mark.parametrize("kind", MISNAMED)
def test_variables_are_named_where_they_can_be_read(root, kind):
    path = root / "studies" / "cnc_afdas_2026" / "study.yml"
    text = path.read_text(encoding="utf-8")
    for old, new, _, _ in MISNAMED[kind]:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_study("cnc_afdas_2026", root)
    found, lines = told(caught.value.problems), text.splitlines()
    assert set(found) == {place for _, _, place, _ in MISNAMED[kind]}
    for _, _, place, near in MISNAMED[kind]:
        problem = found[place]
        assert problem.found in lines[problem.row - 1]
        assert near in problem.action and problem.expected


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_names_what_it_can_use(root, design):
    key = "thresholds:\n"
    found = told(mistakes(root, key, f"design: {{{design}}}\n{key}"))
    assert set(found) == {f"design.{place}" for place, _ in DESIGNS[design]}
    for place, near in DESIGNS[design]:
        problem = found[f"design.{place}"]
        assert near in problem.action and problem.row and problem.expected


def test_a_sound_design_is_read(root):
    path = root / "studies" / "cnc_afdas_2026" / "study.yml"
    text = path.read_text(encoding="utf-8").replace("\n  actions:\n    path:", WEIGHT, 1)
    design = """  weights: weight
  strata: status
  clusters: response_id
  population: {student: 500, intermittent: 600}
  raking:
    margins:
      age: {under_30: 0.5, 30_39: 0.5}
      trained: {trained: 0.6, untrained: 0.4}
    bounds: [0.2, 4]
"""
    path.write_text(f"{text}design:\n{design}", encoding="utf-8")
    study = load_study("cnc_afdas_2026", root)
    assert study.definition.design.raking.bounds == (0.2, 4)
    assert study.definition.design.declared
    place = ("design", "raking", "margins", "trained", "untrained")
    assert (
        "trained: {trained" in path.read_text(encoding="utf-8").splitlines()[study.line(place) - 1]
    )
