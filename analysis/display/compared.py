"""What the page of a comparison calls: studies held against the first, question by question.

It reads the files that `analysis.comparison` wrote and the texts of the studies, and nothing of
anyone's answers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.comparison.asked import plain
from analysis.comparison.declared import read_declared
from analysis.comparison.table import NO, TEXT, YES
from analysis.display import figure as block
from analysis.display.catalogue import Entry
from analysis.display.charts import MARKS, Words, records
from analysis.display.compared_names import Called
from analysis.display.compared_rows import gap, rows_of, significant
from analysis.display.compared_texts import Told
from analysis.display.report import ENV
from analysis.display.results import typed
from analysis.display.tables import scrolled, table_html
from analysis.errors import InputError, Problem
from analysis.paths import PROJECT, compared_paths
from analysis.plain import markdown, unguarded_frame
from analysis.study import Study, load_study

if TYPE_CHECKING:
    from IPython.display import Markdown

FILES = ("questions", "comparison", "studies")
# A chart tells this many studies apart by mark and colour, the reference among them.
MOST = len(MARKS)
# Lines of the chart of the widest differences.
LINES = 12


def open_comparison(
    names: Sequence[str] = (), lang: str | None = None, root: Path | None = None
) -> Comparison:
    """The comparison of some studies in a language, as its page calls it.

    Defaults come from LEARNER_SURVEY_STUDIES, LEARNER_SURVEY_LANG and LEARNER_SURVEY_ROOT. Raises
    InputError where it was not made.
    """
    place = root or Path(os.environ.get(ENV + "ROOT") or PROJECT)
    given = names or os.environ.get(ENV + "STUDIES", "").split()
    studies = [load_study(name, place) for name in given]
    spoken = lang or os.environ.get(ENV + "LANG") or studies[0].definition.languages[0]
    return read_comparison(studies, spoken)


def read_comparison(studies: Sequence[Study], lang: str) -> Comparison:
    """The comparison of studies already read. Raises InputError where it was not made."""
    root = studies[0].paths.root
    paths = compared_paths([study.name for study in studies], root)
    missing = [name for name in FILES if not (paths.results / f"{name}.csv").is_file()]
    if missing:
        problem = Problem(
            paths.shown(paths.results), "a page of a comparison reads one that was made",
            f"no {missing[0]}.csv", f"{missing[0]}.csv",
            "run `python -m analysis compare` for these studies",
        )  # fmt: skip
        raise InputError([problem])
    questions, cells, about = (
        unguarded_frame(
            pd.read_csv(paths.results / f"{name}.csv", dtype=str, keep_default_na=False)
        )
        for name in FILES
    )
    cells = typed(cells, [str(name) for name in cells if name not in TEXT])
    called = Called(tuple(studies), lang, read_declared(root))
    return Comparison(called, questions, cells.assign(significant=significant(cells)),
                      typed(about, ["respondents"]))  # fmt: skip


@dataclass(frozen=True)
class Comparison:
    """Several studies in one language. questions, cells, about: as `analysis.comparison` wrote
    them, cells with whether their difference is significant."""

    called: Called
    questions: pd.DataFrame
    cells: pd.DataFrame
    about: pd.DataFrame

    @cached_property
    def told(self) -> Told:
        return Told(self.called, self.questions, len(self.compared))

    @cached_property
    def kept(self) -> pd.DataFrame:
        """Cells of the questions that are compared."""
        return self.cells[self.cells["comparable"] == YES]

    @cached_property
    def compared(self) -> pd.DataFrame:
        """Cells whose difference is known."""
        return self.kept[self.kept["difference"].notna()]

    @cached_property
    def of_both(self) -> pd.DataFrame:
        """Questions that both the reference and another study ask."""
        return self.questions[self.questions["reason"] != "not_asked"]

    # What the page calls

    def headline(self) -> str:
        """How many differences are significant, of two studies that may be told so; else what is
        compared."""
        called, others = self.called, self.called.others
        names = called.all(self.told.waves())
        if self.kept.empty:
            return called.term("headline_none", names=called.all(False))
        if len(others) == 1 and not self._illustration:
            return self.told.overview(self.compared, others[0])
        key = "wave_list" if self.told.waves() else "study_list"
        return called.term(key, names=names, n=called.formats.words(len(called.studies)))

    def cards(self) -> Markdown:
        """The strip of key figures: what is compared, what differs, what is kept apart."""
        number, term = self.called.formats.number, self.called.term
        kept = int((self.of_both["comparable"] == YES).sum())
        found = int(self.compared["significant"].sum())
        cells = [
            (kept, "compared_questions", term("of_both", n=number(len(self.of_both)))),
            (len(self.compared), "compared_cells", term("cells_base")),
            (found, "significant",
             term("not_findings" if self._illustration else "significant_base")),
            (len(self.of_both) - kept, "kept_apart", term("kept_apart_base")),
        ]  # fmt: skip
        html = "".join(
            f'<div class="card"><div class="num">{number(value)}</div>'
            f'<div class="what">{escape(term(key))}</div>'
            f'<div class="base">{escape(base)}</div></div>'
            for value, key, base in cells
        )
        return _markdown(block.raw(f'<div class="cards">{html}</div>') + "\n")

    def about_studies(self) -> Markdown:
        """What a reader must know of each study before reading a difference."""
        called, formats = self.called, self.called.formats
        body = [
            [
                called.study(study.name),
                called.period(study.name),
                formats.number(row.respondents),
                called.term(f"weights_{row.weights or 'none'}"),
                called.term("rebuilt" if row.synthetic == YES else "real"),
            ]
            for study, row in zip(called.studies, records(self.about), strict=True)
        ]
        names = ["study", "period", "respondents", "weights", "answers_are"]
        return self._table("compared-studies", names, body, numeric=(2,))

    def overview(self) -> Markdown:
        """For each other study, the differences that are significant, else the widest."""
        return _markdown("\n".join(self._overview(other) for other in self.called.others))

    def figures(self) -> Markdown:
        """A figure a question that is compared, the items of a group of the battery in one; where
        there are more studies than marks, several figures."""
        groups, done = self._groups(), set()
        figures: list[str] = []
        for key, cells in self.kept.groupby(["source", "question"], sort=False):
            source, question = map(str, key)
            group = groups.get((source, question), "")
            if not group:
                figures += self._figures(f"{source}-{question}", cells)
            elif group not in done:
                done.add(group)
                keys = zip(self.kept["source"], self.kept["question"], strict=True)
                inside = self.kept[[groups.get(one) == group for one in keys]]
                agree = inside[inside["category"] == self.called.studies[0].sides[1]]
                figures += self._figures(f"group-{group}", agree, group)
        return _markdown("\n".join(figures))

    def apart(self) -> Markdown:
        """The questions that both studies ask and that are not compared: why, and what differs."""
        rows = self.of_both[self.of_both["comparable"] == NO]
        if rows.empty:
            return _markdown(self.called.term("nothing") + "\n")
        body = [
            [self.called.question(row), self.told.reasons(row.reason), self.told.what_differs(row)]
            for row in records(rows)
        ]
        several = len(self.called.others) > 1
        sections = [self.called.two(other) for other in rows["other"]] if several else ()
        names = ["question", "why", "what_differs"]
        return self._table("not-compared", names, body, sections=sections)

    def asked_in_one(self) -> Markdown:
        """The questions that only one of two studies asks, and those that differ by name alone."""
        parts = []
        for other in self.called.others:
            rows = self.questions[
                (self.questions["other"] == other) & (self.questions["reason"] == "not_asked")
            ]
            sides = {
                study: [
                    (row.source, getattr(row, column))
                    for row in records(rows[rows[column] != ""])
                ]
                for study, column in (
                    (self.called.reference, "variable_reference"), (other, "variable_other"))
            }  # fmt: skip
            parts += [self._only(study, other, asked) for study, asked in sides.items() if asked]
            parts += self._other_names(sides)
        return _markdown("\n".join(parts))

    # How they are made

    @cached_property
    def _illustration(self) -> bool:
        """Whether every difference rests on reconstructed answers alone."""
        return set(self.compared["evidence"]) == {"illustrative"}

    def _groups(self) -> dict[tuple[str, str], str]:
        """The group of the battery of the reference that each of its compared items stands in."""
        study = self.called.studies[0]
        form = study.questionnaire
        asked = self.kept[["source", "question", "variable_reference"]].drop_duplicates()
        return {
            (row.source, row.question): form[row.variable_reference].groups[-1]
            for row in records(asked)
            if form and row.source == "survey" and study.battery_of(row.variable_reference)
        }  # fmt: skip

    def _figures(self, name: str, cells: pd.DataFrame, group: str = "") -> Iterator[str]:
        """Figures of one question, or of the items of a group: of as many studies as marks."""
        others = [other for other in self.called.others if other in set(cells["other"])]
        for number, at in enumerate(range(0, len(others), MOST - 1), start=1):
            some = cells[cells["other"].isin(others[at : at + MOST - 1])]
            suffix = f"-{number}" if number > 1 else ""
            yield self._figure(f"compared-{name}{suffix}", some, group)

    def _figure(self, name: str, cells: pd.DataFrame, group: str) -> str:
        called, told = self.called, self.told
        rows = rows_of(cells, called, items=bool(group))
        words = Words(called.labels, Entry(kind="pairs", battery=bool(group)), each=called.each)
        first = records(cells)[0]
        if group:
            label = called.labels.group(group)
            topic = called.term("topic_of_items", group=label)
            question = called.term(f"items_of_{first.base_kind}", group=label)
        else:
            topic = called.question(first, quoted=True)
            wording = called.wording(called.reference, first.source, first.variable_reference)
            hint = called.labels.hint(first.variable_reference, first.population_reference)
            question = f"{wording} {hint}".strip()
        return self._block(name, rows, words, (told.title(rows, cells, topic), question,
                           told.say(rows, cells), told.note(rows, words, cells)))  # fmt: skip

    def _overview(self, other: str) -> str:
        called, told = self.called, self.told
        cells = self.compared[self.compared["other"] == other]
        if cells.empty:
            return ""
        shown = cells[cells["significant"]] if cells["significant"].any() else cells
        widest = shown["difference"].abs().sort_values(ascending=False, kind="stable")
        shown = shown.loc[widest.index[:LINES]]
        rows = rows_of(shown, called)
        topics = [self._line(cell) for cell in records(shown) for _ in range(2)]
        rows = rows.assign(tag=topics, gap=[gap(row, called) for row in records(rows)])
        words = Words(called.labels, Entry(kind="gaps"), each=called.each)
        title = told.overview(cells, other)
        if block.illustrative(rows):
            topic = called.term("overview_top", **told.two(other))
            title = called.labels.term("figure", "illustrative_title", topic=topic)
        question = called.term("overview_question", **told.two(other))
        said = told.say(rows, shown, counted=cells)
        return self._block(f"compared-widest-{other}", rows, words,
                           (title, question, said, told.overview_note(rows, cells)))  # fmt: skip

    def _line(self, cell: Any) -> str:
        """The question of a line, and whom it is asked of where another is worded so."""
        called = self.called
        named = called.question(cell)
        twins = self.of_both[self.of_both["comparable"] == YES].drop_duplicates("question")
        if sum(called.question(row) == named for row in records(twins)) > 1:
            return f"{named} ({called.labels.population(cell.population_reference)})"
        return named

    def _block(
        self, name: str, rows: pd.DataFrame, words: Words, texts: tuple[str, str, str, str]
    ) -> str:
        title, question, say, note = map(self.called.formats.typography, texts)
        told = block.Block(name.replace("_", "-"), title, question, say, note)
        return block.figure_block(rows, words, told)

    def _only(self, study: str, other: str, asked: list[tuple[str, str]]) -> str:
        called = self.called
        of = called.term("only_in", study=called.study(study))
        if len(called.others) > 1:
            of += f" ({called.two(other)})"
        texts = dict.fromkeys(called.wording(study, source, own) for source, own in asked)
        items = "".join(f"<li>{escape(text)}</li>" for text in texts)
        summary = f"{escape(of)} ({called.formats.number(len(texts))})"
        return block.raw(f"<details><summary>{summary}</summary><ul>{items}</ul></details>") + "\n"

    def _other_names(self, sides: dict[str, list[tuple[str, str]]]) -> list[str]:
        """Questions of one wording under two names, which someone may declare to be the same."""
        first, second = (
            {plain(self.called.wording(study, *key)): key[1] for key in asked}
            for study, asked in sides.items()
        )
        twins = [f"{own} / {second[words]}" for words, own in first.items() if words in second]
        if not twins:
            return []
        text = self.called.term("same_words", names=", ".join(twins))
        return [markdown(text) + "\n"]

    def _table(
        self, name: str, columns: Sequence[str], body: list[list[str]],
        numeric: Sequence[int] = (), sections: Sequence[str] = (),
    ) -> Markdown:  # fmt: skip
        labels = self.called.labels
        caption = labels.term("tables", name.replace("-", "_"))
        head = [labels.term("columns", column) for column in columns]
        table = table_html(head, body, caption, numeric, sections=sections)
        html = block.raw(scrolled(table))
        return _markdown(f"\n::: {{#tbl-{name} .numbers}}\n{html}\n\n{markdown(caption)}\n:::\n")


def _markdown(text: str) -> Markdown:
    # IPython is slow to import, and only pages need it.
    from IPython.display import Markdown  # noqa: PLC0415

    return Markdown(text)
