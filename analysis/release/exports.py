"""Results as files: CSV, Parquet, one workbook, a codebook and a Frictionless data package."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pandas as pd
import xlsxwriter

from analysis.plain import guarded_frame
from analysis.study import Study

DESCRIPTIONS = {
    "estimates": "One row an estimate, with its base, interval, verdict and evidence",
    "tests": "One row a test, with its effect size",
    "measures": "One row a measure that is no share: net agreement, rank, reliability, difference…",
    "precision": "Standard error, design effect and verdict of each estimate, row by row",
    "adjustments": "One row a test and a correction for the number of tests read together",
    "audit": "One row a published figure, beside its recomputation",
    "crosses": "Every closed question by every profile variable, one row an answer and a group",
    "quotes": "Comments that were read, edited and chosen for publication",
    "open_answers": "Open answers that were read and chosen, those of few people grouped",
    "titles": "Rules that tell trainings on AI by their title, each with titles it matches; then "
    "frequent titles that none does",
    "facts": "Dates and rules of the study that are not shares",
    "codebook": "Variables, answers and labels",
    "comparison": "One row an answer: its share in the reference and in another study, and how far "
    "the two are apart",
    "questions": "One row a question and a study: whether it can be compared with the reference",
    "studies": "One row a compared study, the reference first",
}
GUARD = (
    "In the CSV files an apostrophe stands before a text that a spreadsheet would take for a "
    "formula; the Parquet files hold each text as it is."
)
# How numbers look in the workbook, by column. Cells keep every digit.
PERCENT, WHOLE, EFFECT, P_VALUE, PLAIN = "0.0%", "#,##0", "0.00", "0.0000", "General"
NUMBERS = {
    **dict.fromkeys(["share", "share_low", "share_high"], PERCENT),
    **dict.fromkeys(["base_n", "count", "n", "tests", "df"], WHOLE),
    **dict.fromkeys(["statistic", "effect_size", "effect_low", "effect_high"], EFFECT),
    **dict.fromkeys(["value", "low", "high"], EFFECT),
    **dict.fromkeys(["p_value", "p_adjusted"], P_VALUE),
}
# What must be true of a column wherever it stands, checked by who reads the data package.
CONSTRAINTS: dict[str, dict[str, object]] = {
    "share": {"minimum": 0, "maximum": 1},
    "share_low": {"minimum": 0, "maximum": 1},
    "share_high": {"minimum": 0, "maximum": 1},
    "base_n": {"minimum": 0},
    "count": {"minimum": 0},
    "p_value": {"minimum": 0, "maximum": 1},
    "p_adjusted": {"minimum": 0, "maximum": 1},
    "verdict": {"enum": ["ok", "fragile", "suppressed"]},
    "evidence": {"enum": ["observed", "published", "illustrative"]},
    "difference": {"minimum": -1, "maximum": 1},
    "difference_low": {"minimum": -1, "maximum": 1},
    "difference_high": {"minimum": -1, "maximum": 1},
    "comparable": {"enum": ["yes", "no"]},
}
FIELDS = {
    "chapter": "Chapter of the report",
    "table": "Table the row is of",
    "population": "Who is counted: a population of study.yml",
    "variable": "What is counted: a question, or a variable of the analysis",
    "category": "Answer, or set of answers",
    "by": "Variable that makes the groups, empty for everyone",
    "by_category": "Group",
    "base_kind": "What the base is made of: respondents, mentions, concerned, actions…",
    "base_n": "Size of the base, unweighted; of an audit row, as printed",
    "count": "How many gave the answer; of a mean, the total",
    "share": "Share of the base, from 0 to 1; of a score, its mean",
    "share_low": "Lower end of the 95 % interval",
    "share_high": "Upper end of the 95 % interval",
    "method": "How the interval was made",
    "verdict": "Whether the estimate is sound, fragile, or held back",
    "evidence": "What it rests on: real answers, published figures, or a choice of the rebuilding",
    "reason": "Why an estimate is fragile or held back",
    "test": "Name of the test",
    "statistic": "Its statistic",
    "df": "Degrees of freedom",
    "p_value": "P value",
    "p_adjusted": "P value corrected for the tests it is read with",
    "effect": "Name of the effect size",
    "effect_size": "Effect size",
    "n": "Observations of the test",
    "measure": "Name of the measure",
    "rule": "Name of a rule of ai_rules.csv; empty of a title that none matches",
    "pattern": "What a title must hold, in plain letters",
    "classes": "What the rule says of a title",
    "trainings": "Different titles it matches",
    "actions": "Actions of these titles",
    "level": "Level of the title, by all rules",
    "title": "Title of a training",
    "figure_id": "Name of the published figure",
    "published": "Figure as printed",
    "recomputed": "Figure as computed here",
    "status": "What the comparison gives",
    "explanation": "Why",
    "reference": "The study that others are held against",
    "other": "The study that is held against the reference",
    "source": "The survey, or the extract that a column is of",
    "question": "Name a question is compared by",
    "difference": "Share in the other study less that in the reference, from -1 to 1",
    "difference_low": "Lower end of its 95 % interval, the samples being independent",
    "difference_high": "Upper end of its 95 % interval, the samples being independent",
    "comparable": "Whether it can be compared",
    "warning": "What changed between waves, or the order of answers",
    "accepted": "What differs and was judged not to matter, in comparisons.yml",
    "common": "Answers that both have, in the same words",
    "only_reference": "Answers that the reference alone has",
    "only_other": "Answers that the other study alone has",
    "reworded": "Answers of one name that are worded otherwise",
    "waves": "Whether the studies are waves of one",
    "study": "Name of the study",
    "respondents": "Answers kept",
    "period_start": "First day of fieldwork",
    "period_end": "Last day of fieldwork",
    "weights": "Where the weights come from",
    "synthetic": "Whether answers were rebuilt from published figures",
}


def write_results(folder: Path, frames: dict[str, pd.DataFrame], study: Study) -> None:
    """Write every export of a set of results into an empty folder."""
    definition = study.definition
    about = {
        "name": definition.study.replace("_", "-"),
        "title": definition.title[definition.languages[0]],
        "licenses": [{"title": definition.licence.name, "path": definition.licence.url}],
        "synthetic": definition.synthetic,
    }
    write_frames(folder, frames, about)
    _workbook(folder / "estimates.xlsx", frames, study)


def write_frames(folder: Path, frames: dict[str, pd.DataFrame], about: dict) -> None:
    """Write frames as CSV and as Parquet, with a data package that describes them.

    about: what the package says of the whole: name, title, licences, whether answers are rebuilt.
    """
    for name, frame in frames.items():
        guarded_frame(frame).to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    _data_package(folder, frames, about)


def codebook(study: Study) -> pd.DataFrame:
    """One row an answer (or an open question): names, labels by language, routing."""
    rows = []
    for question in study.questionnaire or ():
        labels = {f"label_{lang}": text for lang, text in question.labels.items()}
        common = {
            "source": "survey",
            "variable": question.name,
            "type": question.kind,
            **labels,
            "asked_if": question.relevant,
            "constraint": question.constraint,
        }
        rows.append(common | {"answer": ""})
        rows += [
            common
            | {"answer": choice.name}
            | {f"answer_label_{lang}": text for lang, text in choice.labels.items()}
            for choice in question.choices
        ]
    for source, item in study.definition.sources.present().items():
        for name, column in item.columns.items():
            labels = {f"label_{lang}": text for lang, text in column.label.items()}
            common = {"source": source, "variable": name, "type": column.type, **labels}
            rows.append(common | {"answer": ""})
            rows += [
                common
                | {"answer": answer}
                | {f"answer_label_{lang}": text for lang, text in texts.items()}
                for answer, texts in column.answers.items()
            ]
    return pd.DataFrame(rows).fillna("")


def _workbook(path: Path, frames: dict[str, pd.DataFrame], study: Study) -> None:
    """A sheet a chapter, the codebook first. Text never becomes a formula or a link."""
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False,
               "in_memory": True}  # fmt: skip
    # Written by us, so that a full disk is told as for any other file.
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, options) as book:
        # A fixed date, so that the same results are the same bytes.
        book.set_properties({"created": pd.Timestamp(study.definition.period.end)})
        styles = Styles(book)
        _sheet(book, "codebook", frames["codebook"], styles)
        for chapter, rows in frames["estimates"].groupby("chapter", sort=False):
            _sheet(book, str(chapter), rows, styles)
        for name in ("tests", "adjustments", "measures", "audit"):
            if name in frames:
                _sheet(book, name, frames[name], styles)
    path.write_bytes(content.getvalue())


class Styles:
    """How the cells of a workbook look: its head, and each number by what its column holds."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.head = book.add_format({"bold": True, "bottom": 1})
        self.known = {number: book.add_format({"num_format": number})
                      for number in {*NUMBERS.values(), PLAIN}}  # fmt: skip

    def of(self, title: str, values: pd.Series) -> object | None:
        """The format of a column; none where it holds text."""
        if not pd.api.types.is_numeric_dtype(values):
            return None
        return self.known[NUMBERS.get(title, PLAIN)]


