import dataclasses

import made_up
import pytest
from display_results import results, study

from analysis import chapters
from analysis.chapters.data import Data
from analysis.display import measured
from analysis.display.labels import Labels
from analysis.errors import InputError

FR, EN = Labels(study(), "fr"), Labels(study(), "en")


def test_a_variable_is_its_question_as_asked():
    assert FR.variable("age") == "Quelle est votre tranche d’âge\u00a0?"
    assert EN.variable("age") == "Which age group are you in?"
    assert FR.hint("training_setting") == "Plusieurs réponses possibles"
    assert FR.hint("age") == ""


def test_the_population_tells_which_source_a_name_belongs_to():
    assert FR.answer("sector", "film", "actions_group_1") == "Cinéma"
    assert FR.answer("sector", "other", "all") == "Autre"
    assert FR.variable("sector", "actions_group_1") == "Secteur"
    assert FR.variable("sector", "all").startswith("Dans quels secteurs")


def test_a_variable_asked_in_two_wordings_follows_its_population():
    pro = FR.answers("motivation", "trained_non_students")
    student = FR.answers("motivation", "trained_students")
    assert "employer_offer" in pro
    assert "employer_offer" not in student
    assert "curriculum_mandatory" in student
    # A cut of the students still finds the students' answer.
    found = FR.answer("motivation", "curriculum_mandatory", "trained_students_satisfaction")
    assert found == "Obligation dans le cursus"


def test_families_of_motivations():
    assert FR.family("motivation", "save_time") == "Efficacité"
    assert EN.family("motivation", "curriculum_mandatory") == "Requirement or advice"
    assert FR.family("status", "student") == ""
    assert FR.answer("motivation_family", "career") == "Parcours professionnel"


def test_what_the_analysis_makes_has_labels():
    assert FR.answer("satisfaction", "satisfied_total") == "Satisfaisant ou plutôt satisfaisant"
    assert FR.answer("trained", "untrained") == "Personne non formée"
    assert FR.answer("mean_duration_band", "5_7") == "5 à 7\u00a0h"
    assert FR.answer("duration_band", "up_to_14") == "Deux jours ou moins"
    assert FR.answer("month", "2024-02") == "février 2024"
    assert FR.answer("expectation_index", "technical") == "Maîtrise technique"
    assert FR.answer("skill_legal_rules", "agree") == "D’accord"
    assert FR.answer("question_base", "age") == FR.variable("age")
    assert EN.answer("response_flow", "retained") == "Responses kept"


def test_answers_leave_sets_of_answers_out():
    assert FR.answers("satisfaction") == [
        "dissatisfied",
        "rather_dissatisfied",
        "rather_satisfied",
        "satisfied",
    ]


def test_battery_items_know_their_group():
    assert FR.item_group("skill_legal_rules") == "Enjeux transverses"
    assert FR.item_group("age") == "Profil"
    assert FR.item_group("nothing") == ""


@pytest.mark.parametrize("labels", [FR, EN], ids=["fr", "en"])
def test_every_released_estimate_can_be_named(labels):
    seen = results().estimates[["variable", "population", "category", "by", "by_category"]]
    for row in seen.drop_duplicates().itertuples():
        assert labels.variable(row.variable, row.population)
        assert labels.answer(row.variable, row.category, row.population)
        assert labels.population(row.population)
        if row.by:
            assert labels.answer(row.by, row.by_category)


@pytest.mark.parametrize("labels", [FR, EN], ids=["fr", "en"])
def test_every_released_test_can_be_named(labels, national):
    seen = chapters.test(Data(national, made_up.tables(national, 200)))
    assert len(seen) > 3
    for row in seen.itertuples():
        assert labels.variable(row.variable, row.population)
        assert labels.variable(row.by)
        assert labels.term("tests", row.test)
        assert not row.effect or labels.term("effects", row.effect)


@pytest.mark.parametrize("labels", [FR, EN], ids=["fr", "en"])
@pytest.mark.parametrize(
    ("section", "names"),
    [
        ("tests", "kruskal_wallis kruskal_wallis_permutation chi_square_permutation "
                  "linear_by_linear_exact cochran_armitage_exact rao_scott_chi_square "
                  "linear_by_linear_design cochran_armitage_design gamma_design somers_d_design "
                  "kruskal_wallis_design several_answers_rao_scott_design "
                  "several_answers_pairs_rao_scott several_answers_pairs_bootstrap "
                  "several_answers_pairs_bonferroni"),
        ("effects", "epsilon_squared cliffs_delta cramers_v risk_difference"),
        ("methods", "wilson korn_graubard bootstrap mean_score"),
        ("reasons", "hidden_base small_base wide_interval few_units no_valid_test"),
    ],
)  # fmt: skip
def test_every_name_that_results_may_carry_has_words(labels, section, names):
    for name in names.split():
        assert labels.terms[section][name][labels.lang]


@pytest.mark.parametrize("labels", [FR, EN], ids=["fr", "en"])
def test_every_table_has_a_caption_and_what_is_no_share_a_note(labels):
    for name in measured.MAKERS:
        assert labels.term("tables", name)
        assert labels.term("table_notes", name).endswith(".")


def test_a_verdict_says_why():
    assert FR.verdict("ok", "") == ""
    assert FR.verdict("fragile", "") == "fragile"
    assert FR.verdict("fragile", "small_base;no_valid_test") == (
        "fragile (base de moins de 30 personnes, aucun test valable)"
    )
    assert (
        EN.verdict("suppressed", "hidden_base;small_base") == "not released (base under 10 people)"
    )


def test_responses_received_are_a_population_of_the_analysis():
    assert FR.population("received") == "réponses reçues"
    assert EN.population("received") == "responses received"


@pytest.mark.parametrize(
    "ask",
    [
        lambda labels: labels.variable("shoe_size"),
        lambda labels: labels.answer("age", "90_plus"),
        lambda labels: labels.population("martians"),
        lambda labels: labels.group("nothing"),
        lambda labels: labels.term("figure", "nothing"),
    ],
)
def test_a_missing_label_is_told_as_a_mistake_of_the_study(ask):
    with pytest.raises(InputError) as raised:
        ask(FR)
    assert raised.value.problems[0].found.startswith("no label for")


def test_a_language_the_questionnaire_does_not_have():
    german = dataclasses.replace(FR, lang="de")
    with pytest.raises(InputError) as raised:
        german.variable("age")
    assert "'de'" in raised.value.problems[0].expected


def test_a_column_named_like_a_question_has_no_hint_of_it():
    assert FR.hint("sector", "all") == "Plusieurs réponses possibles"
    assert FR.hint("sector", "actions_group_1") == ""
