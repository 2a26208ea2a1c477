"""Cells of pages executed, and their outputs put back as Markdown.

What a cell turns into follows Quarto 1.4 and later (src/core/jupyter/jupyter.ts): HTML comes as a
raw block, Markdown as it is, text as a code block; `output: asis` takes the wrappers away. Only
the options below are understood; another one stops the render instead of being overlooked.
"""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.paths import PROJECT
from analysis.publish.pages import INLINE, Cell, Page, Prose, RenderError

MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()>#+,\-.!])")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
OPTIONS = {
    "label", "echo", "eval", "output", "include", "warning", "message",
    "fig-cap", "tbl-cap", "fig-alt", "html-table-processing",
}  # fmt: skip
# In seconds, for one page; a slow machine needs five.
TIMEOUT = 120
# What Python's own account of where it hangs takes to be written.
GRACE = 2
Output = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """Outputs by step, up to the one that failed, and what it said if one did."""

    outputs: list[list[Output]]
    failure: str = ""


class Python:
    """A process that executes the steps of one page after the other's (`cells.py`)."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, steps: Sequence[str]) -> Reply:
        """Run steps in a clean namespace. A process that died, or took too long, is a failure of
        the first step, as nobody knows how far it came."""
        late = threading.Timer(TIMEOUT + GRACE, self._process.kill)
        late.start()
        try:
            line = self._ask(json.dumps({"steps": steps}))
        finally:
            late.cancel()
        if not line:
            return Reply([[]], self._end())
        reply = json.loads(line)
        failed = reply["failure"]
        return Reply(reply["outputs"], f"{failed['name']}: {failed['value']}" if failed else "")

    def _ask(self, request: str) -> str:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
        except OSError:  # it ended before
            return ""
        return self._process.stdout.readline()

    def _end(self) -> str:
        code = self._process.wait()
        if code == -signal.SIGKILL:
            return f"the page was stopped: it was not done after {TIMEOUT} seconds, or memory ended"
        return f"Python ended with code {code} while the page was executed"


@contextmanager
def python(folder: Path, environment: Mapping[str, str]) -> Iterator[Python]:
    """One process for every page: starting one and importing pandas costs more than a page."""
    with tempfile.TemporaryDirectory(prefix="cells") as own:
        # IPython keeps its profile in a folder that has nothing of the person's in it.
        paths = [str(PROJECT), environment.get("PYTHONPATH", "")]
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "analysis.publish.cells", str(TIMEOUT)],
            cwd=folder,
            env={**environment, "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                 "IPYTHONDIR": own},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        )  # fmt: skip
        try:
            yield Python(process)
        finally:
            process.kill()
            process.communicate()


def execute(page: Page, here: Python) -> str:
    """Execute a page in a clean namespace; gives its Markdown, front matter included.

    Raises RenderError with the page, the line of the cell, and what Python said.
    """
    return written(page, outputs(page, here))


def code(page: Page) -> list[str]:
    """What a page executes, step by step: the same code has the same outputs."""
    return list(filter(None, map(_code, page.parts)))


def outputs(page: Page, here: Python) -> list[list[Output]]:
    """Outputs of each step of a page, executed in a clean namespace. Raises RenderError."""
    steps = [part for part in page.parts if _code(part)]
    reply = here.run([_code(part) for part in steps])
    if reply.failure:
        raise RenderError(_failure(page, steps, reply))
    return reply.outputs


def written(page: Page, outputs: list[list[Output]]) -> str:
    """Markdown of a page with the outputs of its steps, front matter included."""
    steps = [part for part in page.parts if _code(part)]
    known = {id(part): found for part, found in zip(steps, outputs, strict=True)}
    return page.header + "".join(_markdown(page, part, known) for part in page.parts)


def _code(part: Prose | Cell) -> str:
    """What a part executes: a cell's source, or a line showing each inline expression."""
    if isinstance(part, Cell):
        return part.source if part.options.get("eval", True) else ""
    return "\n".join(
        f"display({expression.strip()})" for _, expression in INLINE.findall(part.text)
    )


