import dataclasses
import re
import shutil

import pandas as pd
import pytest
from display_results import estimates, results, study

from analysis.display.facts import Facts, direction, lower_first
from analysis.display.report import PageError, open_report, report_of
from analysis.display.results import Results
from analysis.display.sentences import fill, tell
from analysis.errors import InputError
from analysis.paths import PROJECT

FR, EN = report_of(study(), results(), "fr"), report_of(study(), results(), "en")


def changed(change, lang="fr"):
    """The report on estimates that were changed."""
    estimates = change(results().estimates.copy())
    return report_of(study(), dataclasses.replace(results(), estimates=estimates), lang)


def test_numbers_are_asked_for_by_role():
    assert FR.share("satisfaction", "satisfied") == "80\u00a0%"
    assert FR.share("satisfaction", "satisfied_total") == FR.share("satisfaction", "satisfied")
    assert EN.share("satisfaction", "satisfied") == "80%"
    assert FR.base("satisfaction") == "243"
    assert FR.count("satisfaction", "satisfied") == "195"
    assert FR.interval("satisfaction", "satisfied") == "75\u00a0% à 85\u00a0%"
    assert FR.share("hours", "22_plus", population="trained") == "47\u00a0%"
    assert FR.share("motivation", "stay_competitive") == "73\u00a0%"
    assert FR.share("motivation", "curriculum_mandatory", "trained_students") == "74\u00a0%"


def test_numbers_by_group_and_by_base():
    got = FR.share("satisfaction", "satisfied", by="hours", by_category="4_or_less")
    assert got == "52\u00a0%"
    concerned = FR.share("skill_support_team", "agree", base_kind="concerned")
    everyone = FR.share("skill_support_team", "agree", base_kind="respondents")
    assert (concerned, everyone) == ("31\u00a0%", "25\u00a0%")
    assert FR.base("satisfaction", by="hours", by_category="22_plus") == "119"


def test_means_and_counts_of_the_extract():
    assert FR.mean("duration_hours") == "8,4"
    assert EN.mean("duration_hours", decimals=2) == "8.40"
    assert FR.count("actions", "actions", "group_1") == "4\u202f198"
    assert FR.share("sector", "film", "consumption") == "24\u00a0%"


def test_words():
    assert FR.test("satisfaction", "hours", "cochran_armitage") == "p\u00a0<\u00a00,001"
    assert FR.label("satisfaction", "satisfied") == "Satisfaisant ou plutôt satisfaisant"
    assert FR.label("age") == "Quelle est votre tranche d’âge\u00a0?"
    assert FR.population("trained") == "personnes formées"
    assert FR.period() == "11 décembre 2025 – 16 janvier 2026"
    assert FR.date("2026-01-01") == "1er janvier 2026"
    assert FR.number(4198) == "4\u202f198"
    assert FR.has("satisfaction")
    assert not FR.has("nothing")


@pytest.mark.parametrize(
    ("ask", "named"),
    [
        (lambda r: r.share("satisfaction", "delighted"), "'satisfaction', 'delighted'"),
        (lambda r: r.share("satisfaction", "satisfied", by="hours"), "5 in the results"),
        (lambda r: r.base("satisfaction", by="hours"), "5 bases"),
        (lambda r: r.test("satisfaction", "hours", "t_test"), "'t_test'"),
        (lambda r: r.cards(["nothing"]), "'nothing'"),
    ],
)
def test_a_number_that_is_not_one_is_a_defect_of_the_page(ask, named):
    with pytest.raises(PageError, match=re.escape(named)):
        ask(FR)


def test_an_unknown_figure_is_named_with_the_nearest():
    with pytest.raises(InputError) as raised:
        FR.figure("satisfaction-by-hour")
    assert raised.value.problems[0].action == "write 'satisfaction-by-hours'"


@pytest.mark.parametrize("report", [FR, EN], ids=["fr", "en"])
def test_every_figure_has_its_words_in_each_language(report):
    for name in report.catalogue.figures:
        for each in report.names(name):
            for text in (report.title(each), report.say(each)):
                assert text[0] == text[0].upper()
                assert not re.search(r"[{}]|\bnan\b|None", text), text
    assert set(report.texts.figures) == set(report.catalogue.figures)
    assert set(report.texts.cards) == set(report.catalogue.cards)


