"""The validation report: same content as page and as JSON, in French and in English."""

import json
import re
from html.parser import HTMLParser
from string import Formatter

import pytest
import small_study as small

from analysis.errors import Problem
from analysis.intake import validation
from analysis.intake.texts import texts
from analysis.intake.validation import (
    number,
    render,
    validate,
    write_study_problems,
    write_validation,
)
from analysis.paths import Paths
from analysis.study import load_study


class Words(HTMLParser):
    """Text and tags of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags = "", []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


def written(root, lang=None):
    study = load_study(small.STUDY, root)
    made, problems = validate(study)
    page = write_validation(study, made, problems, lang)
    content = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    return page.read_text(encoding="utf-8"), content, problems


def test_report_of_good_files(tmp_path):
    small.make(tmp_path)
    page, content, problems = written(tmp_path)
    assert problems == []
    assert content["valid"] is True
    survey = content["sources"][0]
    assert (survey["received"], survey["kept"]) == (5, 3)
    assert survey["set_aside"] == [
        {
            "reason": "too_few_answers",
            "text": "moins de 6 questions répondues",
            "count": 2,
            "rows": [5, 6],
        }
    ]
    words = Words(page).text
    assert "Les fichiers sont prêts" in words
    assert "moins de 6 questions répondues" in words


def test_report_of_damaged_files_names_every_failing_row(tmp_path):
    raw = small.make(tmp_path)
    small.set_cell(raw / "survey.csv", 3, "age", "vieux")
    small.set_cell(raw / "survey.csv", 4, "Identifiant", "R1")
    (raw / "programmes.csv").write_bytes(b"")
    page, content, problems = written(tmp_path)
    assert content["valid"] is False
    assert len(content["problems"]) == len(problems) == 3
    words = Words(page).text
    assert "3 points à corriger" in words
    for told, problem in zip(content["problems"], problems, strict=True):
        assert (told["file"], told["row"], told["column"]) == (
            problem.file,
            problem.row,
            problem.column,
        )
        for part in ("text", "file", "found", "expected", "action"):
            assert told[part] in words
    assert [source["received"] for source in content["sources"]] == [5, 8, 2, None]


def test_counts_of_rules_add_up(tmp_path):
    raw = small.make(tmp_path)
    small.set_cell(raw / "survey.csv", 3, "age", "vieux")
    _, content, _ = written(tmp_path)
    failing = [rule for rule in content["rules"] if rule["failed"]]
    assert [(rule["source"], rule["rule"], rule["failed"]) for rule in failing] == [
        ("survey", "allowed", 1)
    ]
    assert [c["column"] for c in failing[0]["columns"] if c["failed"]] == ["age"]
    for rule in content["rules"]:
        assert rule["tested"] == rule["passed"] + rule["failed"]
        if rule["columns"]:
            assert rule["tested"] == sum(column["tested"] for column in rule["columns"])


@pytest.mark.parametrize(("lang", "verdict"), [("fr", "1 point à corriger"), ("en", "1 thing to")])
def test_both_languages(tmp_path, lang, verdict):
    raw = small.make(tmp_path)
    small.set_cell(raw / "survey.csv", 3, "age", "30-39")
    page, content, problems = written(tmp_path, lang)
    assert f'<html lang="{lang}">' in page
    assert verdict in page
    said = content["problems"][0]
    assert said["found"] == "30-39"
    assert "30_39" in said["action"]
    assert (said["text"] == problems[0].rule) == (lang == "en")
    age = load_study(small.STUDY, tmp_path).question("age").labels[lang]
    labels = [c["label"] for rule in content["rules"] for c in rule["columns"]]
    assert age in labels


def test_what_a_file_holds_is_escaped(tmp_path):
    raw = small.make(tmp_path)
    attack = "<script>alert(1)</script>"
    small.set_cell(raw / "survey.csv", 3, "age", attack)
    small.replace_line(raw / "institutions.csv", 1, "ai_modules", '"<img src=x onerror=1>"')
    page, content, _ = written(tmp_path)
    tags = {tag for tag, _ in Words(page).tags}
    assert not tags & {"script", "img", "link", "iframe"}
    assert attack in Words(page).text
    assert content["problems"][0]["found"] == attack


def test_page_needs_no_other_file(tmp_path):
    small.make(tmp_path)
    page, _, _ = written(tmp_path)
    assert not re.search(r"https?://|url\(|@import|\bsrc=", page)
    assert [a for _, a in Words(page).tags if "href" in a] == []


def test_long_lists_are_cut_on_the_page_and_whole_in_the_data(tmp_path, monkeypatch):
    raw = small.make(tmp_path)
    monkeypatch.setattr(validation, "SHOWN", 2)
    for row in (2, 3, 4, 5):
        small.set_cell(raw / "survey.csv", row, "age", f"age{row}")
    page, content, _ = written(tmp_path)
    words = Words(page).text
    assert len(content["problems"]) == 4
    assert "age3" in words and "age4" not in words
    assert "et 2 autres" in words


def test_report_of_a_study_that_cannot_be_read(tmp_path):
    problem = Problem("studies/s/study.yml", "keys are known", "titel", "title", "write title", 3)
    page = write_study_problems(Paths("s", tmp_path), [problem], "fr")
    assert page == tmp_path / "data/clean/s/validation.html"
    words = Words(page.read_text(encoding="utf-8")).text
    for part in ("studies/s/study.yml", "keys are known", "titel", "write title"):
        assert part in words


def test_no_half_written_file_is_left(tmp_path):
    small.make(tmp_path)
    written(tmp_path)
    folder = load_study(small.STUDY, tmp_path).paths.clean
    assert sorted(path.name for path in folder.iterdir()) == [
        "validation.html",
        "validation.json",
    ]


def test_same_input_same_bytes(tmp_path):
    small.make(tmp_path)
    assert written(tmp_path)[0] == written(tmp_path)[0]


def entries(tree, place=()):
    if set(tree) <= {"fr", "en"}:
        yield place, tree
    else:
        for key, value in tree.items():
            yield from entries(value, (*place, key))


def test_every_text_is_in_both_languages_with_the_same_values():
    found = dict(entries(texts()))
    assert len(found) > 100
    for place, entry in found.items():
        assert set(entry) == {"fr", "en"}, place
        names = [
            {n.removesuffix(f"_{lang}") for _, n, _, _ in Formatter().parse(text) if n}
            for lang, text in entry.items()
        ]
        assert names[0] == names[1], place


def test_french_typography():
    for place, entry in entries(texts()):
        assert not re.search(r" [;:?!»%]|« |'", entry["fr"]), place


def test_numbers():
    assert number(4198, "fr") == "4\u202f198"
    assert number(4198, "en") == "4,198"
    assert number(None, "fr") == "–"


def test_render_is_strict_about_its_content():
    content = {"title": "t", "valid": True, "sources": [], "rules": [], "problems": []}
    assert "Les fichiers sont prêts" in render(content, "fr")
    with pytest.raises(Exception, match="valid"):
        render({k: v for k, v in content.items() if k != "valid"}, "fr")
