"""What a page of the report calls: figures, tables, numbers and labels of one study.

A page never names a file or reads data. It asks by role ("satisfaction", "hours") or by the names
of the results, and every number it prints comes from the released results: in a sentence it is a
link to its row, which stands in the page's table "cited".
"""

from __future__ import annotations

import datetime as dt
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.display import cited, consumed, measured, record, tables
from analysis.display import figure as block
from analysis.display.catalogue import (
    Card,
    Catalogue,
    Entry,
    FigureText,
    Files,
    Text,
    Texts,
    entry_of,
    read_catalogue,
    read_texts,
)  # fmt: skip
from analysis.display.charts import Words, records
from analysis.display.explorer import Names, explorer
from analysis.display.facts import HIDDEN, Facts, facts_of, named
from analysis.display.formats import lower_first
from analysis.display.general import PREFIX, figures, kind_of, measured_values
from analysis.display.labels import Labels
from analysis.display.results import (
    Results,
    find_test,
    read_crosses,
    read_open_answers,
    read_quotes,
    read_results,
)
from analysis.display.rows import Sources, items_of, rows_for
from analysis.display.sentences import few, fill, tell
from analysis.display.traced import Traced, lines, number, together
from analysis.errors import InputError, Problem
from analysis.paths import PROJECT
from analysis.plain import markdown
from analysis.study import Study, load_study

if TYPE_CHECKING:
    from IPython.display import Markdown

# Under this, a number is told by what it stays below.
LEAST = 0.001
ENV = "LEARNER_SURVEY_"
# What a sentence ends with.
ENDS = (".", "?", "!", "…", ":")


class PageError(Exception):
    """A page asks for a number that is not there, or for several: the page must change."""


def open_report(
    study: str | None = None, lang: str | None = None, root: Path | None = None
) -> Report:
    """The report of a study in a language, as its pages call it.

    Defaults come from LEARNER_SURVEY_STUDY, LEARNER_SURVEY_LANG and LEARNER_SURVEY_ROOT, then
    from the first study there is and its first language. Raises InputError.
    """
    place = root or Path(os.environ.get(ENV + "ROOT") or PROJECT)
    name = study or os.environ.get(ENV + "STUDY") or _first_study(place)
    loaded = load_study(name, place)
    spoken = lang or os.environ.get(ENV + "LANG") or loaded.definition.languages[0]
    results = read_results(loaded.paths.results, loaded.paths.shown(loaded.paths.results), spoken)
    report = report_of(loaded, results, spoken)
    _show_text_as_written(report)
    return report


