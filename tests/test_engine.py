"""Engines: which one an address names, and what is said where it cannot be had."""

import dataclasses
import socket

import pytest

from analysis.engine import PASSWORD, USER, holds_credentials, open_engine, redacted, told
from analysis.errors import InputError
from analysis.study_checks import check_names

STUDY = "some_study"


def closed_port() -> int:
    """A port of this machine where nothing listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.mark.parametrize(
    ("url", "shown", "credentials"),
    [
        ("duckdb://", "duckdb:", False),
        ("postgres://server:5432/afdas", "postgres://server:5432/afdas", False),
        ("postgres://me:s3cret@server/afdas", "postgres://server/afdas", True),
        ("postgres://server/afdas?password=s3cret", "postgres://server/afdas", True),
        ("spark://host:7077", "spark://host:7077", False),
    ],
)
def test_an_address_is_shown_without_credentials(url, shown, credentials):
    assert redacted(url).rstrip("/") == shown
    assert holds_credentials(url) is credentials


def test_the_embedded_engine_needs_nothing_and_leaves_nothing(tmp_path):
    with open_engine("duckdb://", STUDY, tmp_path) as engine:
        assert engine.embedded
        assert engine.folder.is_dir()
        limit = engine.con.raw_sql("select current_setting('memory_limit')").fetchone()[0]
        assert "MiB" in limit and float(limit.split()[0]) < 500
    assert not list(tmp_path.iterdir())


def test_a_server_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(USER, "somebody")
    monkeypatch.setenv(PASSWORD, "s3cret")
    url = f"postgres://127.0.0.1:{closed_port()}/afdas"
    with pytest.raises(InputError) as caught, open_engine(url, STUDY, tmp_path):
        pass
    told_to_people = str(caught.value)
    assert url in told_to_people
    assert "s3cret" not in told_to_people and "somebody" not in told_to_people
    assert not list(tmp_path.iterdir())


def test_an_engine_that_is_not_installed_is_named(tmp_path):
    with pytest.raises(InputError) as caught, open_engine("snowflake://x/y", STUDY, tmp_path):
        pass
    assert "ibis-framework[snowflake]" in str(caught.value)


def test_a_database_file_that_is_not_there(tmp_path):
    url = f"duckdb://{tmp_path}/none/x.duckdb"
    with pytest.raises(InputError) as caught, open_engine(url, STUDY, tmp_path):
        pass
    assert caught.value.problems[0].column == "engine"


def test_a_connection_that_drops_is_the_fault_of_the_server(monkeypatch):
    monkeypatch.setenv(PASSWORD, "s3cret")
    with pytest.raises(InputError) as caught, told("postgres://server/afdas", STUDY):
        raise ConnectionResetError("reset by postgres://me:s3cret@server/afdas")
    assert "reset by postgres://server/afdas" in str(caught.value)
    assert "s3cret" not in str(caught.value)


def test_a_defect_of_ours_is_not_blamed_on_the_server():
    with pytest.raises(KeyError), told("duckdb://", STUDY):
        raise KeyError("ours")


def test_credentials_in_study_yml_are_refused(national):
    definition = national.definition.model_copy(
        update={"engine": "postgres://me:s3cret@server/afdas"}
    )
    study = dataclasses.replace(national, definition=definition)
    problems = check_names(study, "study.yml", lambda _: None)
    assert [problem.column for problem in problems] == ["engine"]
    assert "s3cret" not in problems[0].block()
