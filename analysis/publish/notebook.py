"""Cells of pages executed by nbclient, and their outputs put back as Markdown.

What a cell turns into follows Quarto 1.4 and later (src/core/jupyter/jupyter.ts): HTML comes as a
raw block, Markdown as it is, text as a code block; `output: asis` takes the wrappers away. Only
the options below are understood; another one stops the render instead of being overlooked.
"""

from __future__ import annotations

import ast
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from analysis.publish.pages import INLINE, Cell, Page, Prose, RenderError

MARKDOWN_SIGNS = re.compile(r"([\\`*_{}\[\]()>#+,\-.!])")
ANSI = re.compile(r"\x1b\[[0-9;]*m")
OPTIONS = {
    "label", "echo", "eval", "output", "include", "warning", "message",
    "fig-cap", "tbl-cap", "fig-alt", "html-table-processing",
}  # fmt: skip
TIMEOUT = 120


@contextmanager
def kernel(folder: Path, environment: Mapping[str, str]) -> Iterator[NotebookClient]:
    """One kernel for every page: starting one and importing pandas costs more than a page."""
    with tempfile.TemporaryDirectory(prefix="kernel") as sockets:
        yield from _kernel(folder, environment, Path(sockets))


def _kernel(
    folder: Path, environment: Mapping[str, str], sockets: Path
) -> Iterator[NotebookClient]:
    # Sockets in a folder of ours rather than ports that any user of the machine may listen to;
    # in a short path, as the name of a socket has a hundred characters at most.
    manager = AsyncKernelManager(
        kernel_name="python3",
        transport="tcp" if os.name == "nt" else "ipc",
        connection_file=str(sockets / "kernel.json"),
    )
    client = NotebookClient(
        nbformat.v4.new_notebook(),
        km=manager,
        timeout=TIMEOUT,
        # Outputs that come late, on a machine with much to do, are waited for and not left out.
        iopub_timeout=TIMEOUT,
        raise_on_iopub_timeout=True,
        record_timing=False,
        extra_arguments=["--HistoryManager.enabled=False"],
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute(env=dict(environment))
        yield client
    finally:
        if client.kc is not None:
            client.kc.stop_channels()
        run_sync(manager.shutdown_kernel)(now=True)


def execute(page: Page, client: NotebookClient) -> str:
    """Execute a page in a clean namespace; gives its Markdown, front matter included.

    Raises RenderError with the page, the line of the cell, and what Python said.
    """
    return written(page, outputs(page, client))


def code(page: Page) -> list[str]:
    """What a page executes, step by step: the same code has the same outputs."""
    return list(filter(None, map(_code, page.parts)))


def outputs(page: Page, client: NotebookClient) -> list[list[Any]]:
    """Outputs of each step of a page, executed in a clean namespace. Raises RenderError."""
    steps = [part for part in page.parts if _code(part)]
    cells = [nbformat.v4.new_code_cell(source) for source in ["%reset -f", *map(_code, steps)]]
    client.nb = nbformat.v4.new_notebook(cells=cells)
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise RenderError(_failure(page, steps, cells[1:], error)) from error
    return [cell.outputs for cell in cells[1:]]


def written(page: Page, outputs: list[list[Any]]) -> str:
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


def _failure(page: Page, steps: list[Prose | Cell], cells: list[Any], error: Exception) -> str:
    """One line a person can act on, with the place in the .qmd."""
    done = [cell for cell in cells if cell.execution_count or cell.outputs]
    part = steps[max(len(done) - 1, 0)]
    said = f"{getattr(error, 'ename', '')}: {getattr(error, 'evalue', '')}".strip(": ")
    said = said or str(error).strip().splitlines()[0]
    if isinstance(part, Cell):
        first = next((line for line in part.source.splitlines() if line.strip()), "")
        return f"{page.name}.qmd, cell at line {part.line} ({first.strip()}): {said}"
    found = list(INLINE.finditer(part.text))
    shown = [output for output in done[-1].outputs if output.output_type == "display_data"]
    match = found[min(len(shown), len(found) - 1)]
    line = part.line + part.text.count("\n", 0, match.start(2))
    return f"{page.name}.qmd, line {line} (`{match[2].strip()}`): {said}"


def _markdown(page: Page, part: Prose | Cell, outputs: dict[int, list[Any]]) -> str:
    if isinstance(part, Prose):
        shown = outputs.get(id(part), [])
        values = (output for output in shown if output.output_type == "display_data")
        return INLINE.sub(lambda match: _said(match, next(values).data), part.text)
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


def cell_markdown(cell: Cell, outputs: list[Any]) -> str:
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


def _output(output: Any, options: dict[str, Any], asis: bool) -> str:
    if output.output_type == "stream":
        if output.name == "stderr" and options.get("warning") is False:
            return ""
        if asis and output.name == "stdout":
            return str(output.text)
        return f":::: {{.cell-output .cell-output-{output.name}}}\n{fenced(output.text)}::::\n"
    body = display(output.data)
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