def _sheet(book: xlsxwriter.Workbook, name: str, frame: pd.DataFrame, styles: Styles) -> None:
    sheet = book.add_worksheet(name[:31])
    sheet.freeze_panes(1, 0)
    for column, title in enumerate(frame.columns):
        values = frame[title]
        style = styles.of(title, values)
        # A number is as wide as its format, whatever digits stand behind it.
        longest = 8 if style else max((len(str(value)) for value in values), default=0)
        sheet.set_column(column, column, min(60, max(len(title), longest) + 2), style)
        sheet.write_string(0, column, title, styles.head)
        write = sheet.write_number if style else sheet.write_string
        for row, (value, there) in enumerate(zip(values, values.notna(), strict=True), start=1):
            if there:
                write(row, column, value)
    sheet.autofilter(0, 0, len(frame), max(len(frame.columns) - 1, 0))


def _data_package(folder: Path, frames: dict[str, pd.DataFrame], about: dict) -> None:
    """datapackage.json (https://specs.frictionlessdata.io/data-package/)."""
    package = about | {
        "description": GUARD,
        "profile": "tabular-data-package",
        "resources": [_resource(folder, name, frame) for name, frame in frames.items()],
    }
    text = json.dumps(package, ensure_ascii=False, indent=2) + "\n"
    (folder / "datapackage.json").write_text(text, encoding="utf-8")


