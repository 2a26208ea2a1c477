"""Time and memory of the national study, each beside its limit: `make bench`.

Whole processes are measured, as a person waits for them: start of Python and imports included.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STUDY = "cnc_afdas_2026"


@dataclass(frozen=True)
class Limit:
    seconds: float
    megabytes: float | None = None


def run(*arguments: str) -> tuple[float, float]:
    """Seconds and peak megabytes of one command (of it and its children, the largest)."""
    command = [sys.executable, "-m", "analysis", *arguments]
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(command)} failed")
    return seconds, usage.ru_maxrss / 1024


def statistics() -> tuple[float, float]:
    """Seconds for every estimate, test and measure, once the answers are read; peak megabytes."""
    from analysis import chapters  # noqa: PLC0415
    from analysis.chapters.data import Data  # noqa: PLC0415
    from analysis.intake.clean import clean  # noqa: PLC0415
    from analysis.study import load_study  # noqa: PLC0415

    study = load_study(STUDY)
    tables = clean(study).tables
    start = time.perf_counter()
    data = Data(study, tables)
    chapters.test(data)
    chapters.measure(data, chapters.estimate(data))
    seconds = time.perf_counter() - start
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def clear() -> None:
    """Back to a fresh clone's state."""
    for folder in ("data/clean", "_site"):
        shutil.rmtree(ROOT / folder / STUDY, ignore_errors=True)


def show(name: str, seconds: float, megabytes: float, limit: Limit) -> bool:
    within = seconds <= limit.seconds and megabytes <= (limit.megabytes or float("inf"))
    memory = f"{limit.megabytes:.0f} MB" if limit.megabytes else "-"
    print(
        f"{name:<34} {seconds:>7.2f} s {limit.seconds:>7.1f} s {megabytes:>7.0f} MB {memory:>8}"
        f"   {'within' if within else 'OVER'}"
    )
    return within


def main() -> int:
    render = ("report", STUDY, "--engine", "pandoc")
    print(f"{'':<34} {'time':>9} {'limit':>9} {'memory':>10} {'limit':>8}")
    clear()
    results = [
        show("reconstruct", *run("reconstruct", STUDY), Limit(60)),
        show("build", *run("build", STUDY), Limit(4, 500)),
        show("  of which statistics", *statistics(), Limit(2)),
    ]
    clear()
    results.append(show("report from clean, pandoc", *run(*render), Limit(45)))
    results.append(show("report, nothing changed", *run(*render), Limit(3)))
    print(
        f"processor: {os.cpu_count()} cores; largest child: "
        f"{resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MB"
    )
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