def reverse_bands(estimates):
    """Satisfaction by hours, its bands in the other direction."""
    cells = (estimates["by"] == "training_hours") & (estimates["category"] == "satisfied_total")
    numbers = ["base_n", "count", "share", "share_low", "share_high", "verdict"]
    estimates.loc[cells, numbers] = estimates.loc[cells, numbers].to_numpy()[::-1]
    return estimates


def test_a_sentence_turns_when_the_data_turn():
    assert FR.title("satisfaction-by-hours") == (
        "La satisfaction passe de 52\u00a0% à 92\u00a0% quand la formation s’allonge"
    )
    fallen = changed(reverse_bands)
    assert fallen.title("satisfaction-by-hours") == (
        "La satisfaction recule de 92\u00a0% à 52\u00a0% quand la formation s’allonge"
    )
    assert "baisse" in fallen.say("satisfaction-by-hours")
    assert "52% as training" in changed(reverse_bands, "en").title("satisfaction-by-hours")


def test_a_trend_that_is_not_significant_is_not_told():
    tests = results().tests.assign(p_value=0.4)
    report = report_of(study(), dataclasses.replace(results(), tests=tests), "fr")
    assert report.title("satisfaction-by-hours") == (
        "La satisfaction ne suit pas nettement la durée de la formation"
    )
    assert "sans tendance nette" in report.say("satisfaction-by-hours")
    assert "p\u00a0=\u00a00,400" in report.say("satisfaction-by-hours")


def test_under_a_survey_design_its_own_test_is_told():
    tests = results().tests.copy()
    tests["test"] += "_design"
    tests["p_value"] = 0.02
    report = report_of(study(), dataclasses.replace(results(), tests=tests), "fr")
    assert report.test("satisfaction", "hours", "cochran_armitage") == "p\u00a0=\u00a00,020"
    assert "p\u00a0=\u00a00,020" in report.say("satisfaction-by-hours")


def test_a_test_of_another_population_is_not_meant():
    other = results().tests.assign(population="all", p_value=0.9)
    both = pd.concat([other, results().tests], ignore_index=True)
    report = report_of(study(), dataclasses.replace(results(), tests=both), "fr")
    assert report.test("satisfaction", "hours", "cochran_armitage") == "p\u00a0<\u00a00,001"


def test_a_tie_of_counts_is_one_of_counts_and_not_of_shares():
    def close(estimates):
        cell = estimates["variable"].eq("left_before") & estimates["category"].eq("age")
        estimates.loc[cell, ["count", "share"]] = [8, 8 / 378]
        return estimates.assign(evidence="observed")

    # 8 and 9 of 378 are 2 % both.
    assert "9 départs sur 23" in changed(close).title("drop-out")


def test_numbers_in_titles_follow_the_estimates():
    def less(estimates):
        cell = estimates["variable"].eq("satisfaction") & estimates["by"].eq("")
        cell &= estimates["category"].eq("satisfied_total") & estimates["population"].eq("trained")
        estimates.loc[cell, ["count", "share"]] = [122, 122 / 243]
        return estimates

    assert FR.title("satisfaction").startswith("80\u00a0% des personnes formées")
    assert changed(less).title("satisfaction").startswith("50\u00a0% des personnes formées")


def test_wording_depends_on_how_many_pass_one_half():
    def capped(limit):
        def change(estimates):
            cells = estimates["variable"] == "motivation"
            estimates.loc[cells, "share"] = estimates.loc[cells, "share"].clip(upper=limit)
            return estimates

        return change

    assert FR.title("motivations-pro").startswith("Cinq motifs dépassent la moitié")
    assert (
        changed(capped(0.5))
        .title("motivations-pro")
        .endswith("premier motif, sans atteindre la moitié (50\u00a0%)")
    )


def test_a_tie_is_told_as_one():
    assert " et " in FR.title("prerequisites")

    def untied(estimates):
        cell = estimates["category"] == "elementary"
        estimates.loc[cell, ["count", "share"]] = [30, 30 / 111]
        return estimates

    assert changed(untied).title("prerequisites") == (
        "Connaissance élémentaire du secteur\u00a0: 27\u00a0% des formations"
    )