def _resource(folder: Path, name: str, frame: pd.DataFrame) -> dict:
    content = (folder / f"{name}.csv").read_bytes()
    return {
        "name": name.replace("_", "-"),
        "path": f"{name}.csv",
        "profile": "tabular-data-resource",
        "description": DESCRIPTIONS.get(name.partition("_")[0], name),
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": "sha256:" + hashlib.sha256(content).hexdigest(),
        "schema": {
            "fields": [_field(column, frame[column]) for column in frame.columns],
            "missingValues": [""],
        },
    }


def _field(name: str, values: pd.Series) -> dict:
    """A column: its type, what it holds, and what must be true of it."""
    field: dict = {"name": name, "type": _type(values)}
    plain, side = _side(name)
    if plain in FIELDS:
        field["description"] = FIELDS[plain] + side
    numeric = field["type"] != "string"
    if plain in CONSTRAINTS and numeric == ("enum" not in CONSTRAINTS[plain]):
        field["constraints"] = CONSTRAINTS[plain]
    return field


def _side(name: str) -> tuple[str, str]:
    """A column without the study it is of, where two stand side by side, and that study."""
    for ending, told in (("_reference", ", in the reference"), ("_other", ", in the other study")):
        if name.endswith(ending) and name not in FIELDS:
            return name.removesuffix(ending), told
    return name, ""


def _type(values: pd.Series) -> str:
    if pd.api.types.is_integer_dtype(values):
        return "integer"
    return "number" if pd.api.types.is_float_dtype(values) else "string"
