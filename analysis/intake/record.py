"""The provenance record beside a raw file (`<file>.meta.yml`), and whether it is of that file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from analysis.intake.texts import Failure, problem
from analysis.paths import record_of
from analysis.safe_yaml import read_yaml

# The rule that a record is of its file: a remark, as the file itself may be right.
OTHER = "record_other"


def has_record(path: Path) -> bool:
    """Whether a raw file has a record beside it."""
    return record_of(path).is_file()


def check_record(path: Path, shown: str) -> list[Failure]:
    """The problem of a record that cannot be read, or that tells of another file: an export that
    was replaced has another producer's word, date or number of rows beside it.

    path: a raw file that is there; shown: its name as told to people. A file without a record, or
    a record without a sha256, says nothing that could be wrong.
    """
    record, name = record_of(path), record_of(Path(shown)).as_posix()
    if not record.is_file():
        return []
    try:
        said = read_yaml(record.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return [problem("record_unread", name, value=str(error).splitlines()[0])]
    if not isinstance(said, dict):
        return [problem("record_unread", name, value=type(said).__name__)]
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    known = str(said.get("sha256") or found).lower()
    if known == found:
        return []
    return [problem(OTHER, name, column="sha256", value=found, known=known,
                    name=path.name)]  # fmt: skip
