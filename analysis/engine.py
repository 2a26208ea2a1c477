"""Where the rows of a training extract are worked on: any Ibis backend, embedded DuckDB by default.

`engine` of study.yml is an address without credentials: `duckdb://` (embedded, the default),
`duckdb:///folder/file.duckdb`, `spark://local`, `spark://host:7077`, `postgres://host/database`, or
that of any other Ibis backend that is installed. User and password come from the environment, and
are put in no file and no message.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from analysis.errors import InputError, Problem

EMBEDDED = "duckdb://"
USER, PASSWORD = "LEARNER_SURVEY_ENGINE_USER", "LEARNER_SURVEY_ENGINE_PASSWORD"
# Together with Python and its packages, DuckDB stays under a gigabyte; beyond, it goes to disk.
MEMORY = "480MB"
PLACE = "studies/{study}/study.yml"


@dataclass(frozen=True)
class Engine:
    """A running engine. con: the Ibis backend; folder: where it may write while it runs, removed
    after; address: how it is told to people, without credentials; place: the file that names it."""

    con: Any
    folder: Path
    address: str
    place: str

    @property
    def embedded(self) -> bool:
        return self.con.name == "duckdb"


def redacted(url: str) -> str:
    """An address without user, password and options, as it may be shown."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def holds_credentials(url: str) -> bool:
    """Whether an address says a user or a password, which study.yml may not."""
    parts = urlsplit(url)
    return "@" in parts.netloc or "password" in parts.query.casefold()


@contextmanager
def open_engine(url: str, study: str, beside: Path | None = None) -> Iterator[Engine]:
    """Start an engine, and stop it with all that it wrote.

    beside: a folder on the disk to write to where memory is short (that of the system if none).
    Raises InputError where the engine cannot be had, or stops answering.
    """
    folder = Path(tempfile.mkdtemp(prefix=".engine-", dir=beside))
    engine = None
    try:
        with told(url, study):
            engine = Engine(_connect(url, folder), folder, redacted(url), PLACE.format(study=study))
            yield engine
    finally:
        if engine is not None:
            with suppress(Exception):  # a server that went away cannot be taken leave of
                engine.con.disconnect()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def told(url: str, study: str) -> Iterator[None]:
    """Say what happened to an engine to the person who can mend it."""
    try:
        yield
    except ImportError as error:
        raise _refused(url, study, str(error), "the packages of this engine",
                       f"run `pip install 'ibis-framework[{urlsplit(url).scheme}]'`, or leave "
                       "`engine` out to work in this machine") from error  # fmt: skip
    except Exception as error:
        if is_interruption(error):
            raise KeyboardInterrupt from error
        if not _of_an_engine(error):
            raise
        raise _refused(url, study, _first_line(error), "an engine that is there and answers",
                       f"check that it runs and can be reached, and {USER} and {PASSWORD}; "
                       "then run the command again") from error  # fmt: skip


def _refused(url: str, study: str, found: str, expected: str, action: str) -> InputError:
    place = PLACE.format(study=study)
    rule = f"the engine {redacted(url)} can be used"
    return InputError([Problem(place, rule, found, expected, action, None, "engine")])


def is_interruption(error: Exception) -> bool:
    """Whether DuckDB says in its own way that someone stopped it (Ctrl+C in mid-query)."""
    return type(error).__name__ == "InterruptException" or "Query interrupted" in str(error)


def _of_an_engine(error: Exception) -> bool:
    """Whether an error comes from a connection or a server, and not from this program."""
    if isinstance(error, ConnectionError | TimeoutError):
        return True
    made = type(error).__module__.partition(".")[0]
    said = str(error)
    if made in ("psycopg", "pymysql", "clickhouse_connect", "trino", "oracledb"):
        return True
    if made in ("duckdb", "_duckdb"):
        return any(word in type(error).__name__ for word in ("IO", "Connection", "OutOfMemory"))
    return made in ("py4j", "pyspark") and ("Connect" in said or "refused" in said)


def _first_line(error: Exception) -> str:
    """What an engine says, without an address or a password it may repeat."""
    line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    for secret in (os.environ.get(PASSWORD), os.environ.get(USER)):
        line = line.replace(secret, "…") if secret else line
    words = [redacted(word) if "://" in word else word for word in line.split()]
    return " ".join(words)


def _connect(url: str, folder: Path) -> Any:
    scheme = urlsplit(url).scheme
    if scheme == "duckdb":
        return _duckdb(url, folder)
    if scheme == "spark":
        return _spark(url, folder)
    import ibis  # noqa: PLC0415

    return ibis.connect(_with_credentials(url))


def _with_credentials(url: str) -> str:
    user, password = os.environ.get(USER), os.environ.get(PASSWORD)
    if not user:
        return url
    parts = urlsplit(url)
    who = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    return urlunsplit(parts._replace(netloc=f"{who}@{parts.netloc}"))


def _duckdb(url: str, folder: Path) -> Any:
    """Embedded, and out of core: what memory does not hold goes to `folder`."""
    import ibis  # noqa: PLC0415

    con = ibis.duckdb.connect(
        memory_limit=MEMORY,
        temp_directory=str(folder / "spilled"),
        # Rows of an extract stand in no order that counts, but their numbers in a file do.
        preserve_insertion_order=True,
    )
    path = urlsplit(url).path
    if path:
        con.raw_sql(f"ATTACH '{path.replace(chr(39), chr(39) * 2)}' AS delivered (READ_ONLY)")
    return con


def _spark(url: str, folder: Path) -> Any:
    """`spark://local` is this machine, `spark://host:port` a cluster that is there."""
    import ibis  # noqa: PLC0415
    from pyspark.sql import SparkSession  # noqa: PLC0415

    where, settings = urlsplit(url).netloc, {
        "spark.sql.warehouse.dir": str(folder / "warehouse"),
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false",
    }  # fmt: skip
    here = where.startswith("local")
    if here:
        # Of one machine, where 200 pieces of a few rows each take longer than the work.
        settings |= {"spark.sql.shuffle.partitions": "4", "spark.driver.host": "127.0.0.1"}
    master = "local[*]" if where == "local" else where if here else f"spark://{where}"
    builder = SparkSession.builder.appName("learner-survey").master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    return ibis.pyspark.connect(session)
