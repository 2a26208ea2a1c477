"""Time and memory from the raw CSV of a million people to their results: `python bench/million.py`.

60 single-answer questions under weights (bench/people.py), validation included, in fresh
processes. What a build costs whatever its size (imports, the form) is measured on 1,000 people
and taken off before costs a person are compared: at a million they may be 20 % above those at a
hundred thousand.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from national import Limit, run, show
from people import STUDY, write_study

SMALL, MIDDLE, LARGE = 1_000, 100_000, 1_000_000
STEEPEST = 1.2
# The quickest of so many runs: the least disturbed by what else the machine does.
RUNS = {SMALL: 5, MIDDLE: 5, LARGE: 3}
LIMITS = {SMALL: Limit(4, 500), MIDDLE: Limit(10, 1000), LARGE: Limit(40, 4000)}


def measured(folder: Path, people: int) -> tuple[float, float]:
    """Seconds and peak megabytes of a build of so many people."""
    raw = write_study(folder, people)
    print(f"{people:,} people: {raw.stat().st_size / 1e6:.0f} MB of CSV", file=sys.stderr)
    runs = [run("build", STUDY, "--root", str(folder)) for _ in range(RUNS[people])]
    return min(seconds for seconds, _ in runs), max(megabytes for _, megabytes in runs)


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        figures = {people: measured(Path(folder), people) for people in RUNS}
    print(f"{'':<34} {'time':>9} {'limit':>9} {'memory':>10} {'limit':>8}")
    within = [
        show(f"build, {people:,} people", *figures[people], LIMITS[people]) for people in RUNS
    ]
    fixed = figures[SMALL][0]
    each = {people: (figures[people][0] - fixed) / people for people in (MIDDLE, LARGE)}
    ratio = each[LARGE] / each[MIDDLE]
    linear = ratio <= STEEPEST
    print(
        f"a person: {1e6 * each[MIDDLE]:.1f} µs at {MIDDLE:,}, {1e6 * each[LARGE]:.1f} µs at "
        f"{LARGE:,}; ratio {ratio:.2f}, limit {STEEPEST}   {'within' if linear else 'OVER'}"
    )
    print(f"processor: {os.cpu_count()} cores")
    return 0 if linear and all(within) else 1


if __name__ == "__main__":
    sys.exit(main())
