"""What the rules of titles match, for people to judge them (see `titles`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import ibis
import pandas as pd
from ibis.expr import types as ir

from analysis.chapters.extract import Extract, fetched
from analysis.chapters.holders import LEVEL, WORD
from analysis.chapters.titles import TitleRule, hit, spaced

# Titles told with each rule, titles no rule matches, and those that examples are taken from.
EXAMPLES, UNMATCHED, TOLD = 3, 30, 2_000


@dataclass(frozen=True)
class Matches:
    """titles: each once, with its classes and its actions."""

    extract: Extract
    titles: ir.Table
    rules: Sequence[TitleRule]

    @cached_property
    def _marks(self) -> ir.Table:
        """Titles about AI with words (`word_N`) whose bits are the rules that match."""
        told = self.titles.filter(self.titles["ai"] == "ai")
        letters = self.extract.kept(told.mutate(letters=spaced(told["title"])))
        words: dict[str, ir.IntegerValue] = {}
        for at, rule in enumerate(self.rules):
            word, bit = divmod(at, WORD)
            given = ibis.ifelse(hit(rule, letters["letters"]), _number(1 << bit), _number(0))
            name = f"word_{word}"
            words[name] = words[name] + given if name in words else given
        return self.extract.kept(
            letters.select("title", "actions", LEVEL, **words), "rules of titles"
        )

    @cached_property
    def by_rule(self) -> pd.DataFrame:
        """What each rule matches, in their order (columns: rule, pattern, kind, classes, trainings,
        actions)."""
        marks = self._marks
        words = [name for name in marks.columns if name.startswith("word_")]
        # Few sets of rules match together: counting those is far cheaper than each rule.
        sets = marks.group_by(words).agg(trainings=marks.count(), actions=marks["actions"].sum())
        found = fetched(sets)
        rows = []
        for at, rule in enumerate(self.rules):
            held = found[_matched(found, at)]
            named = (rule.name, rule.pattern, rule.kind, " ".join(rule.classes))
            rows.append((*named, int(held["trainings"].sum()), int(held["actions"].sum())))
        columns = ["rule", "pattern", "kind", "classes", "trainings", "actions"]
        return pd.DataFrame(rows, columns=columns)

    @cached_property
    def patterns(self) -> pd.DataFrame:
        """Titles that each pattern of the class `ai` matches (columns: rule, trainings)."""
        telling = self.by_rule[[("ai" in names.split()) for names in self.by_rule["classes"]]]
        matched = telling.groupby("pattern", as_index=False)["trainings"].max()
        matched = matched[matched["trainings"] > 0].rename(columns={"pattern": "rule"})
        return matched.sort_values(["trainings", "rule"], ascending=[False, True])

    def examples(self, least: int) -> pd.DataFrame:
        """Rules with titles they match, those of most actions; then frequent titles that are not
        about AI by any rule (`rule` is empty). Nothing of fewer than `least` actions is told.

        Columns: those of `by_rule`, level, title.
        """
        order = [ibis.desc("actions"), "title"]
        marks, told = self._marks, self.titles
        frequent = fetched(marks.filter(marks["actions"] >= least).order_by(order).limit(TOLD))
        tables = []
        for at, (_, row) in enumerate(self.by_rule.iterrows()):
            if row["actions"] < least:
                continue
            shown = frequent[_matched(frequent, at)].head(EXAMPLES)[["title", LEVEL]]
            shown = shown if len(shown) else pd.DataFrame({"title": [""], LEVEL: [""]})
            tables.append(shown.assign(**row))
        others = told.filter((told["ai"] == "not_ai") & (told["actions"] >= least))
        none = fetched(others.order_by(order).limit(UNMATCHED))[["title", "actions"]]
        tables.append(
            none.assign(rule="", pattern="", kind="", classes="", trainings=1, **{LEVEL: ""})
        )
        found = pd.concat(tables, ignore_index=True).rename(columns={LEVEL: "level"})
        return found[[*self.by_rule.columns, "level", "title"]]


def _number(value: int) -> ir.IntegerScalar:
    return ibis.literal(value, "int64")


def _matched(frame: pd.DataFrame, at: int) -> pd.Series:
    """The rows whose words hold the bit of a rule."""
    word, bit = divmod(at, WORD)
    return frame[f"word_{word}"].astype("int64") & (1 << bit) != 0
