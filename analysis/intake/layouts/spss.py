"""SPSS .sav and .zsav: variable labels as headers, value labels as answers, sets of variables.

Read by pyreadstat; codes declared missing are missing. A multiple-response set of dichotomies is
boxes, one of categories is one cell of codes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from analysis.intake.layouts.layout import Export, Layout, Own, Readings
from analysis.intake.values import TEXT

ENDINGS = (".sav", ".zsav")
FORMS = ("{q}_{a}", "{q}/{a}", "{q}.{a}", "{q}${a}", "{q} - {a}", "{q}: {a}", "{q} : {a}")


def _metadata(path: Path) -> Any:
    # A compiled library that only these files need.
    import pyreadstat  # noqa: PLC0415

    return pyreadstat.read_sav(path, metadataonly=True)[1]


def readings(export: Export) -> Readings:
    """Names of variables, then their labels, then both with the label of their set."""
    meta = _metadata(export.path)
    found = {
        header: [header, meta.column_names_to_labels.get(header) or ""] for header in export.headers
    }
    for name, group in meta.mr_sets.items():
        titles = [group["label"], name.lstrip("$")]
        for variable in set(group["variable_list"]) & set(found):
            label = found[variable][1]
            found[variable] += [f"{title} - {label}" for title in titles if title and label]
        found.setdefault(name, [name.lstrip("$"), group["label"]])
    return found


def labels(path: Path) -> dict[str, dict[str, str]]:
    """Value labels by variable and by the text of the code, but of those in a set."""
    meta = _metadata(path)
    grouped = {variable for group in meta.mr_sets.values() for variable in group["variable_list"]}
    return {name: said for name, said in _labels(meta).items() if name not in grouped}


def _labels(meta: Any) -> dict[str, dict[str, str]]:
    return {
        variable: {_text(code): str(label).strip() for code, label in values.items()}
        for variable, values in meta.variable_value_labels.items()
    }


def _text(code: Any) -> str:
    whole = isinstance(code, float) and code.is_integer()
    return str(int(code) if whole else code).strip()


def reshape(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    meta = _metadata(path)
    return sets_as_columns(frame, meta.mr_sets, _labels(meta))


def sets_as_columns(
    frame: pd.DataFrame, sets: dict[str, Any], values: dict[str, dict[str, str]]
) -> pd.DataFrame:
    """Multiple-response sets (as pyreadstat describes them) as boxes or as one cell of answers.

    A dichotomy is ticked where it has the counted value. The variables of a set of categories
    become one column under the name of the set, their answers by value label, joined by ";".
    """
    made = frame.copy()
    for name, group in sets.items():
        members = [variable for variable in group["variable_list"] if variable in made]
        if not members:
            continue
        if group["is_dichotomy"]:
            counted = _text(_number(group["counted_value"]))
            for variable in members:
                ticked = (made[variable] == counted).map({True: "1", False: "0"})
                made[variable] = ticked.where(made[variable].notna()).astype(TEXT)
        else:
            said = [made[v].replace(values.get(v, {})) for v in members]
            cells = pd.concat(said, axis=1).apply(lambda row: ";".join(row.dropna()), axis=1)
            made = made.drop(columns=members)
            made[name] = cells.where(cells != "").astype(TEXT)
    return made


def _number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


LAYOUT = Layout(
    name="spss",
    tool="SPSS",
    expected=" / ".join(ENDINGS),
    signs=lambda export: [e for e in ENDINGS if export.path.suffix.lower() == e],
    forms=FORMS,
    own=Own(),
    readings=readings,
    labels=labels,
    reshape=reshape,
)
