"""Cells in one Python process, then pandoc page by page through our template and filter."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypandoc

from analysis.publish.notebook import execute, python
from analysis.publish.pages import Page, RenderError
from analysis.publish.stage import Staged

Log = Callable[[str], None]
READER = "markdown"


def render_with_pandoc(staged: Staged, log: Log) -> Path:
    """Render a staged project; gives the folder of the pages. Raises RenderError.

    Pages are executed one after the other in one process; each is converted meanwhile.
    """
    site = staged.folder / "_site"
    site.mkdir()
    pages = staged.report.pages
    # Found before the threads: pypandoc fills its answer step by step.
    pandoc = pypandoc.get_pandoc_path()
    with (
        python(staged.folder, staged.environment) as here,
        ThreadPoolExecutor(max_workers=2) as pool,
    ):
        conversions = []
        for number, page in enumerate(pages, 1):
            log(f"page {number} of {len(pages)}: {page.name}")
            text = execute(page, here)
            conversions.append(pool.submit(convert, pandoc, staged.folder, page, text))
        for conversion in conversions:
            conversion.result()
    for name in ("assets", "downloads"):
        (staged.folder / name).rename(site / name)
    return site


def convert(pandoc: str, folder: Path, page: Page, text: str) -> None:
    """One page of Markdown to `_site/PAGE.html`. Raises RenderError with pandoc's own words."""
    (folder / f"{page.name}.md").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [pandoc, f"{page.name}.md", "--from", READER, "--to", "html5",
         "--standalone", "--section-divs", "--wrap=none",
         "--template", "_render/template.html", "--lua-filter", "_render/report.lua",
         "--output", f"_site/{page.name}.html"],
        cwd=folder, check=False, capture_output=True, text=True, encoding="utf-8",
    )  # fmt: skip
    if done.returncode:
        raise RenderError(f"{page.name}.qmd: {_reason(done.stderr)}")


def _reason(said: str) -> str:
    """What the filter said of the page, or the first line of what pandoc said."""
    for line in said.splitlines():
        if "PAGE " in line:
            return line.partition(".qmd: ")[2]
    lines = said.strip().splitlines()
    return " ".join(lines[:3]) if lines else "pandoc failed without a word"
