"""An extract from its files to one typed table in an engine, with all that was found on the way.

Files of text are read once and kept as typed Parquet while the engine runs; Parquet that is typed
already is left where it is. Rules are counted in the engine, and at most LISTED of the rows that
break one come back, with file and row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial, reduce
from itertools import product
from pathlib import Path
from time import monotonic
from typing import Any

import ibis
import pandas as pd
from ibis.expr import types as ir

from analysis.engine import Engine, told
from analysis.errors import InputError, Problem
from analysis.intake.extract import files
from analysis.intake.extract.columns import Mapped, aimless, mapped, unused
from analysis.intake.extract.files import SOURCE, delivered_files, kind, text_of
from analysis.intake.extract.rules import (
    BAD,
    BESIDE,
    FILE,
    FOUND,
    MARK,
    PADDED,
    ROW,
    WRONG,
    Rule,
    broken,
    direct,
    padded,
    read,
    tidy,
)
from analysis.intake.extract.rules import rules as rules_of
from analysis.intake.fields import Field, fields
from analysis.intake.schemas import Checked
from analysis.intake.texts import near, problem
from analysis.study import Recode, Study

# Rows that break a rule and are told one by one.
LISTED = 1_000
# How DuckDB's own reader of CSV is told types, and the two ways that most days are written.
READ_AS = {"number": "DOUBLE", "date": "DATE"}
DAYS = ("%Y-%m-%d", "%d/%m/%Y")
# First row below the header, as a spreadsheet shows it.
FIRST = 2


@dataclass(frozen=True)
class Found:
    """An extract as intake found it.

    table: its typed rows, those that break a rule left out; None where something must change.
    received, kept: rows; files: how many. aside: rows set aside by reason; listed: those of them
    that are told, as rows of `excluded` (source, row, id, reason). columns: of the headers.
    """

    table: ir.Table | None
    received: int
    kept: int
    files: int
    columns: int
    aside: dict[str, int]
    listed: pd.DataFrame
    checks: tuple[Checked, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class _Reading:
    """What reading an extract needs, and what its files turn out to be called."""

    study: Study
    engine: Engine
    known: dict[str, Field]
    recodes: tuple[Recode, ...]
    shown: dict[str, str]
    # Rows of recodes.csv whose value some file holds.
    served: set[int]

    @property
    def rules(self) -> list[Rule]:
        return rules_of(self.known)

    def name(self, path: str) -> str:
        return self.shown.get(path, Path(path).name)


def examine_extract(
    study: Study, engine: Engine, say: Callable[[str], None] = lambda _: None
) -> Found:
    """Read and check the extract of a study in an engine that runs.

    Raises InputError where a file or a server cannot be read at all.
    """
    recodes = tuple(item for item in study.recodes if item.source == SOURCE)
    reading = _Reading(study, engine, fields(study, SOURCE), recodes, {}, set())
    refused = _several(reading)
    if refused:
        return _stopped(refused, [])
    with told(study.definition.engine, study.name), _damage_told(reading):
        parts, mappings, headers = _parts(reading, say)
        problems = _header_problems(reading, mappings, headers)
        if problems or not parts:
            return _stopped(problems, mappings)
        return _checked(reading, parts, mappings, say)


def _of_a_file(error: Exception) -> bool:
    """Whether DuckDB says something that a file may be the cause of: what it lacks itself is no
    fault of a file."""
    made = type(error)
    return made.__module__.partition(".")[0] in ("duckdb", "_duckdb") and (
        made.__name__ not in ("OutOfMemoryException", "InterruptException")
    )


@contextmanager
def _damage_told(reading: _Reading) -> Iterator[None]:
    """Name the Parquet files that a query failed on: their pages are read when their rows are, and
    what DuckDB then says need not name one."""
    try:
        yield
    except Exception as error:
        source = reading.study.definition.sources.actions
        if not _of_a_file(error) or source is None or not source.path:
            raise
        found = [_damage(path, reading) for path in delivered_files(reading.study)
                 if kind(path) == "Parquet"]  # fmt: skip
        problems = [problem for problem in found if problem]
        if not problems:
            raise
        raise InputError(problems) from error


def _damage(path: Path, reading: _Reading) -> Problem | None:
    """What DuckDB says of a Parquet file once it reads all of it."""
    query = f"SELECT bit_xor(hash(t)) FROM read_parquet({_quoted(str(path))}) AS t"
    try:
        ibis.duckdb.connect().raw_sql(query).fetchall()
    except Exception as error:
        if not _of_a_file(error):
            raise
        value = str(error).splitlines()[0]
        shown = reading.study.paths.shown(path)
        return problem("file_damaged", shown, value=value, known="Parquet")
    return None


def _several(reading: _Reading) -> list[Problem]:
    """Columns of several answers, which an extract worked on in an engine cannot have."""
    shown = reading.engine.place
    several = [name for name, item in reading.known.items() if item.type == "several"]
    return [problem("several_at_scale", shown, None, name, value=name) for name in several]


def _look_for_recodes(reading: _Reading, named: ir.Table) -> None:
    """Note which values of recodes.csv the rows of some files hold."""
    wanted = {
        f"r{item.row}": (named[item.column].cast("string") == item.found).any()
        for item in reading.recodes
        if item.kind == "value" and item.column in named.columns
    }
    if wanted:
        (found,) = named.agg(**wanted).to_pyarrow().to_pylist()
        reading.served.update(int(name[1:]) for name, there in found.items() if there)


def _idle_recodes(reading: _Reading) -> list[Problem]:
    """Values that recodes.csv names and that no row holds."""
    paths, source = reading.study.paths, reading.study.definition.sources.actions
    assert source is not None
    file = paths.shown(paths.definition / "recodes.csv")
    place = source.table or paths.shown(paths.raw / source.path)
    return [
        problem("recode_unused", file, item.row, "found", value=item.found,
                place=f"{place}, {item.column}", near="")
        for item in reading.recodes
        if item.kind == "value" and item.row not in reading.served
    ]  # fmt: skip


# --- Files to rows

# Typed rows of some files; told whether they are to be read with care: what was read of them first
# has spaces around texts, or breaks rules whose rows and cells are to be told.
_Part = Callable[[bool], ir.Table]


def _parts(
    reading: _Reading, say: Callable[[str], None]
) -> tuple[list[_Part], list[Mapped], list[str]]:
    """Typed rows, the mapping of each header, and every header that was seen."""
    source = reading.study.definition.sources.actions
    assert source is not None
    if source.table:
        return _server_table(reading, source.table)
    paths = delivered_files(reading.study)
    mappings: list[Mapped] = []
    headers: list[str] = []
    parquet: dict[tuple, list[Path]] = {}
    texts: dict[tuple, list[files.Text]] = {}
    problems: list[Problem] = []
    for number, path in enumerate(paths, start=1):
        shown = reading.study.paths.shown(path)
        try:
            if kind(path) == "Parquet":
                parquet.setdefault(_signature(path, shown), []).append(path)
                continue
            say(f"reading {shown} (file {number:,} of {len(paths):,})")
            text = text_of(path, shown, reading.engine.folder / "text", reading.engine.embedded)
            headers += text.header
            mapping = mapped(text.header, reading.known, reading.recodes, shown)
            mappings.append(mapping)
            reading.shown[str(text.path)] = shown
            if not mapping.problems:
                texts.setdefault((text.delimiter, *text.header), []).append(text)
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    if texts:
        say(f"typing the rows of {sum(map(len, texts.values())):,} files of text")
    parts: list[_Part] = [
        partial(_text_rows, reading, group, number, cache(partial(_staged, reading, group, number)))
        for number, group in enumerate(texts.values())
    ]
    for signature, group in parquet.items():
        names = [name for name, _ in signature]
        headers += names
        shown = reading.study.paths.shown(group[0])
        folders = [name for name, type_ in signature if type_ == "folder"]
        mapping = mapped(names, reading.known, reading.recodes, shown, folders)
        mappings.append(mapping)
        if not mapping.problems:
            reading.shown.update({str(path): reading.study.paths.shown(path) for path in group})
            table = _read_parquet(reading, group, f"parquet_{len(parts)}")
            read_from = [names[at] for at in mapping.names.values()]
            bare = [name for name in read_from if table[name].type().is_binary()]
            if bare:
                raise InputError([problem("column_bytes", shown, None, name) for name in bare])
            parts.append(partial(_typed, reading, table, names, mapping))
    return parts, mappings, headers


def _server_table(reading: _Reading, name: str) -> tuple[list[_Part], list[Mapped], list[str]]:
    """Rows of a table that a server holds."""
    con = reading.engine.con
    known = con.list_tables()
    attached = reading.engine.embedded and "delivered" in con.list_catalogs()
    if attached:
        known = con.list_tables(database="delivered.main")
    if name not in known:
        place = f"{reading.engine.address}"
        raise InputError([problem("table_missing", place, value=name, near=near(name, known))])
    table = con.table(name, database="delivered.main") if attached else con.table(name)
    headers = list(table.columns)
    mapping = mapped(headers, reading.known, reading.recodes, name)
    if mapping.problems:
        return [], [mapping], headers
    table = table.mutate(**{FILE: ibis.literal(name), ROW: ibis.null("int64")})
    return [partial(_typed, reading, table, headers, mapping)], [mapping], headers


def _signature(path: Path, shown: str) -> tuple[tuple[str, str], ...]:
    """Columns of a Parquet file with their types, those of its folders included."""
    import pyarrow.parquet  # noqa: PLC0415

    files.check_opens(path, shown)
    try:
        schema = pyarrow.parquet.read_schema(path)
    except Exception as error:  # pyarrow's errors share no base with the others
        value = str(error).splitlines()[0]
        raise InputError(
            [problem("file_damaged", shown, value=value, known="Parquet")]
        ) from error  # fmt: skip
    folders = [part.partition("=")[0] for part in path.parts[:-1] if "=" in part]
    own = [(field.name, str(field.type)) for field in schema]
    return (*own, *((key, "folder") for key in folders if key not in schema.names))


def _text_rows(
    reading: _Reading,
    texts: Sequence[files.Text],
    number: int,
    staged: Callable[[], Path],
    with_care: bool,
) -> ir.Table:
    """Typed rows of text files with one header; DuckDB types them itself where it can, which takes
    half the time. staged: reads them with care, once."""
    if not with_care:
        typed = _as_duckdb_types(reading, texts, number)
        if typed is not None:
            return typed
    return _staged_rows(reading, staged())


def _staged(reading: _Reading, texts: Sequence[files.Text], number: int) -> Path:
    return _stage(reading, _looked_through(reading, texts), number)


def _looked_through(reading: _Reading, texts: Sequence[files.Text]) -> list[files.Text]:
    """Text files known to be UTF-8 to their end. Raises InputError with all that are not."""
    found, problems = [], []
    for text in texts:
        shown = reading.name(str(text.path))
        try:
            whole = text
            if not text.checked:
                whole = text_of(text.path, shown, reading.engine.folder / "text")
            found.append(whole)
            reading.shown[str(whole.path)] = shown
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(problems)
    return found


def _as_duckdb_types(
    reading: _Reading, texts: Sequence[files.Text], number: int
) -> ir.Table | None:
    """Rows as DuckDB's own reader types them; None where it cannot, or may not as we would."""
    engine, header = reading.engine, texts[0].header
    mapping = mapped(header, reading.known, reading.recodes, reading.name(str(texts[0].path)))
    types = {at: READ_AS.get(reading.known[name].type, "VARCHAR")
             for name, at in mapping.names.items()}  # fmt: skip
    plain = not any(item.kind == "value" for item in reading.recodes)
    if not engine.embedded or not plain or "boolean" in (f.type for f in reading.known.values()):
        return None
    columns = {f"c{at}": types.get(at, "VARCHAR") for at in range(len(header))}
    wanted = ", ".join(f"c{at}" for at in types)
    place = engine.folder / f"read-{number:05d}.parquet"
    for decimal, day in product(",." if texts[0].delimiter != "," else ".", DAYS):
        options = f"decimal_separator='{decimal}', dateformat='{day}'"
        try:
            # Where no row is told by its number, their order counts for nothing.
            engine.con.raw_sql("SET preserve_insertion_order = false")
            engine.con.raw_sql(
                f"COPY (SELECT {wanted} FROM {_read_csv(texts, columns)}, {options})) "
                f"TO {_quoted(str(place))} (FORMAT parquet)"
            )
        except Exception as error:
            if not _of_a_file(error):
                raise
            continue
        finally:
            engine.con.raw_sql("SET preserve_insertion_order = true")
        table = engine.con.read_parquet(str(place), table_name=place.stem).mutate(
            **{FILE: ibis.literal(str(texts[0].path)), ROW: ibis.null("int64")}
        )
        return _typed(reading, table, list(columns), mapping, False)
    return None