def _show_text_as_written(report: Report) -> None:
    """In a page, a text in a sentence is Markdown that shows it, its numbers linked to their rows.
    Its repr, which a renderer falls back on, writes a no-break space as \\xa0."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        shown = shell.display_formatter.formatters["text/markdown"]
        shown.for_type(str, markdown)
        shown.for_type(Traced, report.linked)


def report_of(study: Study, results: Results, lang: str) -> Report:
    """A report on results already read."""
    return Report(Sources(study, results, Labels(study, lang)), *words_of(study, lang))


def words_of(study: Study, lang: str) -> tuple[Catalogue, Texts]:
    """The figures that the report of a study may show, and their words in a language."""
    common, own, shown = study.paths.pages, study.paths.own_pages, study.paths.shown

    def files(name: str) -> Files:
        """The file that every study shares, and the one of this study where there is one."""
        mine = own / name
        return (common / name, f"report/{name}"), *([(mine, shown(mine))] if mine.is_file() else [])

    return read_catalogue(files("figures.yml")), read_texts(files(f"{lang}/texts.yml"))


def _first_study(root: Path) -> str:
    known = sorted(path.parent.name for path in (root / "studies").glob("*/study.yml"))
    if known:
        return known[0]
    problem = Problem(
        "studies/", "there is a study to report on", "no study", "studies/<study>/study.yml",
        "create a study",
    )  # fmt: skip
    raise InputError([problem])


@dataclass(frozen=True)
class Report:
    """One study in one language. Figures and tables are Markdown, numbers are formatted text."""

    sources: Sources
    catalogue: Catalogue
    texts: Texts

    # Figures and tables

    def figure(self, name: str) -> Markdown:
        """A figure of the catalogue; nothing where the study has no data for it."""
        return _markdown(self._block(name) if self.has_figure(name) else "")

    def figures(self, name: str) -> Markdown:
        """Every figure made from one entry, such as one for each group of the battery."""
        return _markdown("\n".join(self._block(each) for each in self.names(name)))

    def questions(self, chapter: str, first: int | None = None) -> Markdown:
        """Figures of a chapter's tables that no figure of the catalogue draws: all, or the first
        ones that are of everyone."""
        names = [
            name
            for name, entry in self._questions.items()
            if entry.chapter == chapter and not (entry.by and first)
        ]
        return _markdown("\n".join(self._block(name) for name in names[:first]))

    @cached_property
    def _questions(self) -> dict[str, Entry]:
        return figures(self.catalogue, self.sources)

    def _entry(self, name: str) -> tuple[Entry, str]:
        """A figure by its name, and the group of the battery it is asked for."""
        if self._is_question(name):
            return self._questions[name], ""
        entry, _, group = entry_of(self.catalogue, name)
        return entry, group

    def _is_question(self, name: str) -> bool:
        """Whether a figure is not one of the catalogue, but made for a question."""
        own = name.startswith(PREFIX) and name not in self.catalogue.figures
        return own and name in self._questions

    def names(self, name: str) -> list[str]:
        """Ids of the figures made from one entry, without those the study has no data for."""
        entry = self.catalogue.figures.get(name)
        every = [f"{name}-{group}" for group in items_of(self.sources)] if entry and entry.each \
            else [name]  # fmt: skip
        return [each for each in every if self.has_figure(each)]

    def has_figure(self, name: str) -> bool:
        """Whether the study has data for a figure. Raises PageError where it ought to have."""
        entry, _ = self._entry(name)
        if not self._rows(name).empty:
            return True
        chosen = entry.by or entry.population or entry.populations
        if entry.variable and self.has(entry.variable) and not chosen:
            raise PageError(f"figure({name!r}): the results hold no {entry.variable!r}")
        return False

    def title(self, name: str) -> str:
        """The finding of a figure, as its title says it."""
        return self._told(name).title

    def say(self, name: str) -> str:
        """The sentence of a figure; nothing where the study has no data for it."""
        return self._say(name) if self.has_figure(name) else ""

    def headline(self, *names: str) -> str:
        """The finding of the first of these figures that the study has, else its title."""
        found = next((name for name in names if self.has_figure(name)), None)
        return self.title(found) if found else self.study.definition.title[self.labels.lang]

    def table(self, name: str) -> Markdown:
        """A table by its name: audit, tests, codebook, one of measured.MAKERS, the numbers of a
        figure, or `cited`: the rows that the page has cited so far, for its end. Nothing where
        the study has nothing of the kind."""
        known = name in self.labels.terms["tables"]
        caption = self.labels.term("tables", name) if known else self.title(name)
        html = self._table_html(name, caption)
        return _numbered(name, html, caption) if html else _markdown("")

    def _table_html(self, name: str, caption: str) -> str:
        labels, results = self.labels, self.sources.results
        reads = {"audit": results.audit, "audit_faults": results.audit, "tests": results.tests}
        own = {
            "audit": lambda: tables.audit_table(results.audit, labels, caption),
            "audit_faults": lambda: tables.faults_table(results.audit, labels, caption),
            "tests": lambda: tables.tests_table(
                results.tests, results.adjustments, labels, caption
            ),
            "codebook": lambda: tables.codebook_table(labels, caption),
            "provenance": lambda: record.provenance_table(results.provenance, labels, caption),
            "limits": lambda: record.limits_table(results.provenance, labels, caption),
            "cited": lambda: cited.table(self._cited, self.sources, caption),
        }
        if name in reads and reads[name].empty:
            return ""
        if name in own:
            return own[name]()
        if name in (makers := measured.MAKERS | consumed.MAKERS):
            return measured.table(makers[name], name, self.sources, caption)
        html = tables.numbers_table(self._rows(name), self._words(name), caption)
        return tables.scrolled(html)

    def explorer(self) -> Markdown:
        """Any closed question by any profile variable, as the reader chooses."""
        names = Names(self.sources, self.catalogue, self.texts)
        return _markdown(explorer(read_crosses(self.study.paths.results), names))

    def quotes(self) -> Markdown:
        """Comments that were chosen for publication, each as it was edited."""
        texts = read_quotes(self.study.paths.results)["text"]
        lines = ["<br>".join(map(escape, text.splitlines())) for text in texts]
        quoted = "".join(f"<li><blockquote><p>{line}</p></blockquote></li>" for line in lines)
        return _markdown(block.raw(f'<ul class="quotes">{quoted}</ul>') if quoted else "")

    def open_answers(self) -> Markdown:
        """Open answers that were chosen for publication, by how many gave each."""
        rows = read_open_answers(self.study.paths.results)
        if rows.empty:
            return _markdown("")
        caption = self.labels.term("figure", "open_answers")
        other = self.labels.term("figure", "open_other")
        body = [[row.answer or other, self.formats.number(row.count)] for row in records(rows)]
        head = [self.labels.term("columns", name) for name in ("label", "count")]
        sections = [self.labels.variable(name) for name in rows["question"]]
        html = tables.table_html(head, body, caption, [1], sections=sections)
        return _numbered("open-answers", tables.scrolled(html), caption)

    def cards(self, names: Sequence[str]) -> Markdown:
        """The strip of key figures: number, what it is, its base and interval."""
        cells = [self._card(name) for name in names if self._card_rows(name) is not None]
        if not cells:
            return _markdown("")
        return _markdown(block.raw(f'<div class="cards">{"".join(cells)}</div>') + "\n")

    # Numbers

    # `cell` and `where` are those of `one`: variable, category, then population, by, by_category
    # and base_kind, in this order or by name.

    def share(self, *cell: str, **where: str) -> str:
        """A share as text: 80 %."""
        row = self.one(*cell, **where)
        return number(self.formats.percent(row.share), row.ref)

    def count(self, *cell: str, **where: str) -> str:
        """A count as text: 4 198."""
        row = self.one(*cell, **where)
        return number(self.formats.number(row.count), row.ref)

    def interval(self, *cell: str, **where: str) -> str:
        """An interval as text: 75 % à 85 %."""
        row = self.one(*cell, **where)
        return number(self.formats.interval(row.share_low, row.share_high), row.ref)

    def mean(
        self, variable: str, category: str = "mean", population: str | None = None,
        decimals: int = 1,
    ) -> str:  # fmt: skip
        """A mean as text: 8,4. The results hold a total and its base, or a score."""
        row = self.one(variable, category, population)
        value = row.count / row.base_n if row.method == "mean" else row.share
        return number(self.formats.number(value, decimals), row.ref)

    def base(
        self,
        variable: str,
        population: str | None = None,
        by: str | None = None,
        by_category: str | None = None,
        base_kind: str | None = None,
    ) -> str:
        """The base of a table as text: 243."""
        rows = self._table(variable, population, by, base_kind)
        if by_category is not None:
            rows = rows[rows["by_category"] == by_category]
        sizes = rows["base_n"].unique()
        if len(sizes) != 1:
            call = f"base({variable!r}, population={population!r}, by={by!r})"
            raise PageError(f"{call}: {len(sizes)} bases in the results, not one")
        return number(self.formats.number(float(sizes[0])), rows["ref"].iloc[0])

    def test(self, variable: str, by: str, name: str) -> str:
        """The p value of a test as text: p < 0,001. Under a survey design, of the same test's
        design-based form."""
        tests = self.sources.results.tests
        call = f"test({variable!r}, {by!r}, {name!r})"
        if tests.empty:
            raise PageError(f"{call}: the results hold no test")
        names = self.sources.variable(variable), self.sources.variable(by)
        found = find_test(tests, *names, name, self.sources.population(variable))
        if len(found) != 1:
            raise PageError(f"{call}: {len(found)} tests in the results, not one")
        p = self.formats.p_value(float(found["p_value"].iloc[0]))
        if found["n"].isna().all():  # no test that could not be computed: one that is not released
            p = self.formats.withheld
        return number(p, together(lines("t", found.index)))

    def one(
        self,
        variable: str,
        category: str,
        population: str | None = None,
        by: str | None = None,
        by_category: str | None = None,
        base_kind: str | None = None,
    ) -> Any:
        """The one estimate asked for, as a named tuple. Raises PageError where it is not one."""
        rows = self._table(variable, population, by, base_kind)
        rows = rows[rows["category"] == self.sources.category(category)]
        if by_category is not None:
            rows = rows[rows["by_category"] == by_category]
        if len(rows) != 1:
            call = (
                f"{variable!r}, {category!r}, population={population!r}, by={by!r}, "
                f"by_category={by_category!r}, base_kind={base_kind!r}"
            )
            raise PageError(f"estimate({call}): {len(rows)} in the results, not one")
        return next(rows.itertuples(index=False))

    def fact(self, variable: str, category: str) -> str:
        """A fact that is no estimate, as text: a number as the language writes it, anything else
        as released, "" where there is none."""
        facts = self.sources.results.facts
        found = facts[(facts["variable"] == variable) & (facts["category"] == category)]
        if found.empty:
            return ""
        text = self._number_or_text(found["value"].iloc[0])
        return number(text, together(lines("f", found.index[:1]))) if text else ""

    def has_fact(self, variable: str, category: str) -> bool:
        """Whether the results hold a fact."""
        return bool(self.fact(variable, category))

    def _number_or_text(self, text: str) -> str:
        try:
            value = float(text)
        except ValueError:
            return text
        if not math.isfinite(value):
            return ""
        if value and abs(value) < LEAST:
            return f"<\u00a0{self.formats.number(LEAST, 3)}"
        whole = value == round(value) or abs(value) >= 100
        return self.formats.number(value, 0 if whole else 2 if abs(value) >= 0.01 else 3)

    def linked(self, text: str) -> str:
        """A text as Markdown, each number linked to its row, which the table `cited` then holds."""
        pieces = text.pieces() if isinstance(text, Traced) else [(text, "")]
        return "".join(
            f'[{markdown(piece)}](#{self._cite(piece, rows)}){{.row role="doc-noteref"}}'
            if rows else markdown(piece)
            for piece, rows in pieces
        )  # fmt: skip

    def _linked_html(self, text: Traced) -> str:
        return "".join(
            f'<a class="row" role="doc-noteref" href="#{self._cite(piece, rows)}">'
            f"{escape(piece)}</a>"
            if rows else escape(piece)
            for piece, rows in text.pieces()
        )  # fmt: skip

    def _cite(self, text: str, rows: str) -> str:
        """Note that the page prints a number of these rows; gives the anchor of their row."""
        self._cited.setdefault(rows, []).append(text)
        return cited.anchor(rows)

    @cached_property
    def _cited(self) -> dict[str, list[str]]:
        return {}

    # Words

    def label(self, variable: str, category: str | None = None) -> str:
        """The wording of a question, or of one of its answers."""
        name, population = self.sources.variable(variable), self.sources.population(variable)
        if category is None:
            return self.labels.variable(name, population)
        return self.labels.answer(name, self.sources.category(category), population)

    def population(self, name: str) -> str:
        """Who is counted under a name."""
        return self.labels.population(self.sources.population("", name))

    def number(self, value: float, decimals: int = 0) -> str:
        """A number as the language writes it."""
        return self.formats.number(value, decimals)

    def date(self, day: dt.date | str) -> str:
        """A day as the language writes it: 11 décembre 2025."""
        return self.formats.date(dt.date.fromisoformat(day) if isinstance(day, str) else day)

    def period(self) -> str:
        """First and last day of fieldwork."""
        period = self.study.definition.period
        return self.formats.period(period.start, period.end)

    def lower(self, text: str) -> str:
        """A label or a sentence without its first capital, for the middle of a sentence."""
        return text.change(lower_first) if isinstance(text, Traced) else lower_first(text)

    def owner(self, key: str) -> str:
        """What the owner of the study says of personal data under a key of `privacy`, or that
        nobody filled it in."""
        said = getattr(self.study.definition.privacy, key).get(self.labels.lang, "").strip()
        return said or self.labels.term("privacy", "unfilled", name=key)

    def unfilled(self) -> list[str]:
        """Names of what the owner of the study has not yet said of personal data."""
        privacy = self.study.definition.privacy
        return [
            self.labels.term("privacy", key)
            for key in type(privacy).model_fields
            if not getattr(privacy, key).get(self.labels.lang, "").strip()
        ]

    def has(self, role: str) -> bool:
        """Whether the study plays a role."""
        return self.sources.has(role)

    @property
    def study(self) -> Study:
        return self.sources.study

    @property
    def labels(self) -> Labels:
        return self.sources.labels

    @property
    def formats(self) -> Any:
        return self.labels.formats

    # How a figure is made

    @cached_property
    def _seen(self) -> dict[str, pd.DataFrame]:
        return {}

    def _table(
        self, variable: str, population: str | None, by: str | None, base_kind: str | None
    ) -> pd.DataFrame:
        rows = self.sources.results.estimates
        name = self.sources.variable(variable)
        rows = rows[
            (rows["variable"] == name)
            & (rows["population"] == self.sources.population(variable, population))
            & (rows["by"] == (self.sources.variable(by) if by else ""))
        ]
        kind = base_kind or (rows["base_kind"].iloc[0] if len(rows) else "")
        return rows[rows["base_kind"] == kind]

    def _rows(self, name: str) -> pd.DataFrame:
        if name not in self._seen:
            entry, group = self._entry(name)
            if entry.variable == "audit_status":
                self._seen[name] = _audit_rows(self.sources)
            else:
                self._seen[name] = rows_for(entry, self.sources, group)
        return self._seen[name]

    def _text(self, name: str) -> FigureText:
        if self._is_question(name):
            general = self.texts.questions[self._questions[name].words]
            return self.texts.figures.get(name, general)
        _, key, _ = entry_of(self.catalogue, name)
        if key not in self.texts.figures:
            where = f"report/{self.labels.lang}/texts.yml"
            problem = Problem(
                where, "each figure of the catalogue has its words", f"no {key!r}",
                f"figures.{key}", "write its topic, title and sentence",
            )  # fmt: skip
            raise InputError([problem])
        return self.texts.figures[key]

    def _words(self, name: str) -> Words:
        entry, _ = self._entry(name)
        words, text = Words(self.labels, entry), self._text(name)
        if entry.kind != "flow":
            return words
        facts = facts_of(self._rows(name), words, self.sources)
        extra = facts.values | self._study_values()
        where = f"report/{self.labels.lang}/texts.yml"
        there = set(self._rows(name)["key"])
        kept = [f"{cell.variable}-{cell.category}" in there for cell in entry.cells]
        steps, notes = (
            [fill(template, extra, where) for template in compress(part, kept)]
            for part in (text.steps, text.step_notes)
        )
        return Words(self.labels, entry, tuple(steps), tuple(notes))

    def _study_values(self) -> dict[str, Any]:
        """Numbers of the study's definition, and of the response flow, that any text may use."""
        flow = self.sources.results.estimates
        flow = flow[flow["variable"] == "response_flow"]
        counts: dict[str, Any] = {
            f"flow_{row.category}": number(self.formats.number(row.count), row.ref)
            for row in records(flow)
        }
        least = self.study.definition.retention.min_answered
        return counts | {"min_answered": self.formats.number(least), "period": self.period()}

    def _told(self, name: str) -> block.Block:
        """Title, sentence, question and note of a figure, all plain."""
        rows, words, text = self._rows(name), self._words(name), self._text(name)
        if rows.empty:
            raise PageError(f"title({name!r}): the results hold nothing for this figure")
        facts, where = self._facts(name)
        topic = fill(text.topic, facts.values, where)
        if HIDDEN in facts.conditions:
            title: str = topic
        elif block.illustrative(rows):
            title = self.labels.term("figure", "illustrative_title", topic=topic)
        else:
            title = self._tell(name, text.title, facts, where)
        hinted = "{asked} {hint}" if facts.values["hint"] else "{question}"
        question = fill(text.subtitle or hinted, facts.values, where)
        own = fill(text.note, facts.values, where) if text.note else ""
        last = self._entry(name)[0].last
        if last and last < rows["of"].iloc[0]:
            own = f"{own} {self.labels.term('figure', 'last', n=self.formats.number(last))}".strip()
        note = block.note(rows, words, self.sources, own)
        texts = (_capital(title), question, str(self._say(name)), note)
        return block.Block(name, *map(self.formats.typography, texts))

    def _say(self, name: str) -> Traced:
        """The sentence of a figure, its numbers traced to their rows."""
        facts, where = self._facts(name)
        if HIDDEN in facts.conditions:
            return Traced(self.labels.term("figure", "hidden_say"))
        say = self._tell(name, self._text(name).say, facts, where)
        if block.illustrative(self._rows(name)):
            say = say.change(self._as_illustration)
        return say.change(lambda marked: self.formats.typography(_capital(marked)))

    def _tell(self, name: str, text: Text, facts: Facts, where: str) -> Traced:
        """A title or a sentence; of a figure with too few lines for it, the general one."""
        if not few(text, facts):
            return tell(text, facts, where)
        row, own = self._rows(name).iloc[0], self._text(name)
        kind = kind_of(self.study, row["variable"], row["population"])
        general = self.texts.questions["several" if kind == "several" else "column"]
        return tell(general.title if text is own.title else general.say, facts, where)

    def _as_illustration(self, say: str) -> str:
        return self.labels.term("figure", "illustrative_say", say=lower_first(say))

    def _facts(self, name: str) -> tuple[Facts, str]:
        """What the sentences of a figure may name, and where they are written."""
        found = facts_of(self._rows(name), self._words(name), self.sources)
        own = self._question_values(name)
        values = found.values | self._study_values() | own
        conditions = {key for key in ("test_p", "satisfied_share") if own.get(key)}
        return Facts(
            values, found.conditions | conditions
        ), f"report/{self.labels.lang}/texts.yml, {name}"

    def _question_values(self, name: str) -> dict[str, str]:
        entry, group = self._entry(name)
        row = self._rows(name).iloc[0]
        variable, population = row["variable"], row["population"]
        question = self.labels.variable(variable, population)
        return {
            "question": question,
            # With a full stop where it ends without one, for a sentence to follow.
            "asked": question if question.endswith(ENDS) else f"{question}.",
            "hint": self.labels.hint(variable, population),
            "group": self.labels.group(group) if group else "",
            # Without the mark it ends with, for a colon to follow.
            "group_plain": self.labels.group(group).rstrip(" \u00a0\u202f?…:.") if group else "",
            "by": self.labels.variable(self.sources.variable(entry.by)) if entry.by else "",
            "limit_note": self._limit_note(variable),
            **self._mean_values(row),
            **self._test_value(entry, row),
            **self._satisfied_values(row),
            # A measure of a question as a whole has no answer.
            "categories": row["category"]
            and self.labels.answer(variable, row["category"], population),
        }

    def _limit_note(self, variable: str) -> str:
        """How many answers could be given at most, where the questionnaire says so."""
        form = self.study.questionnaire
        most = form[variable].most if form is not None and variable in form else None
        return self.labels.term("figure", "limit", n=self.formats.words(most)) if most else ""

    def _mean_values(self, row: Any) -> dict[str, str]:
        """Mean and median of a number with their intervals, as {mean}, {mean_interval}…"""
        measures = self.sources.results.measures
        found: dict[str, str] = {}
        for measure in records(measured_values(measures, row["variable"], row["population"])):
            low, value, high = map(self._answered, (measure.low, measure.value, measure.high))
            missing = self.formats.missing
            interval = self.labels.term("figure", "band", low=low or missing, high=high or missing)
            found[measure.measure] = number(value, measure.ref)
            found[f"{measure.measure}_interval"] = interval
        return found

    def _answered(self, value: float) -> str:
        text = self._number_or_text(str(value))
        return self.formats.answered(value) if abs(value) >= 1000 else text

    def _test_value(self, entry: Entry, row: Any) -> dict[str, str]:
        """The p value of the test that leads a table by group, as {test_p}; "" for none."""
        tests = self.sources.results.tests
        if not entry.by or tests.empty:
            return {"test_p": ""}
        same = tests[["variable", "population", "by"]] == row[["variable", "population", "by"]]
        found = tests[same.all(axis=1) & tests["p_value"].notna()]
        if found.empty:
            return {"test_p": ""}
        p = self.formats.p_value(float(found["p_value"].iloc[0]))
        return {"test_p": number(p, together(lines("t", found.index[:1])))}

    def _satisfied_values(self, row: Any) -> dict[str, str]:
        """The share satisfied in the table of a figure of satisfaction, as {satisfied_share}…"""
        role = self.study.roles.satisfied
        if role is None or row["variable"] != self.study.roles.satisfaction:
            return {}
        rows = self._table("satisfaction", row["population"], None, None)
        rows = rows[rows["category"] == role]
        if len(rows) != 1:
            return {}
        words = Words(self.labels, Entry(kind="bars"))
        label = self.labels.answer(row["variable"], role, row["population"])
        (told,) = records(rows.assign(label=label, series_label=""))
        return named("satisfied", told, words)

    def _block(self, name: str) -> str:
        return block.figure_block(self._rows(name), self._words(name), self._told(name))

    # Key figures

    def _card_rows(self, name: str) -> Any:
        card = self._card_of(name)
        rows = self._table(card.variable, card.population, None, None)
        rows = rows[rows["category"] == self.sources.category(card.category)]
        return _bare(rows) if len(rows) == 1 else None

    def _card_of(self, name: str) -> Card:
        if name not in self.catalogue.cards or name not in self.texts.cards:
            raise PageError(f"cards([{name!r}]): no such key figure in the catalogue and texts")
        return self.catalogue.cards[name]

    def _card(self, name: str) -> str:
        card, text, row = self._card_of(name), self.texts.cards[name], self._card_rows(name)
        words = Words(self.labels, Entry(kind="bars", value=card.value))
        counted = {"it_population": self.labels.population(row.population)}
        values = named("it", row, words) | self._study_values() | counted
        where = f"report/{self.labels.lang}/texts.yml, {name}"
        if card.value == "mean":
            shown = number(self.formats.number(row.count / row.base_n, 1), row.ref)
        else:
            shown = values[f"it_{card.value}"]
        base = fill(text.base, values, where) if text.base else self._card_base(card, values, row)
        marks = []
        if row.verdict != "ok":
            marks.append(" · " + self.labels.verdict(row.verdict, row.reason))
        if row.evidence == "illustrative":
            marks.append(" · " + self.labels.term("evidence", "illustrative"))
        base = base.change(lambda marked: marked + "".join(marks))
        return (
            f'<div class="card"><div class="num">{self._linked_html(shown)}</div>'
            f'<div class="what">{escape(fill(text.what, values, where))}</div>'
            f'<div class="base">{self._linked_html(base)}</div></div>'
        )

    def _card_base(self, card: Card, values: dict[str, Any], row: Any) -> Traced:
        if card.base == "interval" and row.share_low == row.share_low:
            n = self.labels.term("figure", "n", n=values["it_base"].marked)
            return Traced(f"{values['it_interval'].marked} · {n}")
        return Traced(values["it_fraction"].marked)


