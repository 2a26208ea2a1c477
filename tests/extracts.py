"""A small study of consumption alone, whose extract is whatever files a test writes."""

from __future__ import annotations

import sys
from pathlib import Path

from analysis.intake.clean import Clean, examine, extract_engine
from analysis.paths import PROJECT
from analysis.study import Study, load_study

sys.path.append(str(PROJECT / "bench"))

from extract import COLUMNS, STUDY, study_yml

HEADER = list(COLUMNS)
ROWS = [
    "A1,Découvrir l’IA,Alpha,P1,2023-01-15,7.5,100,permanent,sector_1,region_1,under_11",
    "A2,Découvrir l’IA,Alpha,P2,2023-02-16,14,200.5,intermittent,sector_2,region_2,11_49",
    "A3,Excel,Bêta,P1,2023-12-01,21,300,permanent,sector_1,region_1,under_11",
]
LATER = [
    "A4,Excel,Bêta,P3,2024-03-01,7,100,author,sector_3,region_1,under_11",
    "A5,Le son,Gamma,P1,2024-04-01,3.5,50,permanent,sector_1,region_2,under_11",
]
Cells = list[list[str]]


def cells(*lines: str) -> Cells:
    return [line.split(",") for line in lines]


def text(rows: Cells, delimiter: str = ",", header: list[str] = HEADER) -> str:
    return "".join(delimiter.join(row) + "\n" for row in [header, *rows])


def make(
    root: Path, files: dict[str, str | bytes], recodes: str = "", more: str = "", **source: str
) -> Study:
    """A study below `root` with files of actions by name; text is written as UTF-8."""
    raw = root / "data" / "raw" / STUDY / "actions"
    definition = root / "studies" / STUDY
    raw.mkdir(parents=True)
    definition.mkdir(parents=True)
    yml = study_yml(more=more, **source).replace("    ai: true\n", "")
    (definition / "study.yml").write_text(yml, encoding="utf-8")
    if recodes:
        lines = "source,kind,column,found,becomes\n" + recodes
        (definition / "recodes.csv").write_text(lines, encoding="utf-8")
    for name, content in files.items():
        path = raw / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return load_study(STUDY, root)


def two_years(**changed: str | bytes) -> dict[str, str | bytes]:
    files: dict[str, str | bytes] = {
        "2023.csv": text(cells(*ROWS)),
        "2024.csv": text(cells(*LATER)),
    }
    return files | {name.replace("_", ".").removeprefix("y"): c for name, c in changed.items()}


def checked(study: Study) -> tuple[Clean, list, list[dict]]:
    """What intake makes of a study: the clean tables, the problems, the rows that were kept."""
    with extract_engine(study) as engine:
        clean, problems = examine(study, engine)
        rows = clean.tables["actions"].to_pyarrow().to_pylist() if not problems else []
    return clean, problems, sorted(rows, key=lambda row: row["action_id"])
