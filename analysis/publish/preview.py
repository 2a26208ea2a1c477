"""The report while it is written: served on this machine, made again as its sources change.

A change of prose converts that page alone, and executes it, in a process that stays warm, only
where its code changed too: pages are executed ahead while nothing changes. Any other change (words,
labels, data, code) runs `python -m analysis report` anew, which knows what is stale.
What is wrong is said in the terminal and over the page, and the next change tries again.
The script that reloads a page is put in as it is served: files of the site are as published.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pypandoc

from analysis.errors import InputError
from analysis.lock import lock
from analysis.paths import PROJECT
from analysis.publish.check import check_site
from analysis.publish.notebook import Output, Python, code, outputs, python, written
from analysis.publish.pages import Page, RenderError, read_page
from analysis.publish.pandoc import convert
from analysis.publish.site import stamp
from analysis.publish.stage import environment, files, stage_page, standing
from analysis.study import Study

STATE, RELOAD = "/preview.json", "/preview.js"
# How often files and, in the browser, the state are looked at, in seconds.
EVERY = 0.2
SCRIPT = """(() => {
  let seen
  const box = document.createElement("pre")
  box.setAttribute("role", "alert")
  box.style.cssText = "position:fixed;inset:auto 0 0 0;z-index:99;margin:0;padding:1rem;" +
    "max-height:50vh;overflow:auto;white-space:pre-wrap;background:#7a1020;color:#fff"
  const ask = async () => {
    try {
      const state = await (await fetch("STATE", { cache: "no-store" })).json()
      if (seen !== undefined && state.version !== seen) location.reload()
      seen = state.version
      box.textContent = state.error
      if (state.error) document.body.append(box)
      else box.remove()
    } catch { /* the preview was stopped, or starts again */ }
    setTimeout(ask, PAUSE)
  }
  ask()
})()
""".replace("STATE", STATE).replace("PAUSE", str(int(1000 * EVERY)))

Snapshot = Mapping[Path, int]
Log = Callable[[str], None]


@dataclass
class State:
    """What an open page asks for: how many times the site was made, and what is wrong now."""

    version: int = 0
    error: str = ""


def watched(study: Study) -> Iterator[Path]:
    """Every file a report is made from: pages, the study, its raw data, the code and its words."""
    root = study.paths.root
    yield root / "_quarto.yml"
    for folder in (study.paths.pages, study.paths.definition, root / "data/raw" / study.name,
                   PROJECT / "analysis"):  # fmt: skip
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def snapshot(study: Study) -> Snapshot:
    """When each file was last written, in nanoseconds."""
    found = {}
    for path in watched(study):
        try:
            found[path] = path.stat().st_mtime_ns
        except FileNotFoundError:  # an editor was just replacing it
            continue
    return found


def changes(before: Snapshot, after: Snapshot) -> set[Path]:
    """Files written, added or removed between two snapshots."""
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


def report_anew(study: Study, lang: str) -> str:
    """Make the whole report in a process of its own, which has the code as it now is; gives what
    is wrong, "" for nothing."""
    command = [sys.executable, "-m", "analysis", "report", study.name, "--lang", lang,
               "--engine", "pandoc", "--root", str(study.paths.root)]  # fmt: skip
    done = subprocess.run(command, cwd=PROJECT, check=False, capture_output=True, text=True)
    return done.stderr.strip() or f"exit {done.returncode}" if done.returncode else ""


@dataclass
class Preview:
    """One study in one language. `rebuild` makes the whole report and gives what is wrong."""

    study: Study
    lang: str
    rebuild: Callable[[Study, str], str] = report_anew
    state: State = field(default_factory=State)
    _process: AbstractContextManager[Python] | None = None
    _python: Python | None = None
    _executed: dict[str, tuple[list[str], list[list[Output]]]] = field(default_factory=dict)

    @property
    def site(self) -> Path:
        return self.study.paths.site(self.lang)

    @property
    def staged(self) -> Path:
        return self.study.paths.clean / "pages" / self.lang

    def start(self) -> None:
        """Make the report, and have a process ready for its pages."""
        self._tell(self.rebuild(self.study, self.lang))
        self._warm()

    def stop(self) -> None:
        if self._process is not None:
            self._process.__exit__(None, None, None)
        self._process = self._python = None
        self._executed.clear()

    def update(self, changed: set[Path]) -> None:
        """Make again what these files change."""
        pages = [path for path in sorted(changed) if self._only_page(path)]
        if len(pages) < len(changed) or not self.staged.is_dir():
            self.stop()
            self._tell(self.rebuild(self.study, self.lang))
            self._warm()
            return
        try:
            for path in pages:
                self.page(path)
        except (RenderError, InputError) as error:
            self._tell(str(error))
        else:
            sources = (self.study.paths.pages / self.lang).glob("*.qmd")
            texts = {path.stem: path.read_text(encoding="utf-8") for path in sources}
            others = standing(self.study, {self.lang})
            self._tell("\n".join(check_site(self.site, [], others, texts)))

    def page(self, path: Path) -> None:
        """Execute and convert one page, and put it in its place. Raises RenderError."""
        with lock(self.study.paths):
            # What the site was made from says nothing of it once a page was replaced.
            stamp(self.study.paths, self.lang).unlink(missing_ok=True)
            page = stage_page(self.study, self.lang, path.stem, self.staged)
            (self.staged / "_site").mkdir(exist_ok=True)
            pandoc = pypandoc.get_pandoc_path()
            convert(pandoc, self.staged, page, written(page, self._outputs(page)))
            (self.staged / "_site" / f"{page.name}.html").replace(self.site / f"{page.name}.html")

    def _outputs(self, page: Page) -> list[list[Output]]:
        """Outputs of a page, executed only where its code is not what it was."""
        steps = code(page)
        if self._executed.get(page.name, ([], []))[0] != steps:
            assert self._python is not None
            self._executed[page.name] = steps, outputs(page, self._python)
        return self._executed[page.name][1]

    def ahead(self) -> None:
        """Execute one page that was not yet, so that a change of its prose only converts it."""
        staged = sorted(self.staged.glob("*.qmd")) if self._python else []
        path = next((path for path in staged if path.stem not in self._executed), None)
        if path is not None:
            self._executed[path.stem] = [], []
            with suppress(RenderError):  # said when the report was made
                self._outputs(read_page(path))

    def _only_page(self, path: Path) -> bool:
        """Whether a change of this file touches its own page alone: its title, which every menu
        prints, and its place among the pages are as they were."""
        old = self.staged / path.name
        if files(self.study, self.lang).get(path.stem) != path:
            return False
        if not (path.is_file() and old.is_file() and (self.site / f"{path.stem}.html").is_file()):
            return False
        try:
            return read_page(path).header == read_page(old).header
        except RenderError:
            return True  # told by the page itself

    def _warm(self) -> None:
        """A process that has imported what pages import, in the folder they are staged in."""
        if not self.staged.is_dir():
            return
        self._process = python(self.staged, environment(self.study, self.lang))
        self._python = self._process.__enter__()
        self.ahead()

    def _tell(self, error: str) -> None:
        self.state.error = error
        if not error:
            self.state.version += 1


class Handler(SimpleHTTPRequestHandler):
    """Files of the site, pages with the script that reloads them."""

    def __init__(self, *args: Any, state: State, **kwargs: Any) -> None:
        self.state = state
        super().__init__(*args, **kwargs)

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if self.path.partition("?")[0] == STATE:
            content = json.dumps({"version": self.state.version, "error": self.state.error})
            self._send(content.encode(), "application/json")
        elif path.suffix == ".html" and path.is_file():
            page = path.read_text(encoding="utf-8")
            # A file of this server, as the policy of a page lets no script in its text run.
            script = f'<script src="{RELOAD}"></script>\n'
            self._send(page.replace("</body>", script + "</body>").encode(), "text/html")
        elif self.path == RELOAD:
            self._send(SCRIPT.encode(), "text/javascript")
        else:
            super().do_GET()

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """A line a request would bury what is wrong."""

    def _send(self, content: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def serve(preview: Preview, port: int) -> ThreadingHTTPServer:
    """Serve the study's site to this machine alone, in a thread; port 0 takes a free one."""
    folder = preview.site.parent
    folder.mkdir(parents=True, exist_ok=True)
    handler = partial(Handler, state=preview.state, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def watch(preview: Preview, seen: Snapshot, log: Log, stop: threading.Event) -> None:
    """Make again what changes after a snapshot, until told to stop."""
    while not stop.wait(EVERY):
        now = snapshot(preview.study)
        changed = changes(seen, now)
        if not changed:
            preview.ahead()
        else:
            seen = now
            began = time.perf_counter()
            preview.update(changed)
            names = ", ".join(sorted({path.name for path in changed}))
            said = preview.state.error or f"made again in {time.perf_counter() - began:.1f} s"
            log(f"{names}: {said}")


def run(study: Study, lang: str, port: int, log: Log) -> None:
    """Preview a study until it is interrupted."""
    preview = Preview(study, lang)
    server, seen = serve(preview, port), snapshot(study)
    try:
        preview.start()
        log(preview.state.error or "made")
        log(f"http://127.0.0.1:{server.server_address[1]}/{lang}/index.html (Ctrl+C ends)")
        watch(preview, seen, log, threading.Event())
    except KeyboardInterrupt:
        log("ended")
    finally:
        server.shutdown()
        preview.stop()