def _read_csv(texts: Sequence[files.Text], columns: Mapping[str, str]) -> str:
    """DuckDB's reader of some text files, its bracket left open for further options."""
    paths = ", ".join(_quoted(str(text.path)) for text in texts)
    return (
        f"read_csv([{paths}], delim={_quoted(texts[0].delimiter)}, header=true, "
        f"auto_detect=false, quote='\"', escape='\"', nullstr='', columns={dict(columns)}"
    )


def _stage(reading: _Reading, texts: Sequence[files.Text], number: int) -> Path:
    """Typed rows of text files with one header, as Parquet that lives as long as the engine."""
    engine, text = reading.engine, texts[0]
    names = [reading.name(str(text.path)) for text in texts]
    if not engine.embedded and not hasattr(engine.con, "read_parquet"):
        raise InputError([problem("engine_files", names[0], value=engine.address)])
    mapping = mapped(text.header, reading.known, reading.recodes, names[0])
    staged = engine.folder / f"rows-{number:05d}.parquet"
    con = engine.con if engine.embedded else ibis.duckdb.connect()
    view = f"delivered_{number}"
    columns = {f"c{at}": "VARCHAR" for at in range(len(text.header))}
    try:
        con.raw_sql(
            f"CREATE VIEW {view} AS SELECT * FROM {_read_csv(texts, columns)}, filename=true)"
        )
        table = con.table(view)
        named = table.select(
            **{name: _tidied(table[f"c{at}"]) for name, at in mapping.names.items()},
            **{FILE: table["filename"], ROW: ibis.null("int64"), PADDED: ibis.literal(False)},
        )
        _look_for_recodes(reading, named)
        rows = read(named, reading.known, reading.recodes, _views(con)).drop(ROW)
        con.to_parquet(rows, staged)
    except Exception as error:
        if not _of_a_file(error):
            raise
        raise InputError([_unreadable(str(error), reading)]) from error
    for one in texts:
        if one.path.is_relative_to(engine.folder):  # a copy of ours
            one.path.unlink()
    return staged


