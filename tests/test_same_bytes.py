"""The same study twice, as on two machines years apart: the same bytes in results and pages."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import NATIONAL
from fuzz import PUBLISHED

from analysis.paths import PROJECT
from analysis.study import Study

TESTS = Path(__file__).parent
STUDY = "layouts"
SAMPLES = {
    "questionnaire.csv": "studies", "study.yml": "studies", "plain.csv": "data/raw",
}  # fmt: skip
CLOCK = re.compile(
    r"(dt|datetime|date|time|pd|Timestamp)(\.\w+)*\.(now|today|utcnow|localtime|gmtime|ctime|time_ns)"
    r"|time\.time"
)
# They tell how long a lock is held, when npm was last tried, and the day that a study was begun.
ALLOWED = {"lock.py", "publish/bundle.py", "start/study_file.py"}


@dataclass(frozen=True)
class Machine:
    """Where and when a command runs: `days` ahead of the clock, on so many cores."""

    root: Path
    notes: Path
    days: int
    cores: int
    umask: int
    environment: dict[str, str]

    def run(self, *command: str) -> None:
        self.notes.mkdir(exist_ok=True)
        path = os.pathsep.join([str(TESTS / "another_day"), str(self.root)])
        told = {"PYTHONPATH": path, "LEARNER_SURVEY_TEST_DAYS": str(self.days),
                "LEARNER_SURVEY_TEST_NOTES": str(self.notes)}  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "analysis", *command, "--root", str(self.root)],
            check=False, capture_output=True, text=True, cwd=self.notes, umask=self.umask,
            env=os.environ | self.environment | told, preexec_fn=self._confine,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def _confine(self) -> None:
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: self.cores])

    @property
    def days_seen(self) -> set[str]:
        """What each process took for today."""
        texts = [path.read_text(encoding="utf-8") for path in self.notes.glob("*.txt")]
        return {text.splitlines()[0] for text in texts}


def machine(folder: Path, notes: Path, days: int) -> Machine:
    """One of two machines that have nothing in common but the programs."""
    other, home = days > 0, notes.with_suffix(".home")
    home.mkdir()
    threads = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS",
         "NUMEXPR_NUM_THREADS", "ARROW_IO_THREADS"), "4" if other else "1"
    )  # fmt: skip
    return Machine(
        folder, notes, days, 64 if other else 1, 0o077 if other else 0o022,
        threads | {
            "TZ": "Pacific/Kiritimati" if other else "America/Los_Angeles",
            "LC_ALL": "fr_FR.UTF-8" if other else "C",
            "LANG": "tr_TR.UTF-8" if other else "C",
            "LANGUAGE": "fr" if other else "en",
            "PYTHONHASHSEED": "4294967295" if other else "0",
            # What is read or written without naming its encoding fails on one of them.
            "PYTHONUTF8": "1" if other else "0",
            "HOME": str(home),
            # No second copy of plotly.js is fetched for another user.
            "XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache"),
        },
    )  # fmt: skip


def copied(names: list[str], root: Path, backwards: bool) -> None:
    """Files of the project in a folder of its own, of another age and in another order."""
    files = sorted(path for name in names for path in (PROJECT / name).rglob("*")
                   if path.is_file() and "__pycache__" not in path.parts)  # fmt: skip
    for path in reversed(files) if backwards else files:
        target = root / path.relative_to(PROJECT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        os.utime(target, (10**9, 10**9) if backwards else None)
    shutil.copyfile(PROJECT / "_quarto.yml", root / "_quarto.yml")


def small_study(root: Path) -> None:
    for name, place in SAMPLES.items():
        folder = root / place / STUDY
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(TESTS / "layouts" / name, folder / name.replace("plain", "survey"))
    (root / "studies" / STUDY / "published.csv").write_text(PUBLISHED, encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip


def differing(one: Path, other: Path) -> list[str]:
    """Files that are in one folder alone, or of other bytes there."""
    first, second = contents(one), contents(other)
    assert len(first) > 5
    return [name for name in sorted(first | second) if first.get(name) != second.get(name)]


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> tuple[Machine, Machine]:
    """The small study rendered on each of them, in folders of other names and depths."""
    folder = tmp_path_factory.mktemp("same")
    here = machine(folder / "a", folder / "notes-a", 0)
    there = machine(folder / "plus profond" / "été" / "b", folder / "notes-b", 2_000)
    for one in (here, there):
        copied(["analysis", "report"], one.root, one is there)
        small_study(one.root)
        one.run("report", STUDY, "--engine", "pandoc", "--lang", "fr")
    return here, there


def test_the_machines_lived_on_other_days(machines: tuple[Machine, Machine]) -> None:
    here, there = (one.days_seen for one in machines)
    assert len(here) == len(there) == 1 and here != there
    # The command, and the process that runs the cells of its pages.
    assert all(len(list(one.notes.glob("*.txt"))) >= 2 for one in machines)


def test_results_are_the_same_bytes(machines: tuple[Machine, Machine]) -> None:
    here, there = (one.root / "data" / "clean" / STUDY for one in machines)
    assert differing(here / "results", there / "results") == []
    endings = {path.suffix for path in (here / "results").iterdir()}
    assert endings == {".csv", ".parquet", ".xlsx", ".json"}
    for name in ("survey.parquet", "validation.html", "validation.json"):
        assert (here / name).read_bytes() == (there / name).read_bytes(), name


def test_pages_are_the_same_bytes(machines: tuple[Machine, Machine]) -> None:
    here, there = (one.root / "_site" / STUDY for one in machines)
    assert differing(here, there) == []
    assert len(list(here.glob("*/*.html"))) >= 12


def test_no_file_tells_where_or_when_it_was_made(machines: tuple[Machine, Machine]) -> None:
    """What both would have in common, as they have the machine of the tests in common."""
    here, _ = machines
    told = [str(PROJECT), str(Path.home()), os.uname().nodename, *here.days_seen]
    made = contents(here.root / "_site" / STUDY) | contents(
        here.root / "data" / "clean" / STUDY / "results"
    )
    texts = {name: content.decode() for name, content in made.items()
             if name.endswith((".html", ".csv", ".json"))}  # fmt: skip
    assert len(texts) > 20
    assert [(name, each) for name, text in texts.items() for each in told if each in text] == []


def test_results_of_the_national_study_are_the_same_bytes(
    national_copy: Study, tmp_path: Path
) -> None:
    there = machine(tmp_path / "ailleurs" / "encore", tmp_path / "notes", 4_000)
    copied(["analysis", f"studies/{NATIONAL}", f"data/raw/{NATIONAL}"], there.root, backwards=True)
    there.run("build", NATIONAL)
    results = there.root / "data" / "clean" / NATIONAL / "results"
    assert differing(national_copy.paths.results, results) == []


def test_nothing_asks_for_today() -> None:
    asking = set()
    for path in sorted((PROJECT / "analysis").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and CLOCK.fullmatch(ast.unparse(node.func)):
                asking.add(path.relative_to(PROJECT / "analysis").as_posix())
    assert asking == ALLOWED
