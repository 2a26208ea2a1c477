"""The rows a figure shows: estimates chosen and ordered, with their labels.

A frame of rows has the columns of the results beside these: `key`, `label` and `tag` of the line,
`series` and `series_label` within the line. Charts, tables, downloads and sentences all read the
same rows, so that they cannot disagree.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from analysis.definition import Battery, Roles
from analysis.display.catalogue import Entry
from analysis.display.formats import lower_first
from analysis.display.labels import Labels
from analysis.display.results import Results, measured, select
from analysis.display.traced import lines, together
from analysis.errors import InputError, Problem
from analysis.study import Study

# Before the name of a variable that is no role.
LITERAL = "="
LAST = ("other", "none", "not_specified", "unspecified", "not_concerned")


@dataclass(frozen=True)
class Sources:
    """What display reads: a study's definition, its released results, its labels."""

    study: Study
    results: Results
    labels: Labels

    def variable(self, name: str) -> str:
        """The variable behind a role, or the name itself; after LITERAL no role is meant."""
        if name.startswith(LITERAL):
            return name.removeprefix(LITERAL)
        if name == "motivation" and self.study.roles.motivation:
            return self.study.roles.motivation.variable
        role = getattr(self.study.roles, name, None) if name in Roles.model_fields else None
        return self.study.variable_of(role) if isinstance(role, str) else name

    def literal(self, variable: str) -> str:
        """A variable as `variable` gives it back, though a role that others play is called so."""
        return variable if self.variable(variable) == variable else LITERAL + variable

    def category(self, name: str) -> str:
        """A set of answers that a role names, or the answer itself."""
        role = getattr(self.study.roles, name, None) if name in Roles.model_fields else None
        return role if isinstance(role, str) else name

    def has(self, role: str) -> bool:
        """Whether the study plays a role."""
        return bool(getattr(self.study.roles, role, None))

    def population(self, name: str, asked: str | None = None) -> str:
        """The population of a role's or a variable's results: the one asked for, else its own.

        `consumption` asks for the actions of the training-consumption extract, `consumption:all`
        and `consumption:part` for the first and the second population that it counts.
        """
        extract = self.study.roles.consumption
        if extract is not None and asked in ("consumption", "consumption:all", "consumption:part"):
            extracted = {"consumption": extract.actions, "consumption:all": extract.counts[0]}
            return extracted.get(asked) or "".join(extract.counts[1:2])
        if asked:
            return asked
        role = self.study.roles.motivation
        if name == "motivation" and role is not None:
            return next(iter(role.questions))
        played = getattr(self.study.roles, name, None) if name in Roles.model_fields else None
        question = played if isinstance(played, str) else name.removeprefix(LITERAL)
        form = self.study.questionnaire
        if form is not None and question in form:
            return self.study.population_of(question)
        found = self.results.estimates
        known = found.loc[found["variable"] == question, "population"].unique()
        return str(known[0]) if len(known) else "all"


def rows_for(entry: Entry, sources: Sources, group: str = "") -> pd.DataFrame:
    """Rows of a figure. Empty where the study has nothing of the kind."""
    return with_differences(_rows(entry, sources, group), sources)


def _rows(entry: Entry, sources: Sources, group: str) -> pd.DataFrame:
    makers = {
        "bars": _bars,
        "bands": _bands,
        "stacked": _stacked,
        "flow": _cells,
        "dots": _dots,
        "columns": _bars,
        "ranks": _ranks,
    }
    if entry.kind == "diverging":
        return _battery(entry, sources, group)
    if entry.battery:
        return _overview(sources, entry)
    if entry.cells and entry.kind == "bars":
        return _cells(entry, sources)
    return makers[entry.kind](entry, sources)


def table_of(
    sources: Sources,
    name: str,
    population: str | None = None,
    by: str | None = None,
    base_kind: str | None = None,
) -> pd.DataFrame:
    """One table of the results with its labels."""
    population = sources.population(name, population)
    variable = sources.variable(name)
    by = sources.variable(by) if by else ""
    found = select(sources.results.estimates, variable, population, by, base_kind)
    labels = [sources.labels.answer(variable, c, population) for c in found["category"]]
    return found.assign(key=found["category"], label=labels, tag="", series="", series_label="")


