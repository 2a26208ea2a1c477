"""What is relied on: each package has its reason, a hash and a licence; pages run nothing else."""

from __future__ import annotations

import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from analysis.paths import PROJECT
from analysis.publish.pages import INLINE, Cell, read_page

ASKED = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (PROJECT / "README.md").read_text(encoding="utf-8")
OURS = "learner-survey (pyproject.toml)"
LOCKS = ("requirements.lock", "requirements-audit.lock", "requirements-quarto.lock")
# Imported where a study asks for its engine, and installed by whoever runs one.
OPTIONAL = {"pyspark"}
# Quarto runs pages with the first three, and Ibis speaks to the last.
THROUGH = {"nbclient", "nbformat", "ipykernel", "duckdb"}
# Licences that ask for their notice only, so that a study and its site may be passed on freely.
FREE = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|Apache-2\.0|BSD-[23]-Clause|PSF-2\.0|ISC|Zlib|CC0-1\.0|HPND)\b"
)
# Their metadata name no licence; the file beside them does.
FILE = {"pyxform": "Redistribution and use in source and binary forms"}
PAGES = sorted([*PROJECT.glob("report/**/*.qmd"), *PROJECT.glob("studies/*/report/**/*.qmd")])
NOTEBOOKS = sorted(PROJECT.glob("notebooks/*.ipynb"))
# Modules that start a program, ask another host, or read what the repository does not hold.
OUTSIDE = {"subprocess", "socket", "http", "urllib", "ftplib", "webbrowser", "ctypes", "pty",
           "multiprocessing", "asyncio", "shutil", "os", "pip", "runpy", "importlib"}  # fmt: skip
RUNS = {"eval", "exec", "compile", "__import__", "get_ipython", "open_url", "system", "popen"}


def requirements(group: str = "") -> dict[str, Requirement]:
    asked = ASKED["optional-dependencies"][group] if group else ASKED["dependencies"]
    return {canonicalize_name(one.name): one for one in map(Requirement, asked)}


def locked(name: str = "requirements.lock") -> dict[str, tuple[str, list[str], list[str]]]:
    """Version, hashes and who asks for it, of each package of a lock."""
    found: dict[str, tuple[str, list[str], list[str]]] = {}
    for block in re.split(r"\n(?=\S)", (PROJECT / name).read_text(encoding="utf-8")):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if not lines:
            continue
        head, *rest = lines
        match = re.match(r"([A-Za-z0-9._-]+)(?:\[[\w,-]+\])?==([^\s;]+)", head)
        assert match, f"{name} holds packages at one version, and nothing else: {head}"
        said = [line.strip().removeprefix("#").strip() for line in rest if "#" in line]
        via = [one.removeprefix("via").strip() for one in said]
        hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})", block)
        found[canonicalize_name(match[1])] = match[2], hashes, [one for one in via if one]
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_of_a_lock_has_a_hash(name: str) -> None:
    lock = locked(name)
    assert lock and [package for package, (_, hashes, _) in lock.items() if not hashes] == []


def test_the_lock_holds_what_is_asked_for_and_nothing_else() -> None:
    lock, direct = locked(), requirements() | requirements("dev")
    missing = [
        name for name, asked in direct.items()
        if name not in lock or Version(lock[name][0]) not in asked.specifier
    ]  # fmt: skip
    assert missing == [], "make lock"
    # Whoever is asked for by nobody that is there was left over.
    left = [
        name for name, (_, _, via) in lock.items()
        if not any(one in lock or (one == OURS and name in direct)
                   for one in (each if each == OURS else canonicalize_name(each) for each in via))
    ]  # fmt: skip
    assert left == [], "make lock"


def test_all_that_is_installed_is_installed_by_hash() -> None:
    text = (PROJECT / "Makefile").read_text(encoding="utf-8")
    installs = [line for line in text.splitlines() if "pip install" in line]
    assert len(installs) == 4
    for line in installs:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation -e ." in line, line


