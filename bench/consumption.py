"""Ten million training actions from files to tables, beside DuckDB's own SQL and a pandas script.

    python bench/consumption.py [ROWS] [parquet] [csv] [pandas] [pandera] [growth]

Each in a process of its own, its start included: ours (checked and analysed by `build`), SQL
written by hand for the same tables on the same Parquet, the same in pandas, the rules alone beside
pandera's Ibis backend, and DuckDB's own scan of the same rows as CSV beside our reading of them.
Then a tenth, all, and five times the rows, for whether time is linear and memory flat. Extracts are
made up (bench/extract.py) and removed at the end: 50 million actions take 1.2 GB of disk.
"""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from extract import ANSWERS, STUDY, write_study

# Rows of what is timed on fewer, and below which starting up is most of the time.
SMALL = 1_000_000
SECONDS, TIMES_SQL, MEGABYTES, TIMES_SCAN, STEEPEST = 15.0, 3.0, 1000, 2.0, 1.2
GROUPS = ["year", *ANSWERS, "leading"]
HERE = Path(__file__).resolve()


def ours(raw: Path) -> None:
    from analysis.release.build import build  # noqa: PLC0415
    from analysis.study import load_study  # noqa: PLC0415

    build(load_study(STUDY, raw.parents[3]), lambda text: print(f"    {text}", file=sys.stderr))


def by_hand(raw: Path) -> None:
    """The checks and tables of the chapter as an analyst would ask DuckDB for them."""
    import duckdb  # noqa: PLC0415

    con = duckdb.connect()
    con.execute(f"""
        set memory_limit='480MB'; set temp_directory='{raw.parent}/spilled';
        create view raw as select *, year(start_date)::varchar as y
        from read_parquet('{raw}/**/*.parquet')""")
    known = "".join(
        f", count(*) filter ({name} not in ({', '.join(map(repr, answers))}))"
        for name, answers in ANSWERS.items()
    )
    con.execute(f"""
        select count(*), count(action_id), count(distinct action_id), count(training_title),
        count(*) filter (not hours between 0 and 8784), count(*) filter (cost > 1e11),
        count(*) filter (start_date not between date '1971-07-16' and date '2099-12-31'){known}
        from raw""").fetchall()
    first = [
        row[0]
        for row in con.execute(
            "select provider from raw group by 1 order by count(*) desc, 1 limit 10"
        ).fetchall()
    ]
    con.execute(f"""create view actions as select *, case when provider in
        ({", ".join(map(repr, first))}) then provider else 'others' end as lead from raw""")
    sums = "count(*), sum(hours), sum(cost)"
    queries = [
        f"select {sums}, count(distinct person), count(distinct training_title) from actions",
        "select count(*) from actions where trainee_status = 'permanent'",
        "select case when hours < 7 then 0 when hours < 21 then 1 else 2 end, count(*) "
        "from actions group by 1",
        "select case when h < 7 then 0 when h < 21 then 1 else 2 end, count(*) from "
        "(select avg(hours) h from actions group by training_title) group by 1",
        f"select date_trunc('month', start_date), {sums}, count(distinct person), "
        "count(distinct training_title) from actions group by 1",
        "select least(n, 6), count(*) from (select count(*) n from actions group by person) "
        "group by 1",
        f"select provider, {sums} from actions group by 1",
    ]
    for name in dict.fromkeys(["y", *ANSWERS, "lead"]):
        queries += [
            f"select {name}, y, {sums} from actions group by all",
            f"select {name}, count(distinct person), count(distinct training_title) "
            "from actions group by all",
        ]
    for query in queries:
        con.execute(query).fetchall()


def by_pandas(raw: Path) -> None:
    import pandas as pd  # noqa: PLC0415

    frame = pd.concat([pd.read_parquet(path) for path in sorted(raw.rglob("*.parquet"))])
    assert frame["action_id"].is_unique and frame["hours"].between(0, 8784).all()
    frame["year"] = pd.to_datetime(frame["start_date"]).dt.year
    frame["month"] = pd.to_datetime(frame["start_date"]).dt.to_period("M")
    first = frame["provider"].value_counts().index[:10]
    frame["leading"] = frame["provider"].where(frame["provider"].isin(first), "others")
    for name in [*GROUPS, "month"]:
        groups = frame.groupby(name, observed=True)
        groups[["hours", "cost"]].sum(), groups.size()
        groups[["person", "training_title"]].nunique()
    frame["person"].value_counts().value_counts()
    frame.groupby("training_title", observed=True)["hours"].mean()
    frame.groupby("provider")[["hours", "cost"]].sum()


