"""A rendered report as one PDF document, printed by Chromium.

The pages of a site, whichever engine made them, are put one after another behind a cover and a
list of contents. Chromium finishes it by one script (`--dump-dom`: charts of the size that sheets
take, links, contents), then prints what is left, which needs neither scripts nor files: once to
learn on which page each chapter begins, and once with these numbers in the contents.
"""

from __future__ import annotations

import datetime as dt
import io
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from pypdf import PdfReader, PdfWriter
from pypdf.generic import BooleanObject, DictionaryObject, NameObject

from analysis import whole
from analysis.errors import InputError, Problem
from analysis.lock import lock
from analysis.publish.pages import Page, RenderError
from analysis.publish.stage import ASSETS, TEXTS, long_date, written
from analysis.study import Study

Log = Callable[[str], None]
VARIABLE = "LEARNER_SURVEY_CHROMIUM"
COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# The first that prints what @page puts into the margins: page numbers and running heads.
OLDEST = 131
TIMEOUT = 600  # seconds, for the slowest machine
PATIENCE = 60_000  # virtual milliseconds for the script: they cost no time where nothing waits
SWITCHES = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars",
    "--disable-dev-shm-usage",
)  # fmt: skip
PRINT = ("--no-pdf-header-footer", "--generate-pdf-document-outline", "--export-tagged-pdf")
# Nothing is loaded that is not in the document; the drawing needs the scripts of the site.
DRAWING = "default-src 'none'; style-src 'unsafe-inline'; img-src data: file:; script-src file:"
STILL = "default-src 'none'; style-src 'unsafe-inline'; img-src data: file:"

MAIN = re.compile(r"<main\b[^>]*>(.*?)</main>", re.DOTALL)
BANNER = re.compile(r'<div class="banner"[^>]*>(.*?)</div>', re.DOTALL)
FOOT = re.compile(r'<footer class="foot">(.*?)</footer>', re.DOTALL)
LINE = re.compile(r"<p>.*?</p>", re.DOTALL)
REFERENCES = re.compile(r'<section class="references".*?</section>', re.DOTALL)
NUMBER = re.compile(r'(<span class="page-number" data-page="([^"]+)">)[^<]*')
LINKED = re.compile(r'\n<p class="whole">.*?</p>', re.DOTALL)


@dataclass(frozen=True)
class Document:
    """What a document says of itself: its language, title, author, subject, the last day of its
    data, its licence and texts."""

    lang: str
    title: str
    author: str
    subject: str
    day: dt.date
    licence: str
    texts: Mapping[str, Any]

    def word(self, key: str) -> str:
        """A text of the document, not yet escaped."""
        return str(self.texts["paper"][key])


def describe(study: Study, lang: str) -> Document:
    """What the document of a study says of itself."""
    definition = study.definition
    texts = yaml.safe_load(TEXTS.read_text(encoding="utf-8"))[lang]
    field = definition.field[lang]
    period = texts["kicker"].format(
        field=field[:1].upper() + field[1:],
        start=long_date(definition.period.start, texts),
        end=long_date(definition.period.end, texts),
    )
    title, licence = definition.title[lang], definition.licence.name
    last = definition.period.end
    return Document(lang, title, definition.publisher, period, last, licence, texts)


def pdf_path(study: Study, lang: str) -> Path:
    """Where the document of a language stands: in its site."""
    return study.paths.site(lang) / f"{study.name}_{lang}.pdf"


def print_report(study: Study, lang: str, log: Log = lambda _: None) -> Path:
    """Print the rendered site of a language; gives the path of the PDF.

    The site must be in place. A page whose front matter says `paper: false` is left out. The file
    appears whole or not at all, and then every page of the site links to it.
    Raises InputError where there is no Chromium, RenderError for a document that is not sound.
    """
    command = find_chromium()
    site, target = study.paths.site(lang), pdf_path(study, lang)
    pages = [page for page in written(study, lang).pages if page.front.get("paper", True)]
    document = describe(study, lang)
    with lock(study.paths, say=log):
        # Not in /tmp, which a confined Chromium (Ubuntu's) does not see.
        with tempfile.TemporaryDirectory(prefix="paper-", dir=study.paths.clean) as folder:
            content = print_pages(command, compose(site, pages, document), Path(folder), log)
        content = describe_pdf(content, document)
        # The document and the links to it, together.
        with whole.folder(study.paths.sites, carry=lambda _: True) as sites:
            whole.write(sites / lang / target.name, content)
            text = document.word("download").format(pages=count(content))
            link(sites / lang, target.name, text)
    return target


