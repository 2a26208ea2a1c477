"""The same study on PostgreSQL: the same results as on DuckDB, and a connection that drops.

Needs the programs `initdb` and `postgres` (apt-get install postgresql); skipped aloud without.
"""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from extracts import STUDY, make

from analysis.cli import main
from analysis.engine import PASSWORD, USER
from analysis.release.build import build
from analysis.study import load_study

from extract import batches, study_yml  # isort: skip - on the path by `extracts`

ROWS = 1_500
PROGRAMS = [os.environ["PATH"], *map(str, Path("/usr/lib/postgresql").glob("*/bin"))]
INITDB, SERVER = (shutil.which(name, path=os.pathsep.join(PROGRAMS)) for name in
                  ("initdb", "postgres"))  # fmt: skip

pytestmark = pytest.mark.skipif(
    not (INITDB and SERVER), reason="no PostgreSQL: apt-get install postgresql"
)


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def rows():
    return pa.concat_tables([t for _, t in batches(ROWS)], promote_options="permissive").to_pandas()


@pytest.fixture(scope="module")
def server():
    """The port of a server with the table `training` in its database `afdas`."""
    import psycopg  # noqa: PLC0415

    folder = tempfile.mkdtemp(prefix="server-")  # a short path: sockets allow no long one
    who = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    if who:
        shutil.chown(folder, "nobody", "nogroup")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    data, port = f"{folder}/data", free_port()
    subprocess.run([INITDB, "-D", data, "-U", "somebody", "-A", "trust", "--no-sync", "-E", "UTF8",
                    "--locale=C.UTF-8"], check=True, **quiet, **who)  # fmt: skip
    running = subprocess.Popen([SERVER, "-D", data, "-p", str(port), "-k", folder, "-F", "-h",
                                "127.0.0.1"], **quiet, **who)  # fmt: skip
    try:
        where = f"host=127.0.0.1 port={port} user=somebody dbname="
        for _ in range(100):
            try:
                psycopg.connect(where + "postgres").close()
                break
            except psycopg.OperationalError:
                time.sleep(0.1)
        with psycopg.connect(where + "postgres", autocommit=True) as con:
            con.execute("create database afdas")
        frame = rows()
        numbers = {"hours": "double precision", "cost": "double precision", "start_date": "date"}
        columns = ", ".join(f"{name} {numbers.get(name, 'text')}" for name in frame)
        with psycopg.connect(where + "afdas") as con, con.cursor() as cursor:
            cursor.execute(f"create table training ({columns})")
            with cursor.copy("copy training from stdin") as copy:
                for row in frame.itertuples(index=False):
                    copy.write_row(row)
        yield port
    finally:
        running.terminate()
        running.wait()
        shutil.rmtree(folder, ignore_errors=True)


class Relay(threading.Thread):
    """Stands before a server and hands on what is said, until a client says a certain word."""

    def __init__(self, server, word):
        super().__init__(daemon=True)
        self.server, self.word, self.dropped = server, word, threading.Event()
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]

    def run(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            there = socket.create_connection(("127.0.0.1", self.server))
            for one, other in ((client, there), (there, client)):
                threading.Thread(
                    target=self._hand_on, args=(one, other, one is client), daemon=True
                ).start()

    def _hand_on(self, one, other, from_client):
        try:
            while piece := one.recv(1 << 16):
                if from_client and self.word in piece:
                    self.dropped.set()
                    break
                other.sendall(piece)
        except OSError:
            pass
        for end in (one, other):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def of_the_table(root, port):
    study = make(root, {}, engine=f"postgres://127.0.0.1:{port}/afdas")
    path = study.paths.definition / "study.yml"
    text = study_yml(engine=f"postgres://127.0.0.1:{port}/afdas")
    assert text.count("    path: actions\n") == 1
    path.write_text(text.replace("    path: actions\n", "    table: training\n"))
    return load_study(STUDY, root)


def test_postgres_gives_the_estimates_of_duckdb(server, tmp_path, monkeypatch):
    monkeypatch.setenv(USER, "somebody")
    monkeypatch.setenv(PASSWORD, "s3cret")
    results = build(of_the_table(tmp_path / "server", server))
    here = make(tmp_path / "here", {})
    (here.paths.definition / "study.yml").write_text(study_yml())
    rows().to_parquet(here.paths.raw / "actions" / "all.parquet", index=False)
    expected = build(load_study(STUDY, tmp_path / "here"))
    for name in ("estimates.csv", "measures.csv", "titles.csv"):
        ours, theirs = (pd.read_csv(folder / name) for folder in (expected, results))
        pd.testing.assert_frame_equal(ours, theirs)


@pytest.mark.parametrize("word", [b"FILTER", b"BIT_OR"], ids=["checking", "estimating"])
def test_a_connection_that_drops_in_the_middle_of_a_query(
    server, tmp_path, monkeypatch, capsys, word
):
    monkeypatch.setenv(USER, "somebody")
    monkeypatch.setenv(PASSWORD, "s3cret")
    relay = Relay(server, word)
    relay.start()
    study = of_the_table(tmp_path, relay.port)
    study.paths.results.mkdir(parents=True)
    (study.paths.results / "estimates.csv").write_text("as they stood\n")
    assert main(["build", STUDY, "--root", str(tmp_path)]) == 2
    relay.listening.close()
    assert relay.dropped.is_set()
    told = capsys.readouterr().err
    assert f"postgres://127.0.0.1:{relay.port}/afdas" in told
    assert "run the command again" in told
    assert "s3cret" not in told and "somebody" not in told and "Traceback" not in told
    assert (study.paths.results / "estimates.csv").read_text() == "as they stood\n"
    assert not list(study.paths.clean.glob(".engine*"))
    assert Path(study.paths.results).is_dir()