def test_each_dependency_has_its_reason_in_the_readme() -> None:
    table = README.partition("## What it stands on")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", table, re.MULTILINE)[2:])
    told = {canonicalize_name(name) for row in rows for name in row.split(", ")}
    assert told == set(requirements())
    assert all(len(reason.strip()) > 3 for reason in rows.values())
    after = {canonicalize_name(name) for name in re.findall(r"[\w-]+", table.rpartition("|")[2])}
    assert sorted(set(requirements("dev")) - after) == []


def modules(paths: list[Path]) -> set[str]:
    """The first names of all that these files import."""
    found = set()
    for path in paths:
        found |= imported(ast.parse(path.read_text(encoding="utf-8")))
    return found


def imported(tree: ast.AST) -> set[str]:
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(str(node.module).partition(".")[0])
    return found


@cache
def providers() -> dict[str, set[str]]:
    """The distributions that hold a module, by its name."""
    return {module: set(map(canonicalize_name, names))
            for module, names in metadata.packages_distributions().items()}  # fmt: skip


def test_each_dependency_is_imported_and_each_import_is_one() -> None:
    names, by = modules(sorted((PROJECT / "analysis").rglob("*.py"))), providers()
    foreign = names - set(sys.stdlib_module_names) - {"analysis"} - OPTIONAL
    used = set[str]().union(*(by[name] for name in foreign))
    assert set(requirements()) - used - THROUGH == set()
    undeclared = [name for name in foreign if not by[name] & set(requirements())]
    assert undeclared == []


def test_tools_of_the_tests_stay_out_of_the_package() -> None:
    names, by = modules(sorted((PROJECT / "analysis").rglob("*.py"))), providers()
    tools = {name for name in names if by.get(name, set()) & set(requirements("dev"))}
    assert tools == set()


@pytest.mark.parametrize("name", sorted(requirements()))
def test_licences_ask_for_their_notice_only(name: str) -> None:
    about = metadata.metadata(name)
    kinds = [kind for kind in about.get_all("Classifier", []) if kind.startswith("License ::")]
    said = " ".join([about.get("License-Expression") or "", (about.get("License") or "")[:100],
                     *kinds])  # fmt: skip
    if name in FILE:
        files = [file for file in metadata.files(name) or [] if file.name == "LICENSE"]
        assert FILE[name] in files[0].read_text()
        return
    assert FREE.search(said), said
    assert not re.search(r"GPL|Affero|Proprietary", said), said


def cells(path: Path) -> Iterator[str]:
    """The code of a page or a notebook, piece by piece, expressions in prose among it."""
    if path.suffix == ".ipynb":
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                yield "".join(cell["source"])
        return
    for part in read_page(path).parts:
        if isinstance(part, Cell):
            yield part.source
        else:
            yield from (expression.strip() for _, expression in INLINE.findall(part.text))


def reaches_out(code: str) -> list[str]:
    """What a piece of code uses that neither the repository nor its dependencies hold."""
    try:
        tree = ast.parse(code)
    except SyntaxError:  # a command of the shell, or of IPython
        return [code.splitlines()[0]]
    known = set(sys.stdlib_module_names) - OUTSIDE | {"analysis"}
    by, direct = providers(), set(requirements())
    found = [name for name in sorted(imported(tree))
             if name not in known and not by.get(name, set()) & direct]  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            found += [called] * (called in RUNS)
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += re.findall(r"\b\w+://\S*", node.value)
    return found


@pytest.mark.parametrize("path", [*PAGES, *NOTEBOOKS], ids=lambda path: path.stem)
def test_pages_and_notebooks_run_nothing_from_elsewhere(path: Path) -> None:
    pieces = list(cells(path))
    assert pieces
    assert [(piece, out) for piece in pieces if (out := reaches_out(piece))] == []


def test_pages_and_notebooks_are_found() -> None:
    assert len(PAGES) > 30 and NOTEBOOKS


@pytest.mark.parametrize(
    "code",
    ["!ls", "%pip install x", "import subprocess", "import requests", "from os import system",
     "import importlib; importlib.import_module('x')", "eval('1')",
     "import pandas as pd\npd.read_csv('https://example.org/a.csv')", "import statsmodels.api",
     "get_ipython().run_cell('!ls')"],
)  # fmt: skip
def test_what_reaches_out_would_be_seen(code: str) -> None:
    assert reaches_out(code)