def scan(raw: Path) -> None:
    """DuckDB's own reading of the CSV files, every column typed."""
    import duckdb  # noqa: PLC0415

    con = duckdb.connect()
    con.execute("set memory_limit='480MB'")
    con.execute(f"""select count(*), count(action_id), count(training_title), count(provider),
        count(person), min(start_date), sum(hours), sum(cost), count(trainee_status),
        count(sector), count(region), count(company_size) from read_csv('{raw}/*.csv', delim=';',
        decimal_separator=',')""").fetchall()


def reading(raw: Path) -> None:
    """Our reading of the same files: typed rows kept, every rule checked."""
    from analysis.intake.clean import examine, extract_engine  # noqa: PLC0415
    from analysis.study import load_study  # noqa: PLC0415

    study = load_study(STUDY, raw.parents[3])
    with extract_engine(study) as engine:
        _, problems = examine(study, engine)
    assert not problems


def by_pandera(raw: Path) -> None:
    """The same rules as a schema of pandera, whose Ibis backend asks the engine rule by rule. It
    names no file and no row of what fails, and leaves ids that come twice to be counted apart."""
    import datetime as dt  # noqa: PLC0415

    import ibis  # noqa: PLC0415
    import pandera.ibis as pa  # noqa: PLC0415

    days = pa.Check.in_range(dt.date(1971, 7, 16), dt.date(2099, 12, 31))
    columns = {
        "action_id": pa.Column(nullable=False),
        "hours": pa.Column(nullable=True, checks=pa.Check.in_range(0, 8784)),
        "cost": pa.Column(nullable=True, checks=pa.Check.in_range(-1e11, 1e11)),
        "start_date": pa.Column(nullable=True, checks=days),
    }
    columns |= {name: pa.Column(nullable=True, checks=pa.Check.isin(answers))
                for name, answers in ANSWERS.items()}  # fmt: skip
    table = ibis.duckdb.connect().read_parquet(f"{raw}/**/*.parquet")
    pa.DataFrameSchema(columns).validate(table, lazy=True)
    ids = table["action_id"]
    assert table.agg(same=ids.count() == ids.nunique()).to_pyarrow()["same"][0].as_py()


