"""Titles told apart by rules, on a labelled sample and on false friends."""

import ibis
import pandas as pd
import pytest

from analysis.chapters.titles import (
    DEFAULT,
    SAMPLE,
    classified,
    plain,
    quality,
    read_rules,
    spaced,
)
from analysis.errors import InputError

FRIENDS = [
    "Montage vidéo", "Maïa et la troupe", "Gérer ses mails", "Social media", "Plan média", "L'air",
    "Chaîne du livre", "Aïkido scénique", "Médias", "Maria Callas", "Via ferrata", "J'ai un projet",
    "R.I.A. et extincteurs", "Prompteur", "Claude Chabrol", "PNL", "Intelligence collective",
]  # fmt: skip
ABOUT_AI = [
    "L’IA", "I.A. et création", "A.I. for all", "INTELLIGENCES ARTIFICIELLES", "ChatGPT", "LLMs",
    "Prompts", "Réseaux de neurones", "IA/ML", "IA-Act", "Agents IA", "intelligence  artificielle",
]  # fmt: skip


def told(titles, rules=None):
    con = ibis.duckdb.connect()
    table = con.create_table("titles", ibis.memtable(pd.DataFrame({"title": titles})))
    found = classified(table, rules or read_rules(DEFAULT, "ai_rules.csv"))
    return found.to_pyarrow().to_pandas().set_index("title").loc[titles]


def test_false_friends_and_acronyms():
    assert set(told(FRIENDS)["ai"]) == {"not_ai"}
    assert set(told(ABOUT_AI)["ai"]) == {"ai"}


def test_letters_are_made_plain_in_the_engine_as_in_python():
    titles = [*pd.read_csv(SAMPLE)["title"], "Œuvre & cœur – L’ÎLE", "  x  ", "…"]
    con = ibis.duckdb.connect()
    table = con.create_table("titles", ibis.memtable(pd.DataFrame({"title": titles})))
    found = table.mutate(letters=spaced(table["title"])).to_pyarrow().to_pandas()
    assert found["letters"].str.strip().tolist() == [plain(title) for title in titles]


@pytest.mark.parametrize("part", ["tuned", "held_out"])
def test_precision_and_recall_of_the_sample(part):
    sample = pd.read_csv(SAMPLE)
    assert len(sample) >= 400 and sample["title"].is_unique
    assert sample["part"].value_counts()["held_out"] >= 130
    found = quality(read_rules(DEFAULT, "ai_rules.csv"), part).set_index(["variable", "category"])
    assert (found["labelled"] >= 5).all()
    assert (found.loc["ai", ["precision", "recall"]] >= 0.95).all(axis=None)
    assert (found[["precision", "recall"]] >= 0.8).all(axis=None)


def test_classes_follow_their_rules(tmp_path):
    path = tmp_path / "ai_rules.csv"
    path.write_text(
        "rule,class,kind,pattern,except,note\n"
        "a,ai,word,robot,de cuisine|mixeur,\nb,ai generative,stem,génér,,\n"
        "c,sector,phrase,au cinéma,,\nd,integration,stem,deplo,,\n",
        encoding="utf-8",
    )
    found = told(
        ["Robots au cinéma", "Robot de cuisine", "Déployer : images générées", "Cinéma"],
        read_rules(path, "ai_rules.csv"),
    )
    assert found["ai"].tolist() == ["ai", "not_ai", "ai", "not_ai"]
    assert found["ai_scope"].fillna("").tolist() == ["sector", "", "general", ""]
    assert found["ai_kind"].fillna("").tolist() == ["other_ai", "", "generative", ""]
    assert found["ai_level"].fillna("").tolist() == ["use", "", "integration", ""]


def test_a_line_that_is_no_rule_is_named(tmp_path):
    path = tmp_path / "ai_rules.csv"
    path.write_text("rule,class,kind,pattern,except,note\na,aj,wrd,…,,\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_rules(path, "studies/x/ai_rules.csv")
    assert [(p.row, p.column) for p in caught.value.problems] == [
        (2, "class"), (2, "kind"), (2, "pattern"),
    ]  # fmt: skip