def _bare(rows: pd.DataFrame) -> Any:
    """The first estimate as a row of a figure, without labels."""
    return records(rows.assign(label="", series_label=""))[0]


def _audit_rows(sources: Sources) -> pd.DataFrame:
    """Counts of the figures of the audit by status, as rows that a chart draws."""
    audit = sources.results.audit
    if audit.empty:
        return pd.DataFrame(columns=["key"])
    order = sources.labels.answers("audit_status")
    counts = audit["status"].value_counts().reindex(order, fill_value=0)
    total = int(counts.sum())
    return pd.DataFrame(
        {
            "variable": "audit_status", "population": "published_figures", "category": order,
            "by": "", "by_category": "", "base_kind": "figures", "base_n": float(total),
            "count": counts.to_numpy(dtype=float), "share": counts.to_numpy() / total,
            "share_low": float("nan"), "share_high": float("nan"), "joint_low": float("nan"),
            "joint_high": float("nan"), "method": "count", "verdict": "ok", "reason": "",
            "evidence": "observed", "chapter": "audit", "table": "audit_status",
            "key": order, "label": [sources.labels.answer("audit_status", s) for s in order],
            "tag": "", "series": "", "series_label": "",
        }
    )  # fmt: skip


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _numbered(name: str, html: str, caption: str) -> Markdown:
    """A table as a block of its own, with a number and a caption."""
    return _markdown(
        f"\n::: {{#tbl-{name} .numbers}}\n{block.raw(html)}\n\n{markdown(caption)}\n:::\n"
    )


def _markdown(text: str) -> Markdown:
    # IPython is slow to import, and only pages need it.
    from IPython.display import Markdown  # noqa: PLC0415

    return Markdown(text)