WAYS = {way.__name__: way for way in (ours, by_hand, by_pandas, by_pandera, scan, reading)}


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock, seconds of processors (which another's work changes less), and peak
    megabytes, of a process."""

    seconds: float
    work: float
    peak: float


def measured(way: str, raw: Path) -> Measured:
    """One way, in a process of its own."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = psutil.Popen([sys.executable, str(HERE), "--run", way, str(raw)])
    peak, done = 0.0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            try:
                peak = max(peak, process.memory_info().rss / 1e6)
            except psutil.Error:
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    code = process.wait()
    done.set()
    watcher.join()
    if code:
        raise SystemExit(f"{way} failed")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    work = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(time.perf_counter() - start, work, peak)


def size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def show(name: str, took: Measured, note: str = "") -> None:
    print(f"{name:<36} {took.seconds:>7.1f} s {took.work:>7.1f} s of processors "
          f"{took.peak:>6.0f} MB   {note}", flush=True)  # fmt: skip


def within(truth: bool) -> str:
    return "within" if truth else "OVER"


def parquet(folder: Path, rows: int) -> bool:
    """Ours beside SQL written by hand, on the same files."""
    raw = write_study(folder, rows)
    print(f"{rows:,} actions, {size(raw):.0f} MB of Parquet")
    hand = measured("by_hand", raw)
    show("SQL written by hand", hand)
    took = measured("ours", raw)
    limit, times = SECONDS * max(rows, SMALL) / 10_000_000, took.seconds / hand.seconds
    good = [took.seconds <= limit, times <= TIMES_SQL, took.peak < MEGABYTES]
    show("ours: checked, analysed, released", took, ", ".join([
        f"limit {limit:.1f} s {within(good[0])}",
        f"{times:.1f} times the SQL, limit {TIMES_SQL} {within(good[1])}",
        f"limit {MEGABYTES} MB {within(good[2])}",
    ]))  # fmt: skip
    return all(good)


def pandas(folder: Path, rows: int) -> bool:
    """The same as a pandas script, on a million rows: ten million take more than this memory."""
    peer, own = ("a pandas script", "by_pandas"), ("ours: checked, analysed, released", "ours")
    return beside(folder, rows, peer, own)


def pandera(folder: Path, rows: int) -> bool:
    """Every rule in one pass, beside pandera's Ibis backend, a query or two a rule."""
    peer, own = ("pandera's Ibis backend", "by_pandera"), ("ours: read, typed, checked", "reading")
    return beside(folder, rows, peer, own)


def beside(folder: Path, rows: int, *measures: tuple[str, str]) -> bool:
    """What is shown and measured on a million rows at most, without a limit."""
    rows = min(rows, SMALL)
    raw = write_study(folder, rows)
    print(f"{rows:,} actions, {size(raw):.0f} MB of Parquet")
    for shown, name in measures:
        show(shown, measured(name, raw))
    return True


def csv(folder: Path, rows: int) -> bool:
    """Our reading of text beside DuckDB's own scan of the same files."""
    raw = write_study(folder, rows, "csv")
    print(f"{rows:,} actions, {size(raw):.0f} MB of CSV")
    scanned, took = measured("scan", raw), measured("reading", raw)
    show("DuckDB's own scan", scanned)
    times = took.seconds / scanned.seconds
    fast, small = times <= TIMES_SCAN, took.peak < MEGABYTES
    show("ours: read, typed, checked", took,
         f"{times:.1f} times the scan, limit {TIMES_SCAN} {within(fast)}; "
         f"limit {MEGABYTES} MB {within(small)}")  # fmt: skip
    return fast and small


def growth(folder: Path, rows: int) -> bool:
    """1, 10 and 50 million: the cost of a further action stays, and so does memory."""
    sizes = [rows // 10, rows, rows * 5]
    found = []
    for number in sizes:
        raw = write_study(folder / str(number), number)
        took = measured("ours", raw)
        show(f"ours, {number:,} actions", took, f"{1e6 * took.work / number:.2f} µs an action")
        found.append((took.work, took.peak))
        shutil.rmtree(raw)
    each, peaks = zip(*found, strict=True)
    # Of the work, as time by the clock over minutes tells of whatever else runs. What a build costs
    # whatever its size is left out: the slope is that of further rows.
    first, second = (
        1e6 * (after - before) / (more - less)
        for before, after, less, more in zip(each, each[1:], sizes, sizes[1:], strict=False)
    )
    linear, flat = second <= STEEPEST * first, max(peaks) < MEGABYTES
    print(
        f"a further action costs {first:.2f} µs, then {second:.2f} µs: {second / first:.2f} times, "
        f"limit {STEEPEST} {within(linear)}; memory limit {MEGABYTES} MB {within(flat)}"
    )
    return linear and flat


PARTS = {part.__name__: part for part in (parquet, csv, pandas, pandera, growth)}


def main(asked: list[str]) -> int:
    rows = next((int(word) for word in asked if word.isdigit()), 10_000_000)
    chosen = [name for name in asked if not name.isdigit()] or list(PARTS)
    if unknown := [name for name in chosen if name not in PARTS]:
        sys.exit(f"{unknown[0]}: one of {', '.join(PARTS)}, and a number of rows")
    good = True
    for name in chosen:
        print(f"-- {name}: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
        with tempfile.TemporaryDirectory() as folder:
            good &= PARTS[name](Path(folder), rows)
    return 0 if good else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        WAYS[sys.argv[2]](Path(sys.argv[3]))
    else:
        sys.exit(main(sys.argv[1:]))
