"""Weight and speed of the published pages, each beside its limit: `make bench`.

Every page is read cold, in a Chromium slowed down to a mid-range phone on a mobile network, from
a local server that compresses as one on the web does. Needs a rendered report and `chromium`.
Times are those of this machine, throttled: on a busy one they say more of the machine.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_site" / "cnc_afdas_2026"
BYTES_PER_SECOND = 1_600_000 / 8
LATENCY = 150  # milliseconds
SLOWER = 4  # times the processor of this machine
QUIET = 2500  # milliseconds after loading in which work still counts
TEXT = (".html", ".css", ".js", ".json", ".csv", ".svg")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
# Kept from the first script on: a long task blocks for what it takes beyond 50 ms, and counts
# from the first paint of content.
WATCH = """(() => {
    window.seen = {paint: 0, first: 0, tasks: []}
    const on = (type, note) => new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) note(entry)
    }).observe({type, buffered: true})
    on("largest-contentful-paint", (entry) => { seen.paint = entry.startTime })
    on("paint", (entry) => {
        if (entry.name === "first-contentful-paint") seen.first = entry.startTime
    })
    on("longtask", (entry) => { seen.tasks.push([entry.startTime, entry.duration]) })
})()"""
READ = """() => ({
    paint: seen.paint,
    blocked: seen.tasks.filter(([start, length]) => start + length > seen.first)
        .reduce((sum, [, length]) => sum + Math.max(length - 50, 0), 0),
})"""


@dataclass(frozen=True)
class Limit:
    """What a page may be, in kilobytes on the wire and milliseconds."""

    html: float = 150
    visit: float = 700
    foreign: int = 0
    paint: float = 1200
    blocked: float = 200


@dataclass
class Visit:
    """What one cold reading of a page took: bytes on the wire by request, and milliseconds."""

    origin: str
    urls: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, float] = field(default_factory=dict)
    html: float = 0
    paint: float = 0
    blocked: float = 0

    def asked(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith(("data:", "blob:")):
            self.urls[event["requestId"]] = event["request"]["url"]

    def came(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self.urls:
            self.sizes[event["requestId"]] = event["encodedDataLength"] / 1000

    @property
    def total(self) -> float:
        return sum(self.sizes.values())

    @property
    def foreign(self) -> int:
        return sum(not url.startswith(self.origin) for url in self.urls.values())


class Compressed(SimpleHTTPRequestHandler):
    """Serves files of a folder, text compressed, over connections that are kept."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = path.read_bytes()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(path))
        if path.suffix in TEXT:
            body = gzip.compress(body, mtime=0)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing: the table is what is read."""


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a folder served on this machine alone."""
    handler = functools.partial(Compressed, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def read(browser: Browser, origin: str, address: str, width: int) -> Visit:
    """One cold visit of a page under the throttled processor and network."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    devtools = context.new_cdp_session(page)
    visit = Visit(origin)
    devtools.on("Network.requestWillBeSent", visit.asked)
    devtools.on("Network.loadingFinished", visit.came)
    devtools.send("Network.enable")
    devtools.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": LATENCY, "downloadThroughput": BYTES_PER_SECOND,
         "uploadThroughput": BYTES_PER_SECOND},
    )  # fmt: skip
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    page.add_init_script(WATCH)
    page.goto(f"{origin}/{address}", wait_until="load")
    page.wait_for_timeout(QUIET)
    times = page.evaluate(READ)
    visit.paint, visit.blocked = times["paint"], times["blocked"]
    visit.html = next(
        visit.sizes[key] for key, url in visit.urls.items() if url.endswith(f"/{address}")
    )
    context.close()
    return visit


def show(name: str, visit: Visit, limit: Limit) -> bool:
    """One line: what was measured, and whether it is within every limit."""
    pairs = [
        (visit.html, limit.html), (visit.total, limit.visit), (visit.foreign, limit.foreign),
        (visit.paint, limit.paint), (visit.blocked, limit.blocked),
    ]  # fmt: skip
    within = all(found <= most for found, most in pairs)
    print(
        f"{name:<28} {visit.html:>7.1f} {visit.total:>8.1f} {len(visit.urls):>9} "
        f"{visit.foreign:>8} {visit.paint:>8.0f} {visit.blocked:>9.0f}"
        f"   {'within' if within else 'OVER'}",
        flush=True,
    )
    return within


def heading(limit: Limit) -> None:
    names = ("html kB", "visit kB", "requests", "foreign", "paint ms", "blocked ms")
    print(f"{'':<28} {names[0]:>7} {names[1]:>8} {names[2]:>9} {names[3]:>8} {names[4]:>8} "
          f"{names[5]:>9}")  # fmt: skip
    print(f"{'limit':<28} {limit.html:>7.0f} {limit.visit:>8.0f} {'-':>9} {limit.foreign:>8} "
          f"{limit.paint:>8.0f} {limit.blocked:>9.0f}")  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("site", nargs="?", type=Path, default=SITE)
    parser.add_argument("--width", type=int, default=1280)
    chosen = parser.parse_args()
    chromium = shutil.which("chromium")
    pages = [path for path in sorted(chosen.site.rglob("*.html")) if path.parent.name[:1] != "."]
    if chromium is None or not pages:
        sys.exit("needs chromium on the path, and a rendered report: make report")
    limit, results = Limit(), []
    heading(limit)
    with served(chosen.site) as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        for path in pages:
            address = path.relative_to(chosen.site).as_posix()
            results.append(show(address, read(browser, origin, address, chosen.width), limit))
        browser.close()
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
