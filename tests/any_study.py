"""Studies with other roles than the national one, and their pages made without a kernel."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_up
import pypandoc
import yaml

from analysis.display import figure
from analysis.display.report import Report, open_report
from analysis.display.traced import Traced
from analysis.paths import PROJECT
from analysis.publish.check import check_site
from analysis.publish.notebook import INLINE
from analysis.publish.pages import Cell, Page
from analysis.publish.pandoc import convert
from analysis.publish.stage import Staged, stage
from analysis.release.build import release
from analysis.release.exports import write_results
from analysis.safe_yaml import read_yaml
from analysis.study import Study, load_study

NATIONAL = "cnc_afdas_2026"
REFERS = ("no_training", "satisfied")


def definition() -> dict[str, Any]:
    path = PROJECT / "studies" / NATIONAL / "study.yml"
    return read_yaml(path.read_text(encoding="utf-8"))


def project(root: Path, tree: Mapping[str, Any], questionnaire: str | None = None) -> Study:
    """A study in a folder of its own, with the common pages and none of its own."""
    folder = root / "studies" / tree["study"]
    folder.mkdir(parents=True)
    text = yaml.safe_dump(dict(tree), allow_unicode=True, sort_keys=False)
    (folder / "study.yml").write_text(text, encoding="utf-8")
    form = folder / "questionnaire.csv"
    if questionnaire is not None:
        form.write_text(questionnaire, encoding="utf-8")
    elif "survey" in tree["sources"]:
        shutil.copyfile(PROJECT / "studies" / NATIONAL / "questionnaire.csv", form)
    shutil.copytree(PROJECT / "report", root / "report")
    shutil.copyfile(PROJECT / "_quarto.yml", root / "_quarto.yml")
    return load_study(tree["study"], root)


def released(study: Study, people: int = 150, seed: int = 1) -> Study:
    """The same study with results on answers made at random."""
    # The routing of the national questionnaire holds whoever plays which part.
    whole = load_study(NATIONAL) if study.name == NATIONAL else study
    frames = release(study, made_up.tables(whole, people, seed))
    study.paths.results.mkdir(parents=True)
    write_results(study.paths.results, frames, study)
    (study.paths.results / "provenance.json").write_text("{}\n", encoding="utf-8")
    return study


def without(tree: dict[str, Any], roles: set[str]) -> dict[str, Any]:
    """A definition in which nobody plays these roles."""
    kept = {name: value for name, value in tree["roles"].items() if name not in roles}
    return {**tree, "roles": kept}


def written(report: Report, page: Page) -> str:
    """The Markdown of a page, its cells run in this process."""
    space: dict[str, Any] = {"open_report": lambda: report}
    texts = [page.header]
    for part in page.parts:
        if isinstance(part, Cell):
            shown = run(part.source, space)
            texts.append(shown.data + "\n" if hasattr(shown, "data") else "\n")
        else:
            texts.append(INLINE.sub(lambda m: m[1] + told(report, eval(m[2], space)), part.text))
    return "".join(texts)


def run(source: str, space: dict[str, Any]) -> Any:
    """Execute a cell; gives the value of its last line."""
    tree = ast.parse(source.replace("from analysis.display.report import open_report; ", ""))
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), space)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), space) if last else None


def told(report: Report, value: object) -> str:
    """A value in a sentence, as a page shows it."""
    if isinstance(value, Traced):
        return report.linked(value)
    return figure.markdown(value) if isinstance(value, str) else str(value)


def pages(study: Study, lang: str) -> tuple[Staged, dict[str, str]]:
    """The staged report of a language, and the Markdown of each of its pages."""
    staged = stage(study, lang)
    report = open_report(study.name, lang, study.paths.root)
    # A report notes what a page cites: each page has one of its own.
    return staged, {page.name: written(replace(report), page) for page in staged.report.pages}


def problems(study: Study, lang: str) -> list[str]:
    """Everything wrong with the pages of a study, converted without a kernel."""
    staged, texts = pages(study, lang)
    site, pandoc = staged.folder / "_site", pypandoc.get_pandoc_path()
    site.mkdir()
    for page in staged.report.pages:
        convert(pandoc, staged.folder, page, texts[page.name])
    for name in ("assets", "downloads"):
        (staged.folder / name).rename(site / name)
    return check_site(site, list(texts), staged.standing)