def _apart(reading: _Reading) -> Callable[[ir.Table], ir.Table]:
    return _views(reading.engine.con) if reading.engine.embedded else lambda table: table


def _tidied(text: ir.StringValue) -> ir.StringValue:
    return ibis.ifelse(padded(text), tidy(text), text)


def _views(con: Any) -> Callable[[ir.Table], ir.Table]:
    """Names a table in DuckDB, so that Ibis does not write its expressions out again in each of
    those that read it."""

    def named(table: ir.Table) -> ir.Table:
        return con.create_view(ibis.util.gen_name("stage"), table)

    return named


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _unreadable(said: str, reading: _Reading) -> Problem:
    """What DuckDB says of a text file, as a problem of that file."""
    named = re.search(r"^\s*file = (.+)$", said, re.MULTILINE)
    shown = reading.name(named[1].strip()) if named else "CSV"
    line = re.search(r"Line: (\d+)", said)
    row = int(line[1]) if line else None
    cells = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
    if cells and int(cells[2]) > int(cells[1]):
        return problem("file_cells", shown, row, value=cells[2], known=cells[1])
    if cells:
        return problem("file_short", shown, row, value=cells[2], known=cells[1])
    if "quote" in said:
        return problem("file_quotes", shown, row, value="unclosed quote")
    value = (said.strip().splitlines() or ["?"])[0]
    return problem("file_damaged", shown, row, value=value, known="CSV")