def print_pages(command: str, html: str, work: Path, log: Log) -> bytes:
    """A composed document as a PDF, with the pages of the contents filled in."""
    log("charts of the document")
    still = draw(command, html, work)
    log("pages of the document")
    first = destinations(print_html(command, still, work))
    log("numbers of the pages")
    content = print_html(command, number(still, first), work)
    if destinations(content) != first:
        raise RenderError("the pages of the document moved when they were numbered")
    return content


# Chromium --------------------------------------------------------------------------------------


def find_chromium() -> str:
    """The Chromium to print with. Raises InputError where there is none, or one too old."""
    named = os.environ.get(VARIABLE)
    command = (
        shutil.which(named) if named else next(filter(None, map(shutil.which, COMMANDS)), None)
    )
    if command is None:
        raise _missing(named or "none of " + ", ".join(COMMANDS))
    said = subprocess.run([command, "--version"], check=False, capture_output=True, text=True)
    match = re.search(r"(\d+)\.\d+\.\d+", said.stdout)
    if match is None or int(match[1]) < OLDEST:
        raise _missing(said.stdout.strip() or f"{command} does not say its version")
    return command


def _missing(found: str) -> InputError:
    return InputError(
        [
            Problem(
                "report --pdf",
                "a document is printed by Chromium",
                found,
                f"Chromium or Chrome {OLDEST} or later on the PATH, or named by {VARIABLE}",
                "install it (Debian: apt-get install chromium) and call the command again",
            )
        ]
    )


def _chromium(command: str, page: Path, work: Path, *switches: str) -> bytes:
    """Run Chromium on a file; gives what it wrote to its standard output."""
    # Chromium refuses its sandbox to root, the only user that most containers have.
    sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    call = [command, *SWITCHES, *sandbox, f"--user-data-dir={work / 'profile'}", *switches]
    try:
        done = subprocess.run(
            [*call, page.as_uri()], check=False, capture_output=True, timeout=TIMEOUT
        )
    except subprocess.TimeoutExpired as error:
        raise RenderError(f"Chromium did not end within {TIMEOUT} seconds") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise RenderError("Chromium: " + " ".join(said[-3:]))
    return done.stdout


def draw(command: str, html: str, work: Path) -> str:
    """A document as its script leaves it: charts as images, ids and links its own, no script."""
    page = work / "drawing.html"
    page.write_text(html, encoding="utf-8")
    dumped = _chromium(command, page, work, "--dump-dom", f"--virtual-time-budget={PATIENCE}")
    still = dumped.decode("utf-8").replace(DRAWING, STILL)
    charts, drawn = still.count("data-chart="), still.count('data-drawn="true"')
    if 'data-ready="true"' not in still or charts != drawn:
        raise RenderError(f"{charts - drawn} of {charts} charts were not drawn for the document")
    return still


def print_html(command: str, html: str, work: Path) -> bytes:
    """A document without scripts as a PDF."""
    page, target = work / "document.html", work / "document.pdf"
    page.write_text(html, encoding="utf-8")
    target.unlink(missing_ok=True)
    _chromium(command, page, work, *PRINT, f"--print-to-pdf={target}")
    if not target.is_file():
        raise RenderError("Chromium wrote no document")
    return target.read_bytes()


# The document ----------------------------------------------------------------------------------


def compose(site: Path, pages: Sequence[Page], document: Document) -> str:
    """The HTML of the whole document, for paper.js to finish."""
    index = (site / "index.html").read_text(encoding="utf-8")
    lang, title = escape(document.lang), escape(document.title)
    script = (ASSETS / "paper.js").resolve().as_uri()
    return "\n".join(
        [
            f'<!DOCTYPE html>\n<html lang="{lang}" class="on-paper">\n<head>',
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{DRAWING}">',
            '<meta name="color-scheme" content="light">',
            f"<title>{title}</title>",
            f"<style>{styles(site)}\n{running_heads(pages)}</style>",
            "</head>\n<body>",
            cover(index, document),
            f'<nav class="contents"><h1>{escape(document.word("contents"))}</h1><ol></ol></nav>',
            *(chapter(site, page, at) for at, page in enumerate(pages, 1)),
            colophon(index, document),
            f'<script src="{script}"></script>',
            "</body>\n</html>",
        ]
    )


def styles(site: Path) -> str:
    """The styles of the site as on paper, and those of the document after them.

    What they say of print holds while the charts are sized, too, which is done on a screen.
    """
    paths = [site / "assets" / "page.css", site / "assets" / "charts.css", ASSETS / "paper.css"]
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    return text.replace("@media print", "@media all").replace("@media screen", "@media (width: 0)")


