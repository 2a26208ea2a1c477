"""A study's report, rendered by either engine and put in place whole."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from analysis import whole
from analysis.lock import lock
from analysis.paths import PROJECT, Paths
from analysis.publish.check import check_site
from analysis.publish.pages import RenderError
from analysis.publish.quarto import find_quarto
from analysis.publish.stage import Staged, stage, standing
from analysis.study import Study

Engine = Literal["auto", "quarto", "pandoc"]
Log = Callable[[str], None]
CODE = ("*.py", "*.yml", "*.css", "*.js", "*.lua", "*.html")
PACKAGES = ("plotly", "pandas", "pypandoc-binary", "ipython")


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
    if out is None:
        return render_languages(study, [lang], engine, log)[0]
    with lock(study.paths, say=log):
        rendered = rendered_whole(stage(study, lang), choose_engine(engine), log)
        with whole.folder(out) as folder:
            shutil.copytree(rendered, folder, dirs_exist_ok=True)
    return out


def render_languages(
    study: Study, langs: Sequence[str], engine: Engine = "auto", log: Log = _quiet
) -> list[Path]:
    """Render the report in several languages to `_site/STUDY/LANG`; gives the folders.

    Pages lead from one language to the other, so all the sites appear or none does.
    Raises RenderError, as `render` does.
    """
    chosen = choose_engine(engine)
    with lock(study.paths, say=log):
        stale = [lang for lang in langs if not is_fresh(study, lang, chosen, langs)]
        if not stale:
            log("nothing changed since the report was rendered")
        before = {lang: fingerprint(study, lang, chosen, langs) for lang in stale}
        made = {lang: rendered_whole(stage(study, lang, langs), chosen, log) for lang in stale}
        stamps = {lang: json.dumps({"engine": chosen, "inputs": before[lang]}) for lang in stale}
        if made:
            put_in_place(study.paths, made, stamps)
    return [study.paths.site(lang) for lang in langs]


def rendered_whole(staged: Staged, engine: str, log: Log) -> Path:
    """The folder of a rendered site, checked. Raises RenderError."""
    if staged.report.left_out:
        log("no results for " + ", ".join(staged.report.left_out) + ": these pages are left out")
    rendered = _by_engine(staged, engine, log)
    check(staged, rendered)
    return rendered


def _by_engine(staged: Staged, engine: str, log: Log) -> Path:
    if engine == "quarto":
        from analysis.publish.quarto import render_with_quarto  # noqa: PLC0415

        return render_with_quarto(staged, log)
    # Only worth importing when there is something to execute.
    from analysis.publish.pandoc import render_with_pandoc  # noqa: PLC0415

    return render_with_pandoc(staged, log)


def check(staged: Staged, rendered: Path) -> None:
    """Raises RenderError with everything that is wrong with a rendered site."""
    names = [page.name for page in staged.report.pages]
    written = {name: (staged.folder / f"{name}.qmd").read_text(encoding="utf-8") for name in names}
    problems = check_site(rendered, names, staged.standing, written)
    if problems:
        raise RenderError("\n".join(problems))


def put_in_place(paths: Paths, made: Mapping[str, Path], stamps: Mapping[str, str]) -> None:
    """Put rendered sites, by language, in place of those before, all at once. A site without a
    stamp is never called fresh. Sites of other languages stay."""
    replaced = {name for lang in made for name in (lang, stamp(paths, lang).name)}
    with whole.folder(paths.sites, carry=lambda name: name not in replaced) as folder:
        for lang, rendered in made.items():
            shutil.move(rendered, folder / lang)
        for lang, text in stamps.items():
            whole.write(folder / stamp(paths, lang).name, text)


def stamp(paths: Paths, lang: str) -> Path:
    """Where it is written what a site was made from: beside it."""
    site = paths.site(lang)
    return site.with_name(f".{site.name}.json")


def is_fresh(
    study: Study, lang: str, engine: Engine = "auto", others: Collection[str] = ()
) -> bool:
    """Whether the site in place was made by this engine from exactly these inputs.

    `others` are the languages that are rendered along with it.
    """
    chosen = choose_engine(engine)
    expected = {"engine": chosen, "inputs": fingerprint(study, lang, chosen, others)}
    return stands(study.paths, lang, expected)


def stands(paths: Paths, lang: str, made_of: dict[str, str]) -> bool:
    """Whether there is a site that was made of this."""
    path = stamp(paths, lang)
    if not path.is_file() or not (paths.site(lang) / "index.html").is_file():
        return False
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")) == made_of)
    except ValueError:  # cut short by hand or by a disk
        return False


def fingerprint(study: Study, lang: str, engine: str, others: Collection[str] = ()) -> str:
    """A hash of everything a page depends on, the pages of the other languages among it."""
    there = standing(study, {lang, *others})
    return digest(json.dumps(there, sort_keys=True), inputs(study, lang), engine)


def digest(told: str, files: Iterable[Path], engine: str) -> str:
    """A hash of a text, of files, and of the versions of what renders them."""
    found = hashlib.sha256(told.encode())
    for path in files:
        found.update(path.name.encode() + b"\0")
        found.update(hashlib.sha256(path.read_bytes()).digest())
    found.update("\n".join(_versions(engine)).encode())
    return found.hexdigest()


def inputs(study: Study, lang: str) -> Iterator[Path]:
    """The files a page depends on: results, pages, the study's definition, the code."""
    yield study.paths.root / "_quarto.yml"
    yield from sorted(study.paths.pages.glob("*.yml"))
    yield from within(study.paths.results, "*")
    yield from within(study.paths.pages / lang, "*.qmd", "*.yml")
    yield from within(study.paths.definition, "*")
    yield from within(PROJECT / "analysis", *CODE)


def within(folder: Path, *patterns: str) -> Iterator[Path]:
    """Files in and under a folder, in one order on every machine."""
    for pattern in patterns:
        yield from sorted(path for path in folder.rglob(pattern) if path.is_file())


def _versions(engine: str) -> list[str]:
    found = [platform.python_version(), *(f"{name} {version(name)}" for name in PACKAGES)]
    command = find_quarto() if engine == "quarto" else None
    if command:
        found.append(f"{Path(command).resolve()} {Path(command).stat().st_mtime_ns}")
    return found