def _staged_rows(reading: _Reading, staged: Path) -> ir.Table:
    """Rows of text files, numbered one after the other (see `_firsts`)."""
    con = reading.engine.con
    if reading.engine.embedded:
        table = con.read_parquet(str(staged), table_name=staged.stem, file_row_number=True)
        row = table["file_row_number"]
    else:
        table, row = con.read_parquet(str(staged)), ibis.null("int64")
    return _whole_numbers(table.mutate(**{ROW: row})).select(*reading.known, *BESIDE)


def _union(tables: Sequence[ir.Table]) -> ir.Table:
    return ibis.union(*tables) if len(tables) > 1 else tables[0]


def _firsts(rows: ir.Table) -> dict[str, int]:
    """The number of the first row of each file: those of text are numbered on from file to file."""
    found = rows.group_by(FILE).agg(first=rows[ROW].min()).to_pyarrow().to_pylist()
    return {line[FILE]: int(line["first"]) for line in found if line["first"] is not None}


def _read_parquet(reading: _Reading, paths: Sequence[Path], name: str) -> ir.Table:
    """A table of Parquet files with FILE, and ROW as a spreadsheet would number it."""
    con = reading.engine.con
    if reading.engine.embedded:
        table = con.read_parquet(
            [str(path) for path in paths], table_name=name, filename=True, file_row_number=True,
            hive_partitioning=True, hive_types_autocast=False,
        )  # fmt: skip
        return table.mutate(**{FILE: table["filename"], ROW: table["file_row_number"]})
    # Other engines name no file and number no row.
    table = _union([con.read_parquet(str(path)) for path in paths])
    nowhere = ibis.null("int64")
    return table.mutate(**{FILE: ibis.literal(str(paths[0])), ROW: nowhere})


