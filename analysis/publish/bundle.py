"""The copy of plotly.js that pages load: a small one where it can be had, else plotly's own."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from pathlib import Path

import plotly

# Bars and scatters are all that charts draw; this bundle is a quarter of the whole.
PACKAGE = "plotly.js-basic-dist-min"
FILE = "package/plotly-basic.min.js"
# sha256 of that file, by version: no script goes into a page that this repository does not know.
KNOWN = {"4.1.1": "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"}
RETRY_AFTER = 24 * 3600


def plotly_bundle() -> Path:
    """Path of the script to ship. Never fails for want of npm or of a network."""
    whole = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    small = cache() / f"plotly-basic-{script_version()}.min.js"
    known = KNOWN.get(script_version())
    if known and (_is(small, known) or (_fetch(small) and _is(small, known))):
        return small
    return whole


def _is(path: Path, known: str) -> bool:
    """Whether a file is there, and is the one that is known by this hash."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == known


def script_version() -> str:
    """Version of plotly.js that this plotly.py speaks to."""
    from plotly.offline import get_plotlyjs_version  # noqa: PLC0415  (slow import, rarely needed)

    return get_plotlyjs_version()


def cache() -> Path:
    """Where downloads are kept between renders, for this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "learner-survey"


def _fetch(target: Path) -> bool:
    """One try a day, so that a machine without network is not slowed down at every render."""
    npm = shutil.which("npm")
    failed = target.with_suffix(".unavailable")
    if npm is None or (failed.exists() and time.time() - failed.stat().st_mtime < RETRY_AFTER):
        return False
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            _unpack(npm, Path(folder))
            (Path(folder) / "script.js").replace(target)
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError, StopIteration):
        _mark(failed)
        return False
    return True


def _unpack(npm: str, folder: Path) -> None:
    subprocess.run(
        [npm, "pack", f"{PACKAGE}@{script_version()}", "--silent", "--fetch-retries=0",
         "--fetch-timeout=10000", f"--pack-destination={folder}"],
        check=True, capture_output=True, timeout=60, cwd=folder,
    )  # fmt: skip
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        script = archive.extractfile(FILE)
        if script is None:
            raise KeyError(FILE)
        (folder / "script.js").write_bytes(script.read())


def _mark(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError:
        return  # a read-only home only costs another try
