"""A million respondents, 60 weighted questions: all shares with standard errors and intervals.

Beside the peers that can be had on the machine, on the same answers in the same run: svy
(`pip install svy`, into the Python that runs this) and R survey (Debian's r-cran-survey). R is
given a tenth of the questions, and its time is said to be so.

    python bench/survey.py [respondents]
"""

from __future__ import annotations

import importlib.util
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

QUESTIONS, ANSWERS, SECONDS, MEGABYTES = 60, "abcde", 2.0, 2048


def people(n: int, seed: int = 2026) -> pd.DataFrame:
    """Answers (categorical, a twelfth missing) and a column of weights."""
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet(np.full(len(ANSWERS), 4.0), QUESTIONS)
    columns: dict[str, object] = {}
    for number, chance in enumerate(chances):
        codes = np.searchsorted(np.cumsum(chance)[:-1], rng.random(n)).astype(np.int8)
        codes[rng.random(n) < 1 / 12] = -1
        columns[f"q{number}"] = pd.Categorical.from_codes(codes, list(ANSWERS))
    return pd.DataFrame(columns | {"weight": rng.gamma(5, 0.2, n)})


def ours(frame: pd.DataFrame) -> pd.DataFrame:
    """Shares, standard errors and intervals of every question, as chapters ask for them."""
    from analysis.stats.design import sample  # noqa: PLC0415
    from analysis.stats.shares import Shares  # noqa: PLC0415

    how = Shares(design=sample(frame, frame["weight"]))
    questions = frame.columns.drop("weight")
    return pd.concat([how.single(frame[name]) for name in questions], ignore_index=True)


def of_svy(frame: pd.DataFrame) -> pd.DataFrame:
    import polars  # noqa: PLC0415
    import svy  # noqa: PLC0415

    data = polars.from_pandas(frame).with_columns(polars.col("^q.*$").cast(polars.String))
    taken = svy.Sample(data, svy.Design(wgt="weight"))
    start = time.perf_counter()
    questions = [name for name in frame if name != "weight"]
    found = [
        row
        for name in questions
        for row in taken.estimation.prop(name, drop_nulls=True, ci_method="korn-graubard").estimates
    ]
    seconds = time.perf_counter() - start
    return pd.DataFrame(
        {"share": [row.est for row in found], "standard_error": [row.se for row in found]}
    ).assign(seconds=seconds)


R = """
library(survey); frame <- read.csv("{csv}", na.strings = "", stringsAsFactors = TRUE)
taken <- svydesign(id = ~1, weights = ~weight, data = frame)
start <- proc.time()[["elapsed"]]
for (name in setdiff(names(frame), "weight")) {{
  means <- svymean(as.formula(paste0("~", name)), taken, na.rm = TRUE)
  for (row in seq_along(means)) cat(coef(means)[[row]], SE(means)[[row]], "\\n")
}}
cat("seconds", proc.time()[["elapsed"]] - start, "\\n")
"""


def of_r(frame: pd.DataFrame) -> pd.DataFrame:
    """R survey on the first tenth of the questions."""
    part = frame[[*[f"q{n}" for n in range(QUESTIONS // 10)], "weight"]]
    with tempfile.TemporaryDirectory() as folder:
        csv, script = Path(folder) / "people.csv", Path(folder) / "run.R"
        part.to_csv(csv, index=False)
        script.write_text(R.format(csv=csv))
        said = subprocess.run(["Rscript", script], capture_output=True, text=True, check=True)
    lines = [line.split() for line in said.stdout.splitlines()]
    rows = [(float(a), float(b)) for a, b in (line for line in lines if line[0] != "seconds")]
    seconds = next(float(line[1]) for line in lines if line[0] == "seconds")
    return pd.DataFrame(rows, columns=["share", "standard_error"]).assign(seconds=seconds)


def timed(frame: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    start = time.perf_counter()
    found = ours(frame)
    return found, time.perf_counter() - start


def beside(name: str, run: Callable, frame: pd.DataFrame, found: pd.DataFrame, times: int) -> None:
    """A peer's time, and how far its numbers are from ours."""
    theirs = run(frame)
    columns = ["share", "standard_error"]
    gap = np.abs(theirs[columns].to_numpy() - found[columns].to_numpy()[: len(theirs)]).max()
    seconds = theirs["seconds"].iloc[0] * times
    note = f", {times} times a part of it" if times > 1 else ""
    print(f"{name:<40} {seconds:>8.2f} s   largest difference {gap:.1e}{note}")


def main(n: int) -> int:
    ours(people(1000))  # imports are not what is measured
    tenth, whole = people(n // 10), people(n)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    _, fewer = timed(tenth)
    found, seconds = timed(whole)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    within = seconds <= SECONDS and peak <= MEGABYTES
    print(f"{n:,} respondents, {QUESTIONS} questions, weights, {len(found)} shares")
    print(
        f"{'this package':<40} {seconds:>8.2f} s   limit {SECONDS:.1f} s; peak {peak:.0f} MB "
        f"(answers alone {before:.0f}), limit {MEGABYTES} MB   {'within' if within else 'OVER'}"
    )
    print(f"{'  a tenth of them':<40} {fewer:>8.2f} s   {seconds / fewer:.1f} times less")
    if importlib.util.find_spec("svy"):
        beside("svy", of_svy, whole, found, 1)
    else:
        print("svy: not installed (pip install svy)")
    if shutil.which("Rscript"):
        beside("R survey", of_r, whole, found, 10)
    else:
        print("R survey: not installed (apt-get install r-cran-survey)")
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