def _typed(
    reading: _Reading, table: ir.Table, names: Sequence[str], mapping: Mapped, strip: bool
) -> ir.Table:
    """Typed rows of a table whose columns may have their types already.

    Text that needs no stripping is read as it stands, which takes a tenth of the time: whether a
    row does stands in PADDED.
    """
    columns = {new: table[names[at]] for new, at in mapping.names.items()}
    texts = {name: text for name, text in columns.items() if isinstance(text, ir.StringValue)}
    embedded = reading.engine.embedded
    as_it_is = embedded and direct(columns, reading.known, reading.recodes)
    looked_at = ibis.literal(False)
    if strip or not as_it_is:
        columns |= {name: tidy(text) for name, text in texts.items()}
    else:
        # An answer with spaces around it is none of those known, which is checked anyway.
        free = [text for name, text in texts.items() if reading.known[name].type != "category"]
        looked_at = reduce(lambda one, other: one | other, map(padded, free), looked_at)
    named = table.select(**columns, **{FILE: table[FILE], ROW: table[ROW], PADDED: looked_at})
    _look_for_recodes(reading, named)
    rows = read(named, reading.known, reading.recodes, _apart(reading))
    if as_it_is or not embedded:
        return rows
    con, staged = (
        reading.engine.con,
        reading.engine.folder / f"{ibis.util.gen_name('typed')}.parquet",
    )
    con.to_parquet(rows, staged)
    return _whole_numbers(con.read_parquet(str(staged)))


