"""The Quarto engine: `quarto render` on the staged project."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from analysis.publish.pages import RenderError
from analysis.publish.stage import Staged

Log = Callable[[str], None]
ANSI = re.compile(r"\x1b\[[0-9;]*m")
PROGRESS = re.compile(r"^\[\s*(\d+)/(\d+)\]\s+(\S+)")
FAILED = re.compile(r"PAGE (\S+\.qmd): (.*)")
PYTHON_ERROR = re.compile(r"^(\w*(?:Error|Exception|Interrupt)\b.*)$", re.MULTILINE)


def find_quarto() -> str | None:
    """The `quarto` command, where there is one."""
    return shutil.which("quarto")


def render_with_quarto(staged: Staged, log: Log) -> Path:
    """Render a staged project; gives the folder of the pages. Raises RenderError."""
    command = find_quarto()
    if command is None:
        raise RenderError("quarto is not on the path; install it, or ask for --engine pandoc")
    process = subprocess.Popen(
        [command, "render", ".", "--no-clean"],
        cwd=staged.folder,
        env={**staged.environment, "QUARTO_PYTHON": sys.executable},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )
    said = []
    assert process.stdout is not None
    for raw in process.stdout:
        line = ANSI.sub("", raw).rstrip()
        said.append(line)
        if match := PROGRESS.match(line):
            log(f"page {match[1]} of {match[2]}: {Path(match[3]).stem}")
    if process.wait():
        raise RenderError(failure(said))
    return staged.folder / "_site"


def failure(said: list[str]) -> str:
    """The page and the error, out of all that Quarto printed."""
    text = "\n".join(said)
    if match := FAILED.search(text):
        return f"{match[1]}: {match[2]}"
    pages = [match[3] for line in said if (match := PROGRESS.match(line))]
    page = pages[-1] if pages else "the project"
    errors = PYTHON_ERROR.findall(text)
    lines = [line for line in said if line.strip()]
    return f"{page}: {errors[-1] if errors else ' '.join(lines[-3:])}"
