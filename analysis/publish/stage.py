"""A study's report as a Quarto project of its own, which either engine renders."""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import platform
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from analysis.plain import markdown
from analysis.publish.bundle import plotly_bundle
from analysis.publish.only import conditions, only
from analysis.publish.pages import Page, Report, page_files, read_page, read_report
from analysis.study import Study

ASSETS = Path(__file__).parent / "assets"
CHART_ASSETS = Path(__file__).parent.parent / "display" / "assets"
TEXTS = Path(__file__).parent / "texts.yml"
TABLES = (".csv", ".xlsx", ".parquet")
DESCRIPTIONS = ("datapackage.json", "provenance.json")
NAMED_VERSIONS = ("pandas", "scipy", "plotly")


@dataclass(frozen=True)
class Staged:
    """A project ready to render: its folder, its pages, the environment cells run in, and the
    names of the pages there will be in each language."""

    folder: Path
    report: Report
    environment: Mapping[str, str]
    standing: Mapping[str, Collection[str]]


def stage(study: Study, lang: str, others: Collection[str] = ()) -> Staged:
    """Write the project of one language to `data/clean/STUDY/pages/LANG`, from nothing.

    `others` are the languages rendered along with it, which its pages may lead to.
    """
    folder = study.paths.clean / "pages" / lang
    project = study.paths.root / "_quarto.yml"
    report = written(study, lang)
    there = standing(study, {lang, *others})
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    staged = [stage_page(study, lang, page.name, folder) for page in report.pages]
    report = Report(tuple(staged), report.left_out)
    _write(
        folder / "context.json", json.dumps(context(study, lang, report, there), ensure_ascii=False)
    )
    _write(folder / "_quarto.yml", yaml.safe_dump(config(project, lang, report), sort_keys=False))
    engine_files(folder)
    site_files(study.paths.results, folder)
    return Staged(folder, report, environment(study, lang), there)


def written(study: Study, lang: str) -> Report:
    """The pages written in a language that the study has results for."""
    paths = study.paths
    project, own = paths.root / "_quarto.yml", paths.own_pages / lang
    return read_report(paths.pages / lang, project, chapters(study), own)


def files(study: Study, lang: str) -> dict[str, Path]:
    """The file of each page of a study in a language, by name."""
    return page_files(study.paths.pages / lang, study.paths.own_pages / lang)


def holds(study: Study, lang: str) -> dict[str, bool]:
    """What passages of a page may ask for, and whether the study has it."""
    report = written(study, lang)
    stands = {page.name: True for page in report.pages} | dict.fromkeys(report.left_out, False)
    return conditions(study, stands)


def stage_page(study: Study, lang: str, name: str, folder: Path) -> Page:
    """Write one page into a folder, without the passages that the study does not have."""
    source = files(study, lang)[name]
    text = only(source.read_text(encoding="utf-8"), holds(study, lang), source.name)
    _write(folder / source.name, text)
    return read_page(folder / source.name)


def standing(study: Study, rendered: Collection[str]) -> dict[str, list[str]]:
    """Names of the pages that stand once the languages `rendered` are, by language.

    A language that is not rendered now has the pages of its last rendering, if there was one: a
    page never leads to one that is not there.
    """
    found = {}
    for lang in study.definition.languages:
        if lang in rendered:
            found[lang] = [page.name for page in written(study, lang).pages]
        elif (study.paths.site(lang) / "index.html").is_file():
            found[lang] = sorted(path.stem for path in study.paths.site(lang).glob("*.html"))
    return found


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def chapters(study: Study) -> set[str]:
    """Chapters the results hold; a page about another one has nothing to say."""
    found: set[str] = set()
    for name in ("estimates.csv", "audit.csv"):
        path = study.paths.results / name
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as handle:
                reader = csv.DictReader(handle)
                found |= {row.get("chapter") or path.stem for row in reader}
    if (study.paths.results / "titles.csv").is_file():
        found.add("titles")
    crosses = study.paths.results / "crosses.csv"
    # Many rows, of chapters already named: that there is one is enough.
    if crosses.is_file() and len(crosses.read_bytes().split(b"\n", 2)) > 2:
        found.add("crosses")
    return found