def with_other_base(rows: pd.DataFrame, sources: Sources, kind: str) -> pd.DataFrame:
    """Rows with the share that the same answers have on another base, for their table.

    Adds `other_share`, where the results hold that base for one table, and `other_kind`.
    """
    first = rows.iloc[0]
    if first["by"] or first["base_kind"] == kind or rows["population"].nunique() > 1:
        return rows
    other = select(sources.results.estimates, first["variable"], first["population"], "", kind)
    if other.empty:
        return rows
    shares = other.set_index("category")["share"]
    return rows.assign(other_share=rows["category"].map(shares), other_kind=kind)


def with_differences(rows: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """Rows by group with how far each share lies from that of all other people.

    Adds `difference`, its interval and its evidence, where the results hold one for any row.
    """
    known = measured(sources.results.measures, "difference")
    if rows.empty or known.empty or not (rows["by"] != "").any():
        return rows
    names = ["population", "variable", "category", "by", "by_category", "base_kind"]
    found = known.drop_duplicates(names).set_index(names)
    found = found.reindex(pd.MultiIndex.from_frame(rows[names]))
    if found["value"].isna().all():
        return rows
    columns = {"value": "difference", "low": "difference_low", "high": "difference_high",
               "evidence": "difference_evidence"}  # fmt: skip
    return rows.assign(**{new: found[old].to_numpy() for old, new in columns.items()})


def only_answers(rows: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """Rows of answers, without the sets that read several of them together."""
    if rows.empty:
        return rows
    known = sources.labels.answers(rows["variable"].iloc[0], rows["population"].iloc[0])
    kept = rows[rows["category"].isin(known)] if known else rows
    # Among those trained, "no training" is not an answer that was given zero times.
    closed = (kept["category"] == (sources.study.roles.no_training or "")) & (kept["count"] == 0)
    return kept[~(closed | _outside(kept, sources))]


def _outside(rows: pd.DataFrame, sources: Sources) -> pd.Series:
    """Answers that nobody can have given, because the answer says who is in the population."""
    first = rows.iloc[:1]
    known = sources.study.definition.populations.get("".join(first["population"]))
    chosen = known is not None and f"${{{''.join(first['variable'])}}}" in known.where
    return chosen & (rows["count"] == 0)


def _bars(entry: Entry, sources: Sources) -> pd.DataFrame:
    name = entry.variable or ""
    if entry.populations:
        return _by_population(entry, sources)
    rows = table_of(sources, name, entry.population, entry.by, entry.base_kind)
    if entry.category:
        rows = rows[rows["category"] == sources.category(entry.category)]
        rows = _named_by_group(rows, sources, entry)
    else:
        rows = only_answers(rows, sources)
    if rows.empty:
        return rows
    if rows["variable"].iloc[0] == "question_base":
        rows = _question_lines(rows, sources)
    if rows["variable"].iloc[0] == "left_before":
        rows = _leaving_lines(rows, sources)
    if entry.tag == "family":
        rows = rows.assign(
            tag=[
                lower_first(sources.labels.family(v, c))
                for v, c in zip(rows["variable"], rows["category"], strict=True)
            ]
        )
    if rows.empty:
        return rows
    rows = with_other_base(rows, sources, "mentions")
    # The base of what is not released is not known, and its line is hatched.
    rows = rows[~(rows["base_n"] < entry.minimum_base) & (rows["method"] != "mean")]
    rows = rows.assign(of=len(rows)) if entry.last else rows
    return ordered(rows, entry.order).head(entry.top or len(rows)).tail(entry.last or len(rows))


def _by_population(entry: Entry, sources: Sources) -> pd.DataFrame:
    """One answer in several populations, a line each."""
    known = [p for p in entry.populations if p in sources.study.definition.populations]
    tables = [table_of(sources, entry.variable or "", population) for population in known]
    rows = pd.concat(tables) if tables else table_of(sources, entry.variable or "").head(0)
    rows = rows[rows["category"] == sources.category(entry.category or "")]
    names = [_capital(sources.labels.population(p)) for p in rows["population"]]
    rows = rows.assign(key=rows["population"], series_label=rows["label"], label=names)
    return ordered(rows, entry.order)


def ordered(rows: pd.DataFrame, order: str) -> pd.DataFrame:
    """By value, largest first, answers such as "other" and "none" last; or as given."""
    if order == "given":
        return rows
    last = rows["category"].isin(LAST) & (rows["key"] == rows["category"])
    value = rows["share"].fillna(rows["count"])
    return (
        rows.assign(_last=last, _value=value)
        .sort_values(["_last", "_value"], ascending=[True, False], kind="stable")
        .drop(columns=["_last", "_value"])
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _named_by_group(rows: pd.DataFrame, sources: Sources, entry: Entry) -> pd.DataFrame:
    by = sources.variable(entry.by or "")
    labels = [sources.labels.answer(by, group) for group in rows["by_category"]]
    return rows.assign(
        key=rows["by_category"], series=rows["category"], series_label=rows["label"], label=labels
    )


def _question_lines(rows: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """One line a question; a battery stands in one line, that of its smallest base."""
    for battery in sources.study.batteries:
        inside = _items_among(rows, sources, battery)
        if not inside.any():
            continue
        # One that is withheld is not known to be small.
        counts = rows.loc[inside, "count"].fillna(math.inf)
        keep, group = counts.idxmin(), sources.labels.group(battery.group)
        label = sources.labels.term("figure", "overlap_items", group=group, n=int(inside.sum()))
        rows = rows[~inside | (rows.index == keep)].copy()
        rows.loc[keep, ["key", "label"]] = [battery.group, label]
    return told_apart(rows, sources)


def _leaving_lines(rows: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """One line a question that people left before; a battery stands in one line, with all who
    left before any of its items."""
    for battery in sources.study.batteries:
        inside = _items_among(rows, sources, battery)
        if not inside.any():
            continue
        first = rows.index[inside][0]
        # Of what is withheld in part, the sum is not known either.
        whole = rows[inside][["count", "share"]].sum(skipna=False)
        every = together(rows[inside]["ref"])
        rows = rows[~inside | (rows.index == first)].copy()
        label = sources.labels.term(
            "figure", "items", group=sources.labels.group(battery.group), n=int(inside.sum())
        )
        rows.loc[first, ["key", "label"]] = [battery.group, label]
        rows.loc[first, ["count", "share"]] = whole
        rows.loc[first, "ref"] = every
    return told_apart(rows[rows["count"] != 0], sources)


def _items_among(rows: pd.DataFrame, sources: Sources, battery: Battery) -> pd.Series:
    """Which lines of questions are items of a battery."""
    return rows["category"].map(sources.study.battery_of) == battery


def told_apart(rows: pd.DataFrame, sources: Sources) -> pd.DataFrame:
    """Questions of one wording are told apart by whom they are asked of."""
    twice = rows["label"].duplicated(keep=False)
    tags = [
        sources.labels.population(sources.study.population_of(question)) if again else ""
        for question, again in zip(rows["category"], twice, strict=True)
    ]
    return rows.assign(tag=tags)


def _bands(entry: Entry, sources: Sources) -> pd.DataFrame:
    rows = table_of(sources, entry.variable or "", entry.population, entry.by)
    rows = rows[rows["category"] == sources.category(entry.category or "")]
    return _named_by_group(rows, sources, entry)


def _stacked(entry: Entry, sources: Sources) -> pd.DataFrame:
    """Lines are groups (or populations), series are the answers of a scale."""
    name = entry.variable or ""
    if entry.populations:
        tables = [
            only_answers(table_of(sources, name, population), sources).assign(
                series=lambda t: t["category"],
                series_label=lambda t: t["label"],
                key=population,
                label=_capital(sources.labels.population(population)),
            )
            for population in entry.populations
            if population in sources.study.definition.populations
        ]
        return pd.concat(tables) if tables else table_of(sources, name).head(0)
    rows = only_answers(table_of(sources, name, entry.population, entry.by), sources)
    if not entry.by:
        return rows.assign(key="", label="", series=rows["category"], series_label=rows["label"])
    rows = rows[rows["base_n"] != 0]
    named = _named_by_group(rows, sources, entry)
    return named.assign(series=rows["category"], series_label=rows["label"])


def _dots(entry: Entry, sources: Sources) -> pd.DataFrame:
    """Lines are answers and series populations, or lines are groups and series answers."""
    name = entry.variable or ""
    if entry.by:
        return _answers_by_group(entry, sources)
    known = [p for p in entry.populations if p in sources.study.definition.populations]
    tables = []
    for population in known:
        rows = only_answers(table_of(sources, name, population), sources)
        tables.append(
            rows.assign(series=population, series_label=sources.labels.population(population))
        )
    if len([t for t in tables if not t.empty]) < 2:
        return table_of(sources, name).head(0)
    first = ordered(tables[0], entry.order)
    place = {key: n for n, key in enumerate(first["key"])}
    joined = pd.concat(tables)
    return (
        joined.assign(_at=joined["key"].map(place))
        .sort_values("_at", kind="stable")
        .drop(columns="_at")
    )


def _answers_by_group(entry: Entry, sources: Sources) -> pd.DataFrame:
    """The most frequent answers overall, in each group of at least the base asked for."""
    name = entry.variable or ""
    overall = ordered(only_answers(table_of(sources, name, entry.population), sources), "value")
    chosen = list(overall["category"].head(entry.series or 2))
    rows = table_of(sources, name, entry.population, entry.by)
    rows = rows[rows["category"].isin(chosen) & (rows["base_n"] >= max(entry.minimum_base, 1))]
    named = _named_by_group(rows, sources, entry)
    rank = named["series"].map({category: n for n, category in enumerate(chosen)})
    first = named[named["series"] == (chosen[0] if chosen else "")]
    lead = dict(zip(first["key"], first["share"], strict=True))
    other = named["key"].isin(LAST)
    return (
        named.assign(_rank=rank, _lead=named["key"].map(lead), _other=other)
        .sort_values(["_other", "_lead", "key", "_rank"], ascending=[True, False, True, True])
        .drop(columns=["_rank", "_lead", "_other"])
    )


def _cells(entry: Entry, sources: Sources) -> pd.DataFrame:
    """One line a cell named in the catalogue: steps of a flow, or answers of several questions."""
    tables = []
    for cell in entry.cells:
        rows = table_of(sources, cell.variable, cell.population)
        rows = rows[rows["category"] == sources.category(cell.category)]
        tables.append(rows.assign(key=f"{cell.variable}-{cell.category}"))
    found = [table for table in tables if not table.empty]
    # A step that a study does not have is left out of a flow; a list of cells is whole, or not.
    enough = len(found) > 1 if entry.kind == "flow" else len(found) == len(tables)
    return pd.concat(found) if enough else tables[0].head(0)


def items_of(sources: Sources, group: str = "") -> dict[str, list[str]]:
    """Items of the battery by group, in the order of the questionnaire."""
    form = sources.study.questionnaire
    if form is None:
        return {}
    return {
        name: [question.name for question in questions]
        for battery in sources.study.batteries
        for name, questions in form.battery(battery.group).items()
        if group in ("", name)
    }


def _battery(entry: Entry, sources: Sources, group: str) -> pd.DataFrame:
    """Lines are items, series the answers of the scale, totals and those not concerned."""
    items = items_of(sources, group)
    if group and not items:
        raise InputError(
            [
                Problem(
                    "report/figures.yml", "a figure of the battery names one of its groups",
                    group, ", ".join(items_of(sources)), "correct the page",
                )
            ]
        )  # fmt: skip
    tables = [_item(sources, item) for members in items.values() for item in members]
    return pd.concat(tables) if tables else table_of(sources, "skills").head(0)


def _item(sources: Sources, item: str) -> pd.DataFrame:
    battery = sources.study.battery_of(item)
    kind = "concerned" if battery and battery.not_concerned else "respondents"
    rows = table_of(sources, item, base_kind=kind)
    if battery and battery.not_concerned and not rows.empty:
        rows = with_other_base(rows, sources, "respondents")
        outside = table_of(sources, item, base_kind="respondents")
        rows = pd.concat([rows, outside[outside["category"] == battery.not_concerned]])
    return rows.assign(
        key=item,
        series=rows["category"],
        series_label=rows["label"],
        label=sources.labels.variable(item),
        tag=sources.labels.item_group(item),
    )


def _overview(sources: Sources, entry: Entry) -> pd.DataFrame:
    """One line an item: the share who agree among those concerned."""
    rows = _battery(entry, sources, "")
    if rows.empty:
        return rows
    return ordered(rows[rows["category"] == sources.study.sides[1]], entry.order)


def _ranks(entry: Entry, sources: Sources) -> pd.DataFrame:
    """One line an item of the battery, by its rank among all of them."""
    found = measured(sources.results.measures, "rank")
    found = found[found["by"] == ""].sort_values("value", kind="stable")
    rows = found.rename(columns={"value": "share", "low": "share_low", "high": "share_high"})
    rows = rows.assign(ref=lines("m", rows.index))
    nothing = float("nan")
    return rows.assign(
        count=nothing, joint_low=nothing, joint_high=nothing, verdict="ok", reason="",
        key=rows["variable"], label=[sources.labels.variable(item) for item in rows["variable"]],
        tag=[sources.labels.item_group(item) for item in rows["variable"]],
        series="", series_label="",
    )  # fmt: skip


def labels_in_order(rows: pd.DataFrame) -> Sequence[str]:
    """Labels of the lines, each once, in the order shown."""
    return list(rows.drop_duplicates("key")["label"])
