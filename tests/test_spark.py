"""The same study on Spark, in a process of its own: cell by cell the estimates of DuckDB, and those
of plain pandas.

Needs Java and the extra `spark`, which is not installed beside the tests: pandera imports PySpark
wherever it is. It is looked for in the folder LEARNER_SURVEY_SPARK, else in `.spark` (.ci/run makes
it), and the test is skipped aloud without.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import extracts  # noqa: F401 - puts bench/ on the path
import pandas as pd
import plain_consumption as plain
import pyarrow as pa
import pytest
from extract import STUDY, batches, write_study

from analysis.paths import PROJECT
from analysis.release.build import build
from analysis.study import load_study

APART = os.environ.get("LEARNER_SURVEY_SPARK") or str(PROJECT / ".spark")
ROWS = 1_500

pytestmark = [
    pytest.mark.skipif(not shutil.which("java"),
                       reason="no Java: apt-get install default-jre-headless"),
    pytest.mark.skipif(not Path(APART, "pyspark").is_dir(),
                       reason="no PySpark: pip install --target .spark 'pyspark>=3.5,<4.1'"),
]  # fmt: skip


def test_spark_duckdb_and_pandas_agree_cell_by_cell(tmp_path):
    for engine in ("duckdb://", "spark://local"):
        write_study(tmp_path / engine[:5], ROWS, engine=engine)
    build(load_study(STUDY, tmp_path / "duckd"))
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(PROJECT), APART]),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(tmp_path),
    }
    command = [sys.executable, "-W", "ignore", "-m", "analysis", "build", STUDY, "--root"]
    done = subprocess.run([*command, str(tmp_path / "spark")], env=environment, cwd=tmp_path,
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("estimates.csv", "measures.csv", "titles.csv"):
        results = [tmp_path / part / "data/clean" / STUDY / "results" / name
                   for part in ("duckd", "spark")]  # fmt: skip
        ours, sparks = (pd.read_csv(path, keep_default_na=False) for path in results)
        pd.testing.assert_frame_equal(ours, sparks)
    frame = pa.concat_tables([table for _, table in batches(ROWS)], promote_options="permissive")
    estimates = pd.read_csv(tmp_path / "spark/data/clean" / STUDY / "results/estimates.csv")
    expected, found = plain.cells(frame.to_pandas()), plain.estimated(estimates)
    assert {key: found[key] for key in expected} == pytest.approx(expected)