def _failure(page: Page, steps: list[Prose | Cell], reply: Reply) -> str:
    """One line a person can act on, with the place in the .qmd."""
    part = steps[len(reply.outputs) - 1]
    said = reply.failure.strip().splitlines()[0]
    if isinstance(part, Cell):
        first = next((line for line in part.source.splitlines() if line.strip()), "")
        return f"{page.name}.qmd, cell at line {part.line} ({first.strip()}): {said}"
    found = list(INLINE.finditer(part.text))
    match = found[min(len(_displayed(reply.outputs[-1])), len(found) - 1)]
    line = part.line + part.text.count("\n", 0, match.start(2))
    return f"{page.name}.qmd, line {line} (`{match[2].strip()}`): {said}"


def _displayed(outputs: list[Output]) -> list[Mapping[str, str]]:
    return [output["data"] for output in outputs if output["output_type"] == "display_data"]


def _markdown(page: Page, part: Prose | Cell, outputs: dict[int, list[Output]]) -> str:
    if isinstance(part, Prose):
        values = iter(_displayed(outputs.get(id(part), [])))
        return INLINE.sub(lambda match: _said(match, next(values)), part.text)
    unknown = sorted(set(part.options) - OPTIONS)
    if unknown:
        raise RenderError(
            f"{page.name}.qmd, cell at line {part.line}: option {unknown[0]!r} is not understood; "
            f"use one of {', '.join(sorted(OPTIONS))}"
        )
    return cell_markdown(part, outputs.get(id(part), []))


def _said(match: re.Match[str], data: Mapping[str, str]) -> str:
    """An expression replaced by its value; one without a value is left, as Quarto leaves it, to
    report.lua, which takes it out."""
    value = inline(data)
    return match[1] + value if value else match[0]


def inline(data: Mapping[str, str]) -> str:
    """Markdown of a value in a sentence. Text is shown as it is: its signs mean nothing."""
    if "text/html" in data:
        return f"`{data['text/html']}`{{=html}}"
    if "text/markdown" in data:
        return data["text/markdown"]
    plain = data["text/plain"]
    if plain[:1] not in "'\"":
        return plain
    return MARKDOWN_SIGNS.sub(r"\\\1", ast.literal_eval(plain))


def cell_markdown(cell: Cell, outputs: list[Output]) -> str:
    """Markdown of a cell: its code if `echo`, then its outputs, each in the div Quarto makes."""
    options = cell.options
    if options.get("include") is False:
        return "\n"
    asis = options.get("output") == "asis"
    body = ""
    if options.get("echo", False):
        body += fenced(cell.source, "{.python .cell-code}")
    if options.get("output", True) is not False:
        body += "".join(_output(output, options, asis) for output in outputs)
    label = options.get("label")
    if not body or (asis and not label):
        return body + "\n"
    head = "::::: {.cell}"
    if label and str(label).startswith("tbl-"):
        caption = str(options.get("tbl-cap", "")).replace('"', '\\"')
        head = f'::::: {{#{label} .cell tbl-cap="{caption}"}}'
    return f"{head}\n{body}\n:::::\n\n"


def _output(output: Output, options: dict[str, Any], asis: bool) -> str:
    if output["output_type"] == "stream":
        name, text = output["name"], output["text"]
        if name == "stderr" and options.get("warning") is False:
            return ""
        if asis and name == "stdout":
            return str(text)
        return f":::: {{.cell-output .cell-output-{name}}}\n{fenced(text)}::::\n"
    body = display(output["data"])
    if asis:
        return body
    label = str(options.get("label", ""))
    if label.startswith("fig-"):
        caption = f"\n{options['fig-cap']}\n" if options.get("fig-cap") else ""
        return f"\n:::: {{#{label} .cell-output .cell-output-display}}\n{body}{caption}\n::::\n"
    return f"\n:::: {{.cell-output .cell-output-display}}\n{body}::::\n"


def display(data: Mapping[str, str]) -> str:
    """Markdown of a displayed value, the richest form first."""
    if "text/html" in data:
        return fenced(data["text/html"], "{=html}")
    if "text/markdown" in data:
        return data["text/markdown"] + "\n"
    if "image/svg+xml" in data:
        return fenced(data["image/svg+xml"], "{=html}")
    if "image/png" in data:
        return f"![](data:image/png;base64,{data['image/png'].strip()})\n"
    return fenced(data["text/plain"])


def fenced(text: str, info: str = "") -> str:
    """A code block with a fence longer than any inside it."""
    text = ANSI.sub("", text)
    ticks = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`+", text))])
    end = "" if text.endswith("\n") else "\n"
    return f"{ticks}{info}\n{text}{end}{ticks}\n"