def _whole_numbers(table: ir.Table) -> ir.Table:
    """DuckDB writes literals as small numbers, whatever Ibis takes them for."""
    return table.mutate(**{name: table[name].cast("int64") for name in (BAD, ROW)})


# --- Rows to what is right and wrong with them


def _header_problems(
    reading: _Reading, mappings: Sequence[Mapped], headers: Sequence[str]
) -> list[Problem]:
    paths = reading.study.paths
    file = paths.shown(paths.definition / "recodes.csv")
    source = reading.study.definition.sources.actions
    assert source is not None
    place = source.table or paths.shown(paths.raw / source.path)
    found = [item for mapping in mappings for item in mapping.problems]
    found += aimless(reading.recodes, reading.known, file)
    if not any(getattr(item, "key", "") == "column_missing" for item in found):
        used = frozenset(row for mapping in mappings for row in mapping.used)
        found += unused(reading.recodes, used, place, file, list(dict.fromkeys(headers)))
    return found


def _stopped(problems: Sequence[Problem], mappings: Sequence[Mapped]) -> Found:
    keys = [getattr(item, "key", "") for item in problems]
    checks = [
        Checked(SOURCE, key, "", max(len(mappings), keys.count(key)), keys.count(key))
        for key in dict.fromkeys(keys)
    ]
    return Found(None, 0, 0, len(mappings), 0, {}, _excluded([]), tuple(checks), tuple(problems))


def _checked(
    reading: _Reading,
    parts: Sequence[_Part],
    mappings: Sequence[Mapped],
    say: Callable[[str], None],
) -> Found:
    """Count every rule, and keep the rows that break none."""
    started = monotonic()
    rows = _union([part(False) for part in parts])
    idle = _idle_recodes(reading)
    if idle:
        return _stopped(idle, mappings)
    counts = _counts(reading, rows)
    if counts[["padded", "wrong", "repeated"]].any(axis=None):
        rows = _union([part(True) for part in parts])
        counts = _counts(reading, rows)
    received = int(counts["rows"].sum())
    elapsed = max(monotonic() - started, 1e-3)
    say(f"checked {received:,} actions ({received / elapsed:,.0f} a second)")
    if not received:
        source = reading.study.definition.sources.actions
        assert source is not None
        shown = reading.study.paths.shown(reading.study.paths.raw / source.path)
        return _stopped([problem("file_rows", shown, 1)], mappings)
    failing = _failing(rows, int(counts["wrong"].sum()))
    source = reading.study.definition.sources.actions
    assert source is not None
    # A row that is set aside repeats nothing.
    aside = len(failing) and source.on_bad_row == "quarantine"
    stays = rows.filter(~rows[WRONG]) if aside else rows
    again = int(counts["repeated"].iloc[0]) if stays is rows else _repeated(reading, stays)
    checks = _checks(reading, counts, failing, again)
    whole = Found(rows.select(*reading.known), received, received, len(mappings),
                  len(reading.known), {}, _excluded([]), checks, ())  # fmt: skip
    if failing.empty and not again:
        return whole
    listed = _listed(reading, rows, failing, stays if again else None)
    if source.on_bad_row == "quarantine":
        found = _quarantined(reading, rows, whole, again, listed, int(failing["times"].sum()))
        # Where every row is bad, it is the mapping that is wrong: there is nothing to go on with.
        if found.kept:
            return found
    problems = tuple(_as_problems(reading, listed, failing, again))
    return replace(whole, table=None, kept=0, problems=problems)


