"""What people wrote: found by the scan, published by readers alone, grouped where few gave it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from any_study import NATIONAL

from analysis.cli import main
from analysis.display.report import open_report
from analysis.errors import InputError
from analysis.intake.scan import first_names, proposed, signs
from analysis.paths import PROJECT
from analysis.publish.only import conditions
from analysis.release.build import build
from analysis.release.free_text import ANSWERS, grouped
from analysis.study import Study, load_study

SAMPLES = Path(__file__).parent / "layouts"
# What each holds that may point at someone, in words that no answer of a study has.
POINTING = {
    "Écrivez-moi : jeanne.martin@exemple.fr svp": ["e-mail"],
    "mon adresse est jeanne.martin [at] exemple [dot] fr": ["e-mail"],
    "Tel 06 12 34 56 78 le soir": ["phone"],
    "au 0612345678": ["phone"],
    "appelez le +33 6 12 34 56 78": ["phone"],
    "call +44 20 7946 0958 please": ["phone"],
    "voir https://exemple.org/x?y=1": ["url"],
    "sur exemple.fr": ["url"],
    "suivez @jeanne.m sur insta": ["handle"],
    "FR76 3000 6000 0112 3456 7890 189": ["iban"],
    "siret 732 829 320 00074": ["number"],
    "sécu 2 85 05 78 006 084 36": ["number"],
    "j’habite 12 bis rue des Lilas": ["address"],
    "née le 12/05/1985": ["date"],
    "merci à Mme Dupont": ["title"],
    "merci à Jeanne pour son aide": ["name"],
    "Jeanne Martin m’a tout appris": ["name"],
    "la formation de Jean-Pierre de La Tour était bien": ["name"],
    "chez beta formation, rien": ["organisation"],
    "merci à sophie": ["name"],
    "jérôme et héloïse ont tout expliqué": ["name"],
    "un grand merci à marie-thérèse": ["name"],
    "OLIVIER était absent": ["name"],
    "mme dupont n’écoute pas": ["title"],
}
PLAIN = [
    "Trop court, « à refaire »",
    "Plus de pratique. Moins de théorie ! Merci",
    "ChatGPT et Midjourney suffisent, l’IA va vite",
    "7 heures pour 40 personnes, c’est peu",
    "Je voudrais une suite",
    "Une explication claire au max, bref un bon moment de marine en france",
    "I said that the loan was fair, and may ask for more in june",
]


@pytest.mark.parametrize("text", POINTING)
def test_what_points_at_someone_is_found_and_left_out(text: str) -> None:
    found = signs(text, {"Beta Formation"})
    assert POINTING[text] == list(dict.fromkeys(sign.kind for sign in found))
    rest = proposed(text, found)
    assert "[…]" in rest
    for secret in (
        "martin",
        "Jeanne",
        "56 78",
        "Dupont",
        "Lilas",
        "829",
        "1985",
        "Tour",
        "beta",
        "sophie",
        "jérôme",
        "héloïse",
        "thérèse",
        "OLIVIER",
        "dupont",
    ):
        assert secret not in rest


@pytest.mark.parametrize("text", PLAIN)
def test_plain_remarks_are_left_alone(text: str) -> None:
    assert signs(text, {"Beta Formation"}) == []


def test_a_text_without_end_is_looked_through_in_time() -> None:
    for text in ("a" * 1_000_000, "a." * 500_000, "1 " * 500_000, "Ab " * 300_000, "@a" * 500_000):
        found = signs(text)
        assert found[-1].kind == "long" and len(proposed(text, found)) <= 5_100


def test_first_names_are_written_as_words_are_compared() -> None:
    names = sorted(first_names())
    assert len(names) > 700 and {"sophie", "mohamed", "francois"} <= set(names)
    assert [name for name in names if not re.fullmatch("[a-z]{2,}", name)] == []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The study of twelve made-up people, whose comments are known."""
    definition, raw = tmp_path / "studies" / "layouts", tmp_path / "data" / "raw" / "layouts"
    for folder in (definition, raw):
        folder.mkdir(parents=True)
    shutil.copy(SAMPLES / "questionnaire.csv", definition)
    shutil.copy(SAMPLES / "plain.csv", raw / "survey.csv")
    shutil.copy(SAMPLES / "study.yml", definition)
    shutil.copytree(PROJECT / "report", tmp_path / "report")
    shutil.copyfile(PROJECT / "_quarto.yml", tmp_path / "_quarto.yml")
    return tmp_path


