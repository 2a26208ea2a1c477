"""What is said of compared questions: findings, bases and methods, what changed, what differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from analysis.comparison.asked import plain
from analysis.comparison.table import NO, YES
from analysis.display.charts import Words, records
from analysis.display.compared_names import Called
from analysis.display.compared_rows import changed, widest
from analysis.display.figure import evidence_note, illustrative
from analysis.display.formats import lower_first


@dataclass(frozen=True)
class Told:
    """Texts on compared cells. questions: the table of questions; total: how many cells are
    compared in all, and so corrected for."""

    called: Called
    questions: pd.DataFrame
    total: int

    # The finding

    def title(self, rows: pd.DataFrame, cells: pd.DataFrame, topic: str) -> str:
        """The widest significant difference; that there is none; or only what the figure is of."""
        term = self.called.term
        if illustrative(rows):
            return self.called.labels.term("figure", "illustrative_title", topic=topic)
        if cells["difference"].isna().all():
            return term("title_hidden", topic=topic)
        if not cells["significant"].any():
            again = cells["warning"].map(changed).any()
            return term("title_changed" if again else "title_none", topic=topic)
        cell = widest(cells)
        key = "title_apart"
        if cells["other"].nunique() == 1 and self.waves(cell.other):
            key = "title_rise" if cell.difference > 0 else "title_fall"
        return term(key, **self._values(rows, cell))

    def say(
        self, rows: pd.DataFrame, cells: pd.DataFrame, counted: pd.DataFrame | None = None
    ) -> str:
        """The widest difference, and how many are significant: of these cells, or of others."""
        known = cells[cells["difference"].notna()]
        if known.empty:
            return self.called.labels.term("figure", "hidden_say")
        said = self.called.term("say_widest", **self._values(rows, widest(known)))
        if illustrative(rows):
            said = lower_first(said)
            return self.called.labels.term("figure", "illustrative_say", say=said)
        if known["warning"].map(changed).all():
            return f"{said} {self.called.term('say_changed')}"
        return f"{said} {self._counted(known if counted is None else counted)}"

    def _values(self, rows: pd.DataFrame, cell: Any) -> dict[str, str]:
        """A cell in words; its label is that of its line."""
        formats, study = self.called.formats, self.called.study
        key = f"{cell.source}-{cell.question}-{cell.category}"
        label = rows.loc[rows["key"] == key, "label"].iloc[0]
        ends = (formats.signed(100 * end) for end in (cell.difference_low, cell.difference_high))
        low, high = ends
        return {
            "answer": formats.quote(label),
            "first": study(cell.reference), "second": study(cell.other),
            "first_share": formats.percent(cell.share_reference),
            "second_share": formats.percent(cell.share_other),
            "points": formats.signed(100 * cell.difference),
            "ends": formats.facts["interval"].format(low=low, high=high),
        }  # fmt: skip

    def _counted(self, known: pd.DataFrame) -> str:
        n, number = int(known["significant"].sum()), self.called.formats.number
        if len(known) == 1:
            return self.called.term("only_cell_one" if n else "only_cell_none")
        return self.called.term(_plural("say", n), n=number(n), cells=number(len(known)))

    def overview(self, cells: pd.DataFrame, other: str) -> str:
        """How many differences of a study from the reference are significant."""
        n, number = int(cells["significant"].sum()), self.called.formats.number
        return self.called.term(
            _plural("overview", n), n=number(n), cells=number(len(cells)), **self.two(other)
        )

    def two(self, other: str) -> dict[str, str]:
        """The names of the reference and of another study."""
        called = self.called
        return {"first": called.study(called.reference), "second": called.study(other)}

    def waves(self, other: str = "") -> bool:
        """Whether a study, or every one, is a wave of the reference."""
        rows = self.questions
        rows = rows[rows["other"] == other] if other else rows
        return bool(len(rows)) and bool((rows["waves"] == YES).all())

    # Base, method, marks

    def note(self, rows: pd.DataFrame, words: Words, cells: pd.DataFrame) -> str:
        """Base of each study, methods, marks, and what changed or is not compared."""
        labels = self.called.labels
        sizes = [
            self.called.term("size", n=self._size(some, words), study=self.called.study(str(study)))
            for study, some in rows.groupby("study", sort=False)
        ]
        people = labels.population(rows["population"].iloc[0])
        base = labels.term("figure", "base", population=people, n=labels.formats.listed(sizes))
        methods = rows.loc[rows["share_low"].notna(), "method"].drop_duplicates()
        drawn = [
            labels.term("figure", "interval", method=labels.term("methods", method))
            for method in methods
        ]
        parts = [base, *drawn, *self.method(), *self._marks(rows), *self._cautions(cells)]
        return _sentences([*parts, evidence_note(rows, words)])

    def overview_note(self, rows: pd.DataFrame, cells: pd.DataFrame) -> str:
        """How the chart of differences is read."""
        called, shown = self.called, rows["key"].nunique()
        some = shown < len(cells) and not cells["significant"].any()
        parts = [called.term("shown", n=called.formats.number(shown))] if some else []
        parts += [called.term("zero"), *self.method(), *self._marks(rows)]
        if "illustrative" in set(rows["evidence"]):
            parts.append(called.labels.term("figure", "illustrative"))
        return _sentences(parts)

    def method(self) -> list[str]:
        """What a difference is, and when it is called significant."""
        called = self.called
        return [
            called.term("difference", reference=called.study(called.reference)),
            called.term("holm", n=called.formats.number(self.total)),
        ]

    def _size(self, rows: pd.DataFrame, words: Words) -> str:
        low, high = rows["base_n"].min(), rows["base_n"].max()
        if pd.isna(low) or low == high:
            return words.base(high)
        number = self.called.formats.number
        return self.called.labels.term("figure", "n_range", low=number(low), high=number(high))

    def _marks(self, rows: pd.DataFrame) -> list[str]:
        """What marks mean, with the reasons that occur, by the thresholds of each study."""
        found = []
        for verdict, key in (("fragile", "fragile_point"), ("suppressed", "hidden_point")):
            some = rows[rows["verdict"] == verdict]
            if some.empty:
                continue
            told = [
                reason
                for study, given in some.groupby("study", sort=False)["reason"]
                for reason in self.called.each[str(study)].reasons(given.drop_duplicates())
            ]
            why = self.called.formats.listed(list(dict.fromkeys(told)), "list_or")
            why = f" ({why})" if why else ""
            found.append(self.called.labels.term("figure", key, why=why))
        return found

    # What changed, and with which studies there is no comparison

    def _cautions(self, cells: pd.DataFrame) -> list[str]:
        called, names = self.called, list(cells["question"].unique())
        rows = self.questions[
            self.questions["question"].isin(names) & (self.questions["reason"] != "not_asked")
            & (self.questions["source"] == cells["source"].iloc[0])
        ]  # fmt: skip
        told = [
            text if len(names) == 1 else
            called.term("both", study=called.question(row, quoted=True), text=text)
            for row in records(rows[rows["other"].isin(cells["other"])])
            for text in [*self._warnings(row), *self._accepted(row)]
        ]  # fmt: skip
        apart = rows[rows["comparable"] == NO].drop_duplicates(["other", "reason"])
        return told + [
            called.term("apart_from", study=called.study(row.other), why=self.reasons(row.reason))
            for row in records(apart)
        ]

    def _warnings(self, row: Any) -> list[str]:
        values = {
            "wording": {
                "first": self._quoted(self.called.reference, row),
                "second": self._quoted(row.other, row),
            },
            "answers": {"what": self.called.formats.listed(self._changes(row))},
        }
        return [
            self.called.labels.term("changed", name, None, **values.get(name, {}))
            for name in row.warning.split(";")
            if name
        ]

    def _quoted(self, study: str, row: Any) -> str:
        lang = self._language_of_change(row)
        text = self.called.formats.quote(self._wording(study, row, lang))
        return text if lang == self.called.lang else f"{text} ({lang})"

    def _wording(self, study: str, row: Any, lang: str) -> str:
        own = row.variable_reference if study == self.called.reference else row.variable_other
        return self.called.wording(study, row.source, own, lang)

    def _language_of_change(self, row: Any) -> str:
        """The language of the page, unless two wordings differ only in another one."""
        spoken = [self.called.each[name].study.definition.languages for name in self._both(row)]
        shared = [lang for lang in spoken[0] if lang in spoken[1]]
        langs = [self.called.lang, *shared]
        return next((lang for lang in langs if len({plain(self._wording(name, row, lang))
                     for name in self._both(row)}) > 1), self.called.lang)  # fmt: skip

    def _changes(self, row: Any) -> list[str]:
        """Answers that a later wave dropped, added, or words otherwise."""
        reference, called = self.called.reference, self.called
        return [
            called.labels.term("changed", key, answers=called.answers(study, row, codes))
            for key, study, codes in (
                ("dropped", reference, row.only_reference), ("added", row.other, row.only_other),
                ("reworded", row.other, row.reworded))
            if codes
        ]  # fmt: skip

    def _accepted(self, row: Any) -> list[str]:
        if not row.accepted:
            return []
        why = self.called.declared.questions[row.question].why[self.called.lang]
        return [self.called.term("accepted", what=self.reasons(row.accepted), why=why)]

    # What is kept apart

    def reasons(self, reason: str) -> str:
        """Reasons in words, from their names joined by ";"."""
        return ", ".join(self.called.labels.term("apart", name) for name in reason.split(";"))

    def what_differs(self, row: Any) -> str:
        """The two wordings, the answers that one list lacks, the two bases, the two periods."""
        reasons, parts = set(row.reason.split(";")), []
        if "wording" in reasons:
            parts += [self._of(study, self._quoted(study, row)) for study in self._both(row)]
        if reasons & {"answers", "no_answer"}:
            parts += self._lists(row)
        if reasons & {"base", "routing"}:
            sides = (row.population_reference, row.population_other)
            parts += [
                self._of(study, self.called.each[study].population(people))
                for study, people in zip(self._both(row), sides, strict=True)
                if people
            ]
        if "period" in reasons:
            parts += [self._of(study, self.called.period(study)) for study in self._both(row)]
        return _capital(" · ".join(parts))

    def _both(self, row: Any) -> tuple[str, str]:
        return self.called.reference, str(row.other)

    def _of(self, study: str, text: str) -> str:
        return self.called.term("both", study=self.called.study(study), text=text)

    def _lists(self, row: Any) -> list[str]:
        called, term = self.called, self.called.labels.term
        sides = zip(self._both(row), (row.only_reference, row.only_other), strict=True)
        found = [
            term("changed", "only", study=called.study(study),
                 answers=called.answers(study, row, codes))
            for study, codes in sides
            if codes
        ]  # fmt: skip
        if row.reworded:
            answers = called.answers(row.other, row, row.reworded)
            found.append(term("changed", "otherwise", answers=answers))
        if row.common:
            answers = called.answers(called.reference, row, row.common)
            found.append(term("changed", "in_both", answers=answers))
        return found


def _plural(key: str, n: int) -> str:
    return f"{key}_none" if n == 0 else f"{key}_one" if n == 1 else f"{key}_some"


def _sentences(parts: list[str]) -> str:
    return " ".join(part for part in parts if part)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