@pytest.mark.parametrize(
    ("shares", "p", "expected"),
    [
        ([0.5, 0.6, 0.7], None, "rise"),
        ([0.7, 0.6, 0.5], None, "fall"),
        ([0.5, 0.7, 0.6], None, "mixed"),
        ([0.501, 0.499, 0.503], None, "flat"),
        ([0.5, 0.7, 0.6], 0.01, "rise"),
        ([0.5, 0.6, 0.7], 0.2, "flat"),
        ([0.7, 0.5], 0.001, "fall"),
    ],
)
def test_direction(shares, p, expected):
    assert direction(shares, p) == expected


def test_variants_are_chosen_in_order_and_conditions_join():
    facts = Facts({"n": 3}, frozenset({"rise", "tested"}))
    text = {"fall": "down", "rise+tested": "up {n}, tested", "rise": "up", "else": "flat"}
    assert tell(text, facts, "here") == "up 3, tested"
    assert tell(text, Facts({"n": 3}, frozenset({"rise"})), "here") == "up"
    assert tell(text, Facts({}, frozenset()), "here") == "flat"
    with pytest.raises(InputError) as raised:
        tell({"rise": "up"}, Facts({}, frozenset({"fall"})), "here")
    assert raised.value.problems[0].found == "fall"


def test_a_sentence_that_names_an_unknown_value():
    with pytest.raises(InputError) as raised:
        fill("{frist}", {"first": "a"}, "report/fr/texts.yml, x")
    assert raised.value.problems[0].action == "write 'first'"
    assert fill("{first!l} {second!u}", {"first": "Été", "second": "hiver"}, "x") == "été Hiver"


def test_capitals_of_acronyms_stay():
    assert [lower_first(text) for text in ("Oui", "IA, contenu", "L’IA", "")] == [
        "oui",
        "IA, contenu",
        "l’IA",
        "",
    ]


def test_cards_are_computed():
    linked = FR.cards(["retained", "satisfied", "action-hours", "trained"]).data
    strip = re.sub(r"</?a\b[^>]*>", "", linked)
    numbers = re.findall(r'<div class="num">(.*?)</div>', strip)
    assert numbers == ["341", "80\u00a0%", "8,4", "77\u00a0%"]
    assert "sur 378 reçues" in strip
    assert "75\u00a0% à 85\u00a0% · n\u00a0=\u00a0243" in strip
    assert "262 sur 341" in strip
    assert "fragile" not in strip

    def weak(estimates):
        cell = estimates["variable"].eq("satisfaction") & estimates["by"].eq("")
        estimates.loc[cell, ["verdict", "reason"]] = ["fragile", "small_base"]
        return estimates

    told = changed(weak).cards(["satisfied"]).data
    told = re.sub(r"</?a\b[^>]*>", "", told)
    assert "n\u00a0=\u00a0243 · fragile (base de moins de 30 personnes)" in told


def test_a_group_of_figures_is_asked_for_at_once():
    names = FR.names("skills")
    assert names == [f"skills-{group}" for group in study().questionnaire.battery("skills")]
    assert FR.figures("skills").data.count("::: {#fig-skills-") == len(names)
    assert FR.names("age") == ["age"]


def test_a_study_without_a_part_has_no_figure_of_it():
    roles = study().roles.model_copy(update={"satisfaction": None, "battery": None})
    definition = study().definition.model_copy(update={"roles": roles})
    smaller = dataclasses.replace(study(), definition=definition)
    estimates = results().estimates
    kept = estimates[~estimates["variable"].str.contains("satisf|skill|expectation")]
    report = report_of(smaller, dataclasses.replace(results(), estimates=kept), "fr")
    for name in ("satisfaction", "satisfaction-by-hours", "skills-overview"):
        assert not report.has_figure(name)
        assert report.figure(name).data == ""
    assert report.names("skills") == []
    assert report.has_figure("age")


def test_a_study_without_audit_or_tests_has_no_such_table():
    bare = report_of(study(), Results(results().estimates), "fr")
    assert bare.table("audit").data == bare.table("tests").data == ""
    assert not bare.has_figure("audit-status")
    assert "p <" not in bare.say("satisfaction-by-hours").replace("\u00a0", " ")


def test_a_role_without_results_is_a_defect():
    empty = changed(lambda estimates: estimates[estimates["variable"] != "practice"])
    with pytest.raises(PageError, match="practice"):
        empty.figure("practice")