def _counts(reading: _Reading, rows: ir.Table) -> pd.DataFrame:
    """Rows of the extract, how many break a rule, how many have a value in each column (`v_NAME`),
    how many have an identifier that came before (`repeated`), and whether any text is still to be
    stripped (`padded`)."""
    counts = {f"v_{name}": rows[name].count() for name in reading.known}
    whole = {"rows": rows.count(), "wrong": rows.count(where=rows[WRONG])}
    whole["padded"] = rows[PADDED].any()
    name = _identifier(reading)
    whole["repeated"] = rows[name].count() - rows[name].nunique() if name else ibis.literal(0)
    return rows.agg(**whole, **counts).to_pyarrow().to_pandas()


def _failing(rows: ir.Table, some: int) -> pd.DataFrame:
    """How many rows break each set of rules (BAD), by file. some: whether any does."""
    if not some:
        return pd.DataFrame({BAD: [], FILE: [], "times": []})
    wrong = rows.filter(rows[WRONG])
    return wrong.group_by(BAD, FILE).agg(times=lambda t: t.count()).to_pyarrow().to_pandas()


def _identifier(reading: _Reading) -> str | None:
    return next((name for name, item in reading.known.items() if item.type == "id"), None)


def _repeated(reading: _Reading, rows: ir.Table) -> int:
    """How many rows have an identifier that another row had before."""
    name = _identifier(reading)
    if name is None:
        return 0
    found = rows.agg(given=rows[name].count(), different=rows[name].nunique())
    line = found.to_pyarrow().to_pylist()[0]
    return int(line["given"]) - int(line["different"])


def _checks(
    reading: _Reading, counts: pd.DataFrame, failing: pd.DataFrame, again: int
) -> tuple[Checked, ...]:
    among, received = reading.rules, int(counts["rows"].sum())
    failed = dict.fromkeys(range(len(among)), 0)
    for mask, times in zip(failing[BAD], failing["times"], strict=True):
        for bit in range(len(among)):
            failed[bit] += int(times) if int(mask) >> bit & 1 else 0
    made = [Checked(SOURCE, "file_read", "", 1, 0)]
    for bit, rule in enumerate(among):
        values = received if rule.key == "required" else int(counts[f"v_{rule.column}"].iloc[0])
        tested = max(values, failed[bit])
        made.append(Checked(SOURCE, rule.key, rule.column, tested, failed[bit], rule.values))
    name = _identifier(reading)
    if name:
        made.append(Checked(SOURCE, "unique", name, int(counts[f"v_{name}"].iloc[0]), again))
    return tuple(made)


@dataclass(frozen=True)
class _Fault:
    """One rule that one row breaks."""

    key: str
    column: str
    file: str
    row: int | None
    value: str
    values: dict[str, str]


def _listed(
    reading: _Reading, rows: ir.Table, failing: pd.DataFrame, repeating: ir.Table | None
) -> list[_Fault]:
    """At most LISTED faults, with file, row and the cell as it was found.

    repeating: the rows among which an identifier comes again, if one does.
    """
    found: list[_Fault] = []
    firsts = _firsts(rows)
    if not failing.empty:
        wrong = rows.filter(rows[WRONG]).select(BAD, FOUND, FILE, ROW)
        if reading.engine.embedded:
            wrong = wrong.order_by(FILE, ROW)
        found += _faults(reading, wrong.limit(LISTED).to_pyarrow().to_pylist(), firsts)
    if repeating is not None:
        found += _repeats(reading, repeating, firsts)
    return found[:LISTED]


def _row(line: Mapping[str, Any], firsts: Mapping[str, int]) -> int | None:
    """A row as a spreadsheet shows it; None where the engine numbers none."""
    if line[ROW] is None:
        return None
    return int(line[ROW]) - firsts[line[FILE]] + FIRST