def running_heads(pages: Sequence[Page]) -> str:
    """The title of each chapter at the head of its pages: CSS has no other way in Chromium."""
    rules = []
    for at, page in enumerate(pages, 1):
        title = page.title.replace("\\", "\\\\").replace('"', '\\"').replace("<", "\\3c ")
        rules.append(f"#{page.name} {{ page: chapter-{at} }}")
        rules.append(f'@page chapter-{at} {{ @top-right {{ content: "{title}" }} }}')
    return "\n".join(rules)


def chapter(site: Path, page: Page, at: int) -> str:
    """The text of a page as a chapter. Raises RenderError for a page without one."""
    path = site / f"{page.name}.html"
    body = MAIN.search(path.read_text(encoding="utf-8"))
    if body is None:
        raise RenderError(f"{path.name} has no main part to print")
    return (
        f'<section class="chapter" id="{page.name}" data-number="{at}" '
        f'data-title="{escape(page.title)}">\n{body[1]}\n</section>'
    )


def cover(index: str, document: Document) -> str:
    """The first sheet: who publishes what, about when, and that no answer is a real one."""
    texts = document.texts
    banner = BANNER.search(index)
    warning = f'<p class="warning">{_inner(banner[1])}</p>' if banner else ""
    # The day of the data, and not of the printing: the same data give the same document.
    made = document.word("made").format(
        date=long_date(document.day, texts),
        version=version("learner-survey"),
        licence=document.licence,
    )
    return (
        '<header class="cover">'
        f'<p class="publisher">{escape(document.author)}</p>'
        f'<p class="title">{escape(document.title)}</p>'
        f'<p class="period">{escape(document.subject)}</p>'
        f'{warning}<p class="date">{escape(made)}</p></header>'
    )


def _inner(html: str) -> str:
    """The content of the one paragraph a region may hold."""
    return re.sub(r"</?p>", "", html).strip()


def colophon(index: str, document: Document) -> str:
    """The last part: source, citation, licence, versions, and the addresses of the links."""
    foot = FOOT.search(index)
    lines = LINE.findall(REFERENCES.sub("", LINKED.sub("", foot[1]))) if foot else []
    about, addresses = escape(document.word("about")), escape(document.texts["references"])
    return (
        f'<section class="colophon" id="about" data-title="{about}"><h1>{about}</h1>'
        f"{''.join(lines)}"
        f'<div class="addresses"><h2>{addresses}</h2><ol></ol></div></section>'
    )


def number(html: str, pages: Mapping[str, int]) -> str:
    """The contents with the page of each entry. Raises RenderError for one that has none."""
    missing = [found[2] for found in NUMBER.finditer(html) if found[2] not in pages]
    if missing:
        raise RenderError(f"no page of the document begins {', '.join(missing)}")
    return NUMBER.sub(lambda found: f"{found[1]}{pages[found[2]]}", html)


# The file --------------------------------------------------------------------------------------


def destinations(content: bytes) -> dict[str, int]:
    """The page, counted from 1, of every place that a link of a document leads to."""
    reader = PdfReader(io.BytesIO(content))
    return {
        unquote(name.removeprefix("/")): 1 + (reader.get_destination_page_number(place) or 0)
        for name, place in reader.named_destinations.items()
    }


def count(content: bytes) -> int:
    """How many pages a document has."""
    return len(PdfReader(io.BytesIO(content)).pages)


def describe_pdf(content: bytes, document: Document) -> bytes:
    """A document that says who made it, and shows its title instead of its file name."""
    writer = PdfWriter(clone_from=io.BytesIO(content))
    day = f"D:{document.day:%Y%m%d}000000Z"
    writer.add_metadata({"/Author": document.author, "/Subject": document.subject,
                         "/CreationDate": day, "/ModDate": day})  # fmt: skip
    shown = DictionaryObject({NameObject("/DisplayDocTitle"): BooleanObject(True)})
    writer.root_object[NameObject("/ViewerPreferences")] = shown
    writer.pdf_header = PdfReader(io.BytesIO(content)).pdf_header
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def link(site: Path, name: str, text: str) -> None:
    """Link the document from the foot of every page; a site rendered anew has no such link."""
    line = f'\n<p class="whole"><a href="{escape(name)}">{escape(text)}</a></p>'
    for path in sorted(site.glob("*.html")):
        html = LINKED.sub("", path.read_text(encoding="utf-8"))
        head = '<footer class="foot">'
        whole.write(path, html.replace(head, head + line, 1))
