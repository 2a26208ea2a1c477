"""The provenance record beside a raw file (`<file>.meta.yml`), and whether it is of that file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from analysis.intake.texts import Failure, problem
from analysis.paths import record_of
from analysis.safe_yaml import MAX_BYTES, read_study

# Rules that stop nothing: a record that is not there, or not brought up to date, says nothing
# against the answers themselves.
MISSING, OTHER = "record_missing", "record_other"
REMARKS = (MISSING, OTHER)


def check_record(path: Path, shown: str) -> list[Failure]:
    """The problem of a record that is not there or cannot be read, or that tells of another file:
    an export that was replaced has another producer's word, date or number of rows beside it.

    path: a raw file that is there; shown: its name as told to people. A record without a sha256
    says nothing that could be wrong.
    """
    record, name = record_of(path), record_of(Path(shown)).as_posix()
    if not record.is_file():
        return [problem(MISSING, shown, name=Path(name).name)]
    if (size := record.stat().st_size) > MAX_BYTES:
        return [problem("limit_bytes", name, value=str(size), known=str(MAX_BYTES))]
    try:
        said, _ = read_study(record.read_text(encoding="utf-8"))
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