def config(project: Path, lang: str, report: Report) -> dict[str, Any]:
    """The staged `_quarto.yml`: the root's, for one language and pages at the top level."""
    tree = yaml.safe_load(project.read_text(encoding="utf-8"))
    names = [f"{page.name}.qmd" for page in report.pages]
    tree["project"] = {
        "type": "website",
        "output-dir": "_site",
        "render": names,
        "resources": ["assets", "downloads"],
    }
    tree["lang"] = lang
    tree["website"]["sidebar"]["contents"] = names
    form = tree["format"]["html"]
    form["template"] = "_render/template.html"
    form["filters"] = [{"path": "_render/report.lua", "at": "pre-ast"}]
    return tree


def engine_files(folder: Path) -> None:
    """What both engines need beside the pages: the template and the filter."""
    render = folder / "_render"
    render.mkdir()
    for name in ("template.html", "report.lua"):
        shutil.copyfile(ASSETS / name, render / name)


def site_files(results: Path, site: Path) -> None:
    """What every site holds beside its pages: styles, scripts, and results to download."""
    (site / "assets").mkdir(exist_ok=True)
    for path in [*ASSETS.glob("page.*"), *CHART_ASSETS.glob("*.*")]:
        shutil.copyfile(path, site / "assets" / path.name)
    shutil.copyfile(plotly_bundle(), site / "assets" / "plotly.min.js")
    (site / "downloads").mkdir(exist_ok=True)
    for path in sorted(results.glob("*")):
        if path.suffix in TABLES or path.name in DESCRIPTIONS:
            shutil.copyfile(path, site / "downloads" / path.name)


def environment(study: Study, lang: str) -> dict[str, str]:
    """The environment of the cells: which study, where, in which language."""
    return {
        **os.environ,
        "LEARNER_SURVEY_STUDY": study.name,
        "LEARNER_SURVEY_LANG": lang,
        "LEARNER_SURVEY_ROOT": str(study.paths.root),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def context(
    study: Study, lang: str, report: Report, there: Mapping[str, Collection[str]]
) -> dict[str, Any]:
    """What a page knows of the study and of the other pages, for report.lua."""
    definition = study.definition
    spoken = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))
    texts = spoken[lang]
    return {
        "lang": lang,
        "brand": definition.brand[lang],
        "field": definition.field[lang],
        "kicker": texts["kicker"].format(
            field=_capital(definition.field[lang]),
            start=long_date(definition.period.start, texts),
            end=long_date(definition.period.end, texts),
        ),
        "banner": texts["banner"] if definition.synthetic else None,
        "footer": footer(study, lang, texts),
        "languages": languages(lang, there, spoken),
        "nav": [
            {"page": page.name, "href": f"{page.name}.html", "title": page.title}
            for page in report.pages
        ],
        "pages": {page.name: True for page in report.pages},
        "left_out": dict.fromkeys(report.left_out, True),
        "holds": holds(study, lang),
        "texts": {key: value for key, value in texts.items() if isinstance(value, str | dict)},
    }


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def long_date(day: dt.date, texts: Mapping[str, Any]) -> str:
    """A date in words: 1er janvier 2026, 1 January 2026."""
    number = texts["first"] if day.day == 1 else str(day.day)
    month = texts["months"][day.month - 1]
    return texts["date"].format(day=number, month=month, year=day.year)


def languages(
    lang: str, there: Mapping[str, Collection[str]], spoken: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Languages to switch between, with the pages of each: none where there is one only."""
    if len(there) < 2:
        return []
    return [
        {
            "code": code,
            "name": spoken[code]["name"],
            "folder": "" if code == lang else f"../{code}/",
            "current": code == lang,
            "pages": dict.fromkeys(names, True),
        }
        for code, names in there.items()
    ]


def footer(study: Study, lang: str, texts: Mapping[str, str]) -> list[str]:
    """Lines at the foot of each page, as Markdown: source, citation, licence, versions."""
    definition = study.definition
    ours = version("learner-survey")
    lines = [
        texts["cite"].format(
            publisher=markdown(definition.publisher),
            title=markdown(definition.title[lang]),
            version=ours,
        ),
        texts["licence"].format(
            name=markdown(definition.licence.name), url=address(definition.licence.url)
        ),
        texts["versions"].format(versions=", ".join(versions())),
    ]
    if definition.published.get(lang):
        lines.insert(0, texts["source"].format(published=markdown(definition.published[lang])))
    return lines


def address(url: str) -> str:
    """An address as the target of a link in Markdown."""
    return quote(url, safe="%/:=&?~#+!$,;'@*")


def versions() -> list[str]:
    """The programs whose version may change a number or a picture."""
    return [f"Python {platform.python_version()}"] + [
        f"{name} {version(name)}" for name in NAMED_VERSIONS
    ]
