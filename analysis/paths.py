"""Where the files of a study are."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
# File systems take names of 255 bytes at most.
LONGEST = 150
COMPARE = "compare"


def record_of(path: Path) -> Path:
    """The provenance record beside a raw file."""
    return path.with_name(f"{path.name}.meta.yml")


@dataclass(frozen=True)
class Paths:
    """Every place a study reads from or writes to, below one root."""

    study: str
    root: Path = PROJECT

    @property
    def definition(self) -> Path:
        return self.root / "studies" / self.study

    @property
    def raw(self) -> Path:
        return self.root / "data" / "raw" / self.study

    @property
    def clean(self) -> Path:
        return self.root / "data" / "clean" / self.study

    @property
    def results(self) -> Path:
        return self.clean / "results"

    @property
    def pages(self) -> Path:
        return self.root / "report"

    @property
    def lock(self) -> Path:
        return self.root / "data" / "clean" / f".{self.study}.lock"

    @property
    def sites(self) -> Path:
        return self.root / "_site" / self.study

    @property
    def own_pages(self) -> Path:
        """Pages, figures and words of this study, beside those that every study shares."""
        return self.definition / "report"

    def site(self, lang: str) -> Path:
        return self.sites / lang

    def holds(self, folder: Path, path: Path) -> bool:
        """Whether a file is in a folder once links are followed."""
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))

    def shown(self, path: Path) -> str:
        """A path as it is told to a person: from the root, never absolute."""
        try:
            return path.relative_to(self.root).as_posix()
        except ValueError:
            return path.name


@dataclass(frozen=True)
class ComparedPaths(Paths):
    """Every place a comparison of studies writes to; `study` is the name of the comparison."""

    @property
    def clean(self) -> Path:
        return self.root / "data" / "clean" / COMPARE / self.study

    @property
    def lock(self) -> Path:
        return self.root / "data" / "clean" / COMPARE / f".{self.study}.lock"

    @property
    def sites(self) -> Path:
        return self.root / "_site" / COMPARE / self.study


def compared_paths(studies: Sequence[str], root: Path = PROJECT) -> ComparedPaths:
    """The places of a comparison: named by the studies in their order, or many of them by the
    first and a mark."""
    whole = "+".join(studies)
    if len(whole) <= LONGEST:
        return ComparedPaths(whole, root)
    mark = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return ComparedPaths(f"{studies[0]}+{len(studies) - 1}-{mark}", root)
