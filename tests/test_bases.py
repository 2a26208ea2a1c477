"""Questions that people outside their population answered: told before anything is counted."""

import pytest
import tiny_study as tiny

from analysis.cli import main

WHERE = """  students: {{label: {{fr: en études}}, where: "{where}"}}
roles:"""


@pytest.fixture
def root(tmp_path):
    tiny.make(tmp_path)
    return tmp_path


def based(root, where, question="satisfaction"):
    """The tiny study with a population that a question is said to be asked of."""
    path = root / "studies" / tiny.NAME / "study.yml"
    text = path.read_text(encoding="utf-8").replace("roles:", WHERE.format(where=where), 1)
    path.write_text(text + f"base_populations: {{{question}: students}}\n", encoding="utf-8")


@pytest.mark.parametrize("question", ["satisfaction", "opinions"])
def test_answers_from_outside_are_told_at_the_row_of_the_question(root, capsys, question):
    if question == "opinions":
        # The group that a question stands in may have the population.
        path = root / "studies" / tiny.NAME / "questionnaire.csv"
        row = ",select_one levels,satisfaction,Votre satisfaction\n"
        text = path.read_text(encoding="utf-8")
        grouped = f",begin_group,opinions,Avis\n{row},end_group,,\n"
        path.write_text(text.replace(row, grouped), encoding="utf-8")
    based(root, "${status} = 'student'", question)
    assert main(["build", tiny.NAME, "--root", str(root)]) == 2
    err = capsys.readouterr().err
    row = 4 + (question == "opinions")
    assert f"studies/tiny/questionnaire.csv, row {row}, column relevant" in err
    # Half of the twelve answers are of people in post.
    assert "6 answer(s) to 'satisfaction' from outside the population 'students'" in err
    assert "of everyone" in err and "Traceback" not in err
    page = (root / "data/clean/tiny/validation.html").read_text(encoding="utf-8")
    assert "hors de la population" in page and "à tout le monde" in page


def test_a_population_that_holds_all_who_answered_is_fine(root):
    based(root, "${satisfaction} = 'low' or ${satisfaction} = 'high'")
    assert main(["build", tiny.NAME, "--root", str(root)]) == 0
