"""What must be true of a finished site, whatever engine made it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADS = {"script": "src", "img": "src", "iframe": "src", "source": "src", "object": "data"}
LEFTOVER = re.compile(r"\?@[\w-]+|`?\{python\}[^<]*")


@dataclass
class Html(HTMLParser):
    """Ids, links and loaded files of a page, and the text of its body."""

    ids: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    text: list[str] = field(default_factory=list)
    silent: int = 0

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {key: value or "" for key, value in attrs}
        if values.get("id"):
            self.ids.append(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and values.get("rel") == "alternate":
            self.links.append(values.get("href", ""))
        elif tag == "link" and values.get("href"):
            self.loads.append(values["href"])
        if values.get(LOADS.get(tag, "")):
            self.loads.append(values[LOADS[tag]])
        self.silent += tag in ("script", "style", "code")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("script", "style", "code")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.text.append(data)


def parse(path: Path) -> Html:
    page = Html()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def check_site(
    site: Path,
    names: Iterable[str],
    others: Mapping[str, Collection[str]] | None = None,
    written: Mapping[str, str] | None = None,
) -> list[str]:
    """Everything wrong with a site, one sentence each; an empty list when it is sound.

    `others` are the names of the pages of each language that stands beside it; `written` is what
    its own pages were written as, by name: what only looks like a reference or code that was left
    over, and is in none of them, is an answer or a label.
    """
    missing = [
        f"{name}.html was not made" for name in names if not (site / f"{name}.html").is_file()
    ]
    pages = {path.name: parse(path) for path in sorted(site.glob("*.html"))}
    problems = [
        problem for name, page in pages.items() for problem in _page(name, page, pages, site)
    ]
    problems += [
        f"{name}: {found} was not resolved"
        for name, page in pages.items()
        for found in _leftovers(page, None if written is None else written.get(name[:-5], ""))
    ]
    problems += [
        f"{name}: the link {link} goes to a page that is not there"
        for name, page in pages.items()
        for link in page.links
        if link.startswith("../") and not _beside(link, others or {})
    ]
    return missing + problems


def _page(name: str, page: Html, pages: dict[str, Html], site: Path) -> list[str]:
    double = sorted({one for one in page.ids if page.ids.count(one) > 1})
    return (
        [f"{name}: id {one} is there more than once" for one in double]
        + [f"{name}: {load} {why}" for load in page.loads if (why := _load(load, site))]
        + [f"{name}: the link {link} {why}" for link in page.links
           if (why := _link(link, name, pages, site))]
    )  # fmt: skip


def _leftovers(page: Html, written: str | None) -> list[str]:
    """References and code that stand in the text of a page, and in what it was written as."""
    found = LEFTOVER.findall("".join(page.text))
    return [one for one in found if written is None or _start(one) in written]


def _start(leftover: str) -> str:
    """The part of a leftover that no rendering changes: a name, the first word of code."""
    return " ".join(leftover.lstrip("?`").split()[:2])


def _load(load: str, site: Path) -> str | None:
    parts = urlsplit(load)
    if parts.scheme == "data":
        return None
    if parts.scheme or parts.netloc:
        return "is loaded from another host"
    return None if (site / unquote(parts.path)).is_file() else "is not in the site"


def _beside(link: str, others: Mapping[str, Collection[str]]) -> bool:
    """Whether a link out of the site leads to a page of another language."""
    match = re.fullmatch(r"\.\./([\w-]+)/([\w-]+)\.html", link)
    return match is not None and match[2] in others.get(match[1], ())


def _link(link: str, name: str, pages: dict[str, Html], site: Path) -> str | None:
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link.startswith("../"):
        return None
    target = parts.path or name
    if target in pages:
        missing = parts.fragment and unquote(parts.fragment) not in pages[target].ids
        return f"goes to an anchor that {target} does not have" if missing else None
    return None if (site / unquote(target)).is_file() else "goes to a file that is not in the site"