def _faults(
    reading: _Reading, wrong: Sequence[dict[str, Any]], firsts: Mapping[str, int]
) -> list[_Fault]:
    names = list(reading.known)
    faults = []
    for line in wrong:
        cells = (line[FOUND] or "").split(MARK)
        raw = dict(zip(names, cells, strict=False)) if len(cells) == len(names) else {}
        for rule in broken(int(line[BAD]), reading.rules):
            row = _row(line, firsts)
            value = raw.get(rule.column, "")
            faults.append(
                _Fault(rule.key, rule.column, reading.name(line[FILE]), row, value,
                       dict(rule.values))
            )  # fmt: skip
    return faults


def _repeats(reading: _Reading, rows: ir.Table, firsts: Mapping[str, int]) -> list[_Fault]:
    """Rows whose identifier stood in an earlier one, with where that was."""
    name = _identifier(reading)
    assert name is not None
    twice = (
        rows.filter(rows[name].notnull())
        .group_by(name)
        .agg(times=lambda t: t.count())
        .filter(lambda t: t.times > 1)
        .order_by(name)
        .limit(LISTED)
    )
    lines = (
        rows.semi_join(twice, name).select(name, FILE, ROW).order_by(name, FILE, ROW)
        .limit(2 * LISTED).to_pyarrow().to_pylist()
    )  # fmt: skip
    faults: list[_Fault] = []
    first: dict[Any, Any] = {}
    for line in lines:
        before = first.setdefault(line[name], line)
        if before is line:
            continue
        where = f"{_row(before, firsts)}"
        if before[FILE] != line[FILE]:
            where += f" ({reading.name(before[FILE])})"
        row = _row(line, firsts)
        faults.append(
            _Fault("unique", name, reading.name(line[FILE]), row, str(line[name]),
                   {"first": where})
        )  # fmt: skip
    return faults


def _as_problems(
    reading: _Reading, listed: Sequence[_Fault], failing: pd.DataFrame, again: int
) -> Iterator[Problem]:
    headers = {item.becomes: item.found for item in reading.recodes if item.kind == "header"}
    for fault in listed:
        values = {**fault.values, "value": fault.value}
        if fault.key == "allowed":
            values["near"] = near(fault.value, fault.values["known"].split(", "))
        header = headers.get(fault.column, fault.column)
        yield problem(fault.key, fault.file, fault.row, header, **values)
    rules = len(reading.rules)
    total = again + sum(
        int(times) * int(mask).bit_count()
        for mask, times in zip(failing[BAD], failing["times"], strict=True)
    )
    if total > len(listed) and rules:
        source = reading.study.definition.sources.actions
        assert source is not None
        place = source.table or reading.study.paths.shown(reading.study.paths.raw / source.path)
        rest = f"{total - len(listed)}"
        yield problem("more_rows", place, None, None, value=rest, known=f"{total}")


# --- Quarantine


def _quarantined(
    reading: _Reading,
    rows: ir.Table,
    stopped: Found,
    again: int,
    listed: Sequence[_Fault],
    wrong: int,
) -> Found:
    """The rows that break no rule, once each; the others are counted by reason."""
    kept = rows.filter(~rows[WRONG])
    name = _identifier(reading)
    if again and name:
        first = ibis.row_number().over(
            group_by=kept[name], order_by=[kept[FILE], kept[ROW]]
        )  # fmt: skip
        kept = kept.mutate(_first=first).filter(lambda t: t["_first"] == 0)
    kept = kept.select(*reading.known)
    if reading.engine.embedded:
        kept = reading.engine.con.create_table("kept_rows", kept)
    left = int(kept.count().to_pyarrow().as_py())
    aside = {"bad_row": wrong, "repeated": stopped.received - wrong - left}
    return replace(
        stopped, table=kept, kept=left, listed=_excluded(listed), problems=(),
        aside={reason: times for reason, times in aside.items() if times},
    )  # fmt: skip


QUARANTINE = ["source", "file", "row", "column", "rule", "found"]


def _excluded(listed: Sequence[_Fault]) -> pd.DataFrame:
    rows = [(SOURCE, f.file, f.row, f.column, f.key, f.value) for f in listed]
    return pd.DataFrame(rows, columns=QUARANTINE)
