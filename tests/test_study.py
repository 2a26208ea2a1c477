"""study.yml as it is read, and the mistakes it may hold."""

import shutil

import pytest

from analysis.errors import InputError
from analysis.paths import PROJECT
from analysis.study import load_study, read_yaml


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


def test_recodes_need_their_header(root):
    (problem,) = mistakes(root, "source,kind,", "source;kind;", "recodes.csv")
    assert problem.row == 1


def test_recodes_need_a_known_kind(root):
    (problem,) = mistakes(root, "survey,drop,", "survey,remove,", "recodes.csv")
    assert "remove" in problem.found and problem.row == 7
