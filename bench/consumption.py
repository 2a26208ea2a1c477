"""Ten million training actions from files to tables, beside DuckDB's own SQL and a pandas script.

    python bench/consumption.py [ROWS …]

Each in a process of its own: ours (checked and analysed by `build`), SQL written by hand for the
same tables on the same Parquet, the same in pandas, and DuckDB's own scan of the same rows as CSV
beside our reading of them. Then 1, 10 and 50 million rows, for whether time is linear and memory
flat. The extract is made up (bench/extract.py) and removed at the end; it says what disk it took.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
from extract import ANSWERS, STUDY, write_study

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


WAYS = {way.__name__: way for way in (ours, by_hand, by_pandas, scan, reading)}


def measured(way: str, raw: Path) -> tuple[float, float]:
    """Seconds and peak megabytes of one way, in a process of its own."""
    start = time.perf_counter()
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
    return time.perf_counter() - start, peak


def size(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def show(name: str, seconds: float, megabytes: float, note: str = "") -> None:
    print(f"{name:<46} {seconds:>8.1f} s {megabytes:>8.0f} MB   {note}", flush=True)


def within(truth: bool) -> str:
    return "within" if truth else "OVER"


def beside_others(folder: Path, rows: int) -> bool:
    raw = write_study(folder / "parquet", rows)
    print(f"{rows:,} actions, {size(raw):.0f} MB of Parquet")
    hand, _ = measured("by_hand", raw)
    seconds, peak = measured("ours", raw)
    good = seconds <= min(SECONDS * rows / 1e7, TIMES_SQL * hand) and peak < MEGABYTES
    show("SQL written by hand", hand, _)
    show("ours: checked, analysed, released", seconds, peak,
         f"{seconds / hand:.1f} times the SQL, limit {TIMES_SQL}; limits {SECONDS} s for 10 "
         f"million, {MEGABYTES} MB   {within(good)}")  # fmt: skip
    show("a pandas script", *measured("by_pandas", raw))
    raw = write_study(folder / "csv", rows, "csv")
    print(f"the same as {size(raw):.0f} MB of CSV")
    scanned, peak = measured("scan", raw)
    show("DuckDB's own scan", scanned, peak)
    read, peak = measured("reading", raw)
    fast = read <= TIMES_SCAN * scanned
    show("ours: read, typed, checked", read, peak,
         f"{read / scanned:.1f} times the scan, limit {TIMES_SCAN}   {within(fast)}")  # fmt: skip
    return good and fast


def growing(folder: Path, sizes: list[int]) -> bool:
    each, peaks = [], []
    for rows in sizes:
        raw = write_study(folder / str(rows), rows)
        seconds, peak = min(measured("ours", raw) for _ in range(1 if rows > 1e7 else 2))
        show(f"ours, {rows:,} actions", seconds, peak, f"{1e6 * seconds / rows:.2f} µs an action")
        each.append(seconds)
        peaks.append(peak)
        for path in raw.rglob("*.parquet"):
            path.unlink()
    # What a build costs whatever its size is that of the smallest, less its rows' part.
    slope = [(b - a) / (n - m) for a, b, m, n in
             zip(each, each[1:], sizes, sizes[1:], strict=False)]  # fmt: skip
    linear = len(slope) < 2 or slope[1] <= STEEPEST * slope[0]
    print(f"cost of a further action: {', '.join(f'{1e6 * s:.2f} µs' for s in slope)}; "
          f"limit {STEEPEST} times   {within(linear)}; memory {within(max(peaks) < MEGABYTES)}"
          )  # fmt: skip
    return linear and max(peaks) < MEGABYTES


def main(sizes: list[int]) -> int:
    print(f"processor: {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        good = beside_others(Path(folder), min(sizes[-1], 10_000_000))
    with tempfile.TemporaryDirectory() as folder:
        return 0 if growing(Path(folder), sizes) and good else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        WAYS[sys.argv[2]](Path(sys.argv[3]))
    else:
        sys.exit(main([int(n) for n in sys.argv[1:]] or [1_000_000, 10_000_000, 50_000_000]))