def scanned(root: Path) -> pd.DataFrame:
    assert main(["scan", "layouts", "--root", str(root)]) == 0
    path = root / "data" / "clean" / "layouts" / "to_review.csv"
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")


def review(root: Path, table: pd.DataFrame, **how: str) -> Study:
    path = root / "studies" / "layouts" / "comments.csv"
    table.to_csv(path, index=False, **how)
    return load_study("layouts", root)


def files(study: Study) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in study.paths.results.iterdir()}


def test_nothing_is_published_by_default_nor_by_a_scan(root: Path) -> None:
    table = scanned(root)
    assert len(table) and set(table["publish"]) == {""}
    study = review(root, table)
    build(study)
    texts = [text for text in table["text"] if len(text) > 8]
    assert texts
    for name, content in files(study).items():
        assert not [text for text in texts if text.encode() in content], name
    report = open_report("layouts", "fr", root)
    assert report.quotes().data == "" and report.open_answers().data == ""
    assert not conditions(study, {})["quotes"]


def test_what_was_chosen_is_quoted_as_it_was_edited(root: Path) -> None:
    table = scanned(root)
    comments = table.index[table["question"] == "comment"]
    evil = '=1+1 <script>x</script>\n{{< meta title >}} "a"'
    table.loc[comments[0], ["publish", "text"]] = ["yes", evil]
    table.loc[comments[1], "publish"] = "no"
    refused = table.loc[comments[1], "text"]
    # As a French spreadsheet saves it.
    study = review(root, table, sep=";", encoding="utf-8-sig")
    build(study)
    results = files(study)
    quotes = pd.read_csv(study.paths.results / "quotes.csv", dtype=str)
    assert quotes.to_dict("list") == {"question": ["comment"], "text": ["'" + evil]}
    assert refused.encode() not in b"".join(results.values())
    for lang in ("fr", "en"):
        shown = open_report("layouts", lang, root).quotes().data
        assert (
            "=1+1 &lt;script&gt;x&lt;/script&gt;<br>{{&lt; meta title &gt;}} &quot;a&quot;" in shown
        )
    assert conditions(study, {})["quotes"]


@pytest.mark.parametrize(
    ("column", "value", "rule"),
    [
        ("publish", "oui", "an answer is published or not"),
        ("question", "commnt", "a review names an open question"),
        ("question", "status", "a review names an open question"),
        ("id", "nobody", "a review names a response that was kept"),
        ("text", "", "a text that is published can be read"),
        ("text", "a\u202eb", "a text that is published can be read"),
    ],
)
def test_a_review_that_does_not_fit_is_refused(
    root: Path, column: str, value: str, rule: str
) -> None:
    table = scanned(root).head(2)
    table.loc[0, "publish"] = "yes"
    table.loc[0, column] = value
    with pytest.raises(InputError) as caught:
        build(review(root, table))
    assert [(p.row, p.column, p.rule) for p in caught.value.problems] == [(2, column, rule)]


def test_an_answer_reviewed_twice_and_a_missing_column_are_refused(root: Path) -> None:
    table = scanned(root).head(1)
    with pytest.raises(InputError, match="reviewed once"):
        build(review(root, pd.concat([table, table])))
    with pytest.raises(InputError, match="no publish"):
        build(review(root, table.drop(columns="publish")))


def test_answers_of_few_are_one_row() -> None:
    texts = pd.Series(["A"] * 12 + ["B"] * 11 + ["C"] * 9 + ["D", " D", "E"])
    assert grouped("provider", texts, 10).to_numpy().tolist() == [
        ["provider", "A", "named", 12],
        ["provider", "B", "named", 11],
        ["provider", "", "other", 12],
    ]  # fmt: skip
    # Three others would be told by subtraction: B joins them.
    alone = grouped("provider", texts[texts != "C"], 10)
    assert alone.to_numpy().tolist() == [
        ["provider", "A", "named", 12], ["provider", "", "other", 14],
    ]  # fmt: skip
    assert grouped("provider", texts.tail(3), 10).to_dict("list") == {name: [] for name in ANSWERS}


def test_open_texts_of_the_national_study_reach_no_result(national_copy: Study) -> None:
    survey = pd.read_parquet(national_copy.paths.clean / "survey.parquet")
    assert national_copy.name == NATIONAL
    texts = [text for name in ("comment", national_copy.roles.provider) if name in survey
             for text in survey[name].dropna().unique() if len(text) > 12]  # fmt: skip
    assert len(texts) > 20
    content = b"".join(files(national_copy).values())
    assert [text for text in texts if text.encode() in content] == []