@pytest.fixture
def place(tmp_path):
    """A project with the study, the words of the report and built results."""
    shutil.copytree(PROJECT / "studies", tmp_path / "studies")
    (tmp_path / "report").symlink_to(PROJECT / "report")
    folder = tmp_path / "data" / "clean" / study().name / "results"
    folder.mkdir(parents=True)
    released = {"estimates": estimates()} | {
        name: getattr(results(), name)
        for name in ("tests", "audit", "precision", "measures", "adjustments", "facts")
    }
    for name, frame in released.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    results().audit.assign(explanation="Same.").to_csv(folder / "audit_en.csv", index=False)
    return tmp_path


def test_open_report_reads_the_released_files(place, monkeypatch):
    for name in ("STUDY", "LANG", "ROOT"):
        monkeypatch.delenv(f"LEARNER_SURVEY_{name}", raising=False)
    report = open_report(study().name, "en", place)
    assert report.share("satisfaction", "satisfied") == "80%"
    assert report.title("age") == EN.title("age")
    assert set(report.sources.results.audit["explanation"]) == {"Same."}
    for name in ("estimates", "precision", "measures", "adjustments", "facts"):
        read, made = getattr(report.sources.results, name), getattr(results(), name)
        pd.testing.assert_frame_equal(read, made, check_exact=False)


def test_results_without_the_newer_files_are_read(place):
    folder = place / "data" / "clean" / study().name / "results"
    for name in ("precision", "measures", "adjustments", "facts"):
        (folder / f"{name}.csv").unlink()
    report = open_report(study().name, "fr", place)
    assert report.share("satisfaction", "satisfied") == "80\u00a0%"
    assert report.sources.results.estimates["reason"].eq("").all()
    assert report.sources.results.estimates["joint_low"].isna().all()
    assert report.table("ranking").data == report.figure("skills-ranking").data == ""
    assert "p <" in report.test("satisfaction", "hours", "cochran_armitage").replace("\u00a0", " ")
    assert not report.has_fact("design", "weights")


def test_a_precision_of_another_build_is_an_error(place):
    path = place / "data" / "clean" / study().name / "results" / "precision.csv"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join([lines[0], *lines[2:], lines[1]]), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        open_report(study().name, "fr", place)
    assert raised.value.problems[0].file.endswith("precision.csv")
    assert "build" in raised.value.problems[0].action


def test_facts_are_told_as_text():
    assert FR.fact("design", "weights") == "raked"
    assert FR.fact("design", "effective_n") == "312"
    assert FR.fact("design", "design_effect") == "1,09"
    assert EN.fact("design", "design_effect") == "1.09"
    assert FR.fact("design", "raking_rounds") == "17"
    assert FR.fact("design", "raking_gap") == "<\u00a00,001"
    assert FR.fact("fieldwork", "fieldwork_start") == "2025-12-11"
    assert FR.fact("design", "colour") == ""
    assert FR.has_fact("design", "weights") and not FR.has_fact("design", "colour")


def test_open_report_takes_its_defaults_from_the_environment(place, monkeypatch):
    monkeypatch.setenv("LEARNER_SURVEY_STUDY", study().name)
    monkeypatch.setenv("LEARNER_SURVEY_LANG", "en")
    monkeypatch.setenv("LEARNER_SURVEY_ROOT", str(place))
    assert open_report().labels.lang == "en"
    monkeypatch.delenv("LEARNER_SURVEY_LANG")
    assert open_report().labels.lang == "fr"


def test_open_report_without_results_says_what_to_run(place):
    (place / "data" / "clean" / study().name / "results" / "estimates.csv").unlink()
    with pytest.raises(InputError) as raised:
        open_report(study().name, "fr", place)
    assert "build" in raised.value.problems[0].action


def test_words_of_the_report_are_checked(place):
    (place / "report").unlink()
    shutil.copytree(PROJECT / "report", place / "report")
    path = place / "report" / "figures.yml"
    path.write_text(path.read_text(encoding="utf-8").replace("kind: flow", "kind: floww"))
    with pytest.raises(InputError) as raised:
        open_report(study().name, "fr", place)
    assert raised.value.problems[0].found == "figures.flow.kind"
