"""Another day for a Python process that finds this folder on its path, and a note that it did.

LEARNER_SURVEY_TEST_DAYS is how many days the clock is ahead; LEARNER_SURVEY_TEST_NOTES is a folder
where each process leaves a file with what it takes for today. The classes of datetime themselves
are changed, as the freezing of a subclass would be seen by pydantic and pandas.
"""

import ctypes
import datetime as dt
import gc
import os
import sys
import time
from pathlib import Path

DAYS = int(os.environ["LEARNER_SURVEY_TEST_DAYS"])
real, real_ns, real_local, real_utc = time.time, time.time_ns, time.localtime, time.gmtime


def put(kind: type, name: str, function: object) -> None:
    """Give a class of C another method, which it refuses to Python."""
    gc.get_referents(kind.__dict__)[0][name] = function
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(kind))


def now(kind: type, tz: dt.tzinfo | None = None) -> dt.datetime:
    return kind.fromtimestamp(time.time(), tz)


time.time = lambda: real() + DAYS * 86_400
time.time_ns = lambda: real_ns() + DAYS * 86_400 * 10**9
time.localtime = lambda seconds=None: real_local(time.time() if seconds is None else seconds)
time.gmtime = lambda seconds=None: real_utc(time.time() if seconds is None else seconds)
put(dt.datetime, "now", classmethod(now))
put(dt.datetime, "utcnow", classmethod(lambda kind: now(kind, dt.UTC).replace(tzinfo=None)))

notes = Path(os.environ["LEARNER_SURVEY_TEST_NOTES"])
said = f"{dt.date.today()} {dt.datetime.now():%Y-%m-%d} {time.localtime().tm_year}"
(notes / f"{os.getpid()}.txt").write_text(f"{said}\n{' '.join(sys.orig_argv)}", encoding="utf-8")
