"""A study's report, rendered by either engine and put in place whole."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from analysis.paths import PROJECT
from analysis.publish.check import check_site
from analysis.publish.pages import RenderError
from analysis.publish.quarto import find_quarto
from analysis.publish.stage import Staged, stage
from analysis.study import Study

Engine = Literal["auto", "quarto", "pandoc"]
Log = Callable[[str], None]
CODE = ("*.py", "*.yml", "*.css", "*.js", "*.lua", "*.html")
PACKAGES = ("plotly", "pandas", "pypandoc-binary", "nbclient", "ipykernel")


def _quiet(_: str) -> None:
    """Progress that nobody asked to see."""


def choose_engine(engine: Engine = "auto") -> Literal["quarto", "pandoc"]:
    """Quarto where it is on the path, else pandoc."""
    if engine == "auto":
        return "quarto" if find_quarto() else "pandoc"
    return engine


def render(
    study: Study, lang: str, engine: Engine = "auto", out: Path | None = None, log: Log = _quiet
) -> Path:
    """Render the report of a study in a language to `out` (`_site/STUDY/LANG` if not said).

    Gives the folder, whose index.html is the first page. The site appears whole or not at all;
    where nothing changed since it was rendered, it is left as it is.
    Raises RenderError: a cell that fails, a broken link, a request to another host.
    """
    chosen = choose_engine(engine)
    target = out or study.paths.site(lang)
    if out is None and is_fresh(study, lang, chosen):
        log("nothing changed since the report was rendered")
        return target
    before = fingerprint(study, lang, chosen)
    staged = stage(study, lang)
    if staged.report.left_out:
        log("no results for " + ", ".join(staged.report.left_out) + ": these pages are left out")
    finish(staged, _rendered(staged, chosen, log), target)
    if out is None:
        stamp(study, lang).write_text(json.dumps({"engine": chosen, "inputs": before}))
    return target


def _rendered(staged: Staged, engine: str, log: Log) -> Path:
    if engine == "quarto":
        from analysis.publish.quarto import render_with_quarto  # noqa: PLC0415

        return render_with_quarto(staged, log)
    # nbclient and its kernel are only worth importing when there is something to execute.
    from analysis.publish.pandoc import render_with_pandoc  # noqa: PLC0415

    return render_with_pandoc(staged, log)


def finish(staged: Staged, rendered: Path, target: Path) -> None:
    """Check a rendered site and put it in place of the one before. Raises RenderError."""
    problems = check_site(rendered, [page.name for page in staged.report.pages])
    if problems:
        raise RenderError("\n".join(problems))
    target.parent.mkdir(parents=True, exist_ok=True)
    old = target.with_name(f".{target.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.replace(old)
    rendered.replace(target)
    shutil.rmtree(old, ignore_errors=True)


def stamp(study: Study, lang: str) -> Path:
    """Where it is written what a site was made from: beside it."""
    site = study.paths.site(lang)
    return site.with_name(f".{site.name}.json")


def is_fresh(study: Study, lang: str, engine: Engine = "auto") -> bool:
    """Whether the site in place was made by this engine from exactly these inputs."""
    path = stamp(study, lang)
    if not path.is_file() or not (study.paths.site(lang) / "index.html").is_file():
        return False
    chosen = choose_engine(engine)
    expected = {"engine": chosen, "inputs": fingerprint(study, lang, chosen)}
    return json.loads(path.read_text()) == expected


def fingerprint(study: Study, lang: str, engine: str) -> str:
    """A hash of everything a page depends on."""
    digest = hashlib.sha256()
    for path in inputs(study, lang):
        digest.update(path.name.encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update("\n".join(_versions(engine)).encode())
    return digest.hexdigest()


def inputs(study: Study, lang: str) -> Iterator[Path]:
    """The files a page depends on: results, pages, the study's definition, the code."""
    yield study.paths.root / "_quarto.yml"
    yield from sorted(study.paths.pages.glob("*.yml"))
    folders = [
        (study.paths.results, ("*",)),
        (study.paths.pages / lang, ("*.qmd", "*.yml")),
        (study.paths.definition, ("*",)),
        (PROJECT / "analysis", CODE),
    ]
    for folder, patterns in folders:
        for pattern in patterns:
            yield from sorted(path for path in folder.rglob(pattern) if path.is_file())


def _versions(engine: str) -> list[str]:
    found = [platform.python_version(), *(f"{name} {version(name)}" for name in PACKAGES)]
    command = find_quarto() if engine == "quarto" else None
    if command:
        found.append(f"{Path(command).resolve()} {Path(command).stat().st_mtime_ns}")
    return found
