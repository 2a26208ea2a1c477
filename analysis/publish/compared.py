"""The page of a comparison of studies: a site of one page a language, as a report is rendered."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from analysis.errors import InputError, Problem, nearest
from analysis.lock import lock
from analysis.paths import COMPARE, PROJECT, ComparedPaths, compared_paths
from analysis.plain import markdown
from analysis.publish import site
from analysis.publish.pages import Report, read_page
from analysis.publish.stage import (
    TEXTS,
    Staged,
    address,
    config,
    engine_files,
    languages,
    site_files,
    versions,
)
from analysis.study import Study

# Where the page stands, below the pages of its language: it is a page of no study's report.
PAGE = "index"


def pages_in(pages: Path, langs: Sequence[str], asked: str | None) -> list[str]:
    """Languages to render: the one asked for, or all that the studies share and the page is
    written in. Raises InputError."""
    written = [lang for lang in langs if (pages / lang / COMPARE / f"{PAGE}.qmd").is_file()]
    if asked is None and written:
        return written
    if asked not in written:
        found = Problem(f"report/*/{COMPARE}/", "a comparison is rendered in a language that its "
                        "page is written in and that the studies share", asked or "none",
                        ", ".join(written) or "one that all the studies have",
                        nearest(asked or "", written) if written else "write the page")  # fmt: skip
        raise InputError([found])
    return [asked]


def render(
    studies: Sequence[Study], langs: Sequence[str], engine: str, log: site.Log = lambda _: None
) -> list[Path]:
    """Render the comparison of studies in several languages; gives the folders of the sites.

    All appear or none does, and those stay that nothing changed of. Raises RenderError.
    """
    paths = compared_paths([study.name for study in studies], studies[0].paths.root)
    with lock(paths, say=log):
        now = {lang: _made_of(studies, paths, lang, langs, engine) for lang in langs}
        stale = [lang for lang in langs if not site.stands(paths, lang, now[lang])]
        made = {
            lang: site.rendered_whole(_stage(studies, paths, lang, langs), engine, log)
            for lang in stale
        }
        if made:
            stamps = {lang: json.dumps(now[lang]) for lang in made}
            site.put_in_place(paths, made, stamps)
    return [paths.site(lang) for lang in langs]


def _made_of(
    studies: Sequence[Study], paths: ComparedPaths, lang: str, langs: Sequence[str], engine: str
) -> dict[str, str]:
    files = [
        paths.root / "_quarto.yml",
        *site.within(paths.results, "*"),
        *site.within(paths.pages, "*.yml"),
        *site.within(paths.pages / lang / COMPARE, "*.qmd"),
        *(path for study in studies for path in site.within(study.paths.definition, "*")),
        *site.within(PROJECT / "analysis", *site.CODE),
    ]
    return {"engine": engine, "inputs": site.digest(" ".join(langs), files, engine)}


def _stage(
    studies: Sequence[Study], paths: ComparedPaths, lang: str, langs: Sequence[str]
) -> Staged:
    """Write the project of one language to `data/clean/compare/…/pages/LANG`, from nothing."""
    folder = paths.clean / "pages" / lang
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    source = paths.pages / lang / COMPARE / f"{PAGE}.qmd"
    shutil.copyfile(source, folder / source.name)
    report = Report((read_page(source),), ())
    there = {one: [PAGE] for one in langs}
    told = _context(studies, lang, report, there)
    (folder / "context.json").write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    tree = config(paths.root / "_quarto.yml", lang, report)
    (folder / "_quarto.yml").write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    engine_files(folder)
    site_files(paths.results, folder)
    return Staged(folder, report, _environment(studies, lang), there)


def _environment(studies: Sequence[Study], lang: str) -> dict[str, str]:
    return {
        **os.environ,
        "LEARNER_SURVEY_STUDIES": " ".join(study.name for study in studies),
        "LEARNER_SURVEY_LANG": lang,
        "LEARNER_SURVEY_ROOT": str(studies[0].paths.root),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def _context(
    studies: Sequence[Study], lang: str, report: Report, there: Mapping[str, Collection[str]]
) -> dict[str, Any]:
    """What the page knows of the studies, for report.lua."""
    spoken = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    texts = spoken[lang]
    definitions = [study.definition for study in studies]
    brands = list(dict.fromkeys(item.brand[lang] for item in definitions))
    rebuilt = [item.brand[lang] for item in definitions if item.synthetic]
    title = report.pages[0].title
    return {
        "lang": lang,
        "brand": " · ".join(brands) if len(brands) < 4 else title,
        "field": texts["compared"]["field"],
        "kicker": texts["compared"]["kicker"].format(n=len(studies)),
        "banner": texts["compared"]["banner"].format(
            names=markdown(", ".join(dict.fromkeys(rebuilt)))
        )
        if rebuilt else None,
        "footer": _footer(studies, lang, texts),
        "languages": languages(lang, there, spoken),
        "nav": [{"page": PAGE, "href": f"{PAGE}.html", "title": title}],
        "pages": {PAGE: True},
        "left_out": {},
        "texts": {key: value for key, value in texts.items() if isinstance(value, str | dict)},
    }  # fmt: skip


def _footer(studies: Sequence[Study], lang: str, texts: Mapping[str, Any]) -> list[str]:
    """Lines at the foot: each study and where it was published, licences, versions."""
    definitions = [study.definition for study in studies]
    lines = [
        texts["cite"].format(
            publisher=markdown(item.publisher),
            title=markdown(item.title[lang]),
            version=version("learner-survey"),
        )
        for item in definitions
    ]
    licences = dict.fromkeys((item.licence.name, item.licence.url) for item in definitions)
    lines += [
        texts["licence"].format(name=markdown(name), url=address(url)) for name, url in licences
    ]
    return [*lines, texts["versions"].format(versions=", ".join(versions()))]
