"""Small made-up studies that share some questions: the one of tests/layouts, asked of others.

No answer in them is a real person's: they are drawn at random, the same for the same seed.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from analysis.paths import PROJECT
from analysis.release.build import build
from analysis.study import Study, load_study

SAMPLES = Path(__file__).parent / "layouts"
Changes = Sequence[tuple[str, str]]


def project(root: Path) -> Path:
    """A folder with the pages of the report, for studies to be added to."""
    shutil.copytree(PROJECT / "report", root / "report")
    shutil.copyfile(PROJECT / "_quarto.yml", root / "_quarto.yml")
    return root


def study(
    root: Path, name: str, people: int = 200, lean: float = 0.0, *, seed: int = 1,
    yml: Changes = (), form: Changes = (), weighted: bool = False,
) -> Study:  # fmt: skip
    """A study below `root`, with its raw answers; not built.

    lean: how much likelier the first answer of each list is. yml, form: what is written otherwise
    in its study.yml and its questionnaire.
    """
    folder, raw = root / "studies" / name, root / "data" / "raw" / name
    folder.mkdir(parents=True)
    raw.mkdir(parents=True)
    definition = _text("study.yml", [("study: layouts", f"study: {name}"), ("synthetic: true",
                                     "synthetic: false"), *yml])  # fmt: skip
    if weighted:
        column = "      weight: {label: {fr: Poids, en: Weight}, type: number}\n\npopulations:"
        definition = definition.replace("\npopulations:", column, 1)
        definition += "design: {weights: weight}\n"
    (folder / "study.yml").write_text(definition, encoding="utf-8")
    (folder / "questionnaire.csv").write_text(_text("questionnaire.csv", form), encoding="utf-8")
    made = load_study(name, root)
    _answers(made, raw / "survey.csv", people, lean, seed, weighted)
    return made


def built(*args: object, **more: object) -> Study:
    """The same study, built."""
    made = study(*args, **more)  # type: ignore[arg-type]
    build(made)
    return made


def _text(name: str, changes: Changes) -> str:
    text = (SAMPLES / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def _answers(
    made: Study, path: Path, people: int, lean: float, seed: int, weighted: bool
) -> None:  # fmt: skip
    rng, read = np.random.default_rng(seed), made.questionnaire
    assert read is not None
    day = made.definition.period.end.isoformat()
    names = ["response_id", "started_on", "complete", *(["weight"] if weighted else [])]
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, [*names, *(question.name for question in read)])
        writer.writeheader()
        for number in range(people):
            row = {"response_id": f"R{number}", "started_on": day, "complete": "1"}
            row |= {"weight": str(rng.choice([0.5, 1, 2]))} if weighted else {}
            for question in read:
                row[question.name] = _answer(question, lean, rng)
            others = "!=" if row["status"] == "student" else " = "
            row |= {q.name: "" for q in read if others in q.relevant}
            writer.writerow(row)


def _answer(question, lean: float, rng: np.random.Generator) -> str:
    if question.kind == "integer":
        return str(rng.integers(1, 9))
    if question.kind == "date":
        return "2025-03-04"
    if not question.choices:
        return ""
    chances = np.ones(len(question.answers))
    chances[0] += lean * len(chances)
    chances /= chances.sum()
    if question.several:
        chosen = rng.random(len(chances)) < chances * 1.4
        chosen[0] |= not chosen.any()
        return ";".join(a for a, ticked in zip(question.answers, chosen, strict=True) if ticked)
    return str(rng.choice(question.answers, p=chances))
