"""What a page executes: outputs in order, a clean namespace, and an end to whatever hangs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.publish import notebook
from analysis.publish.notebook import Python, Reply, python


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Python]:
    with python(tmp_path, {"PATH": "/usr/bin:/bin"}) as running:
        yield running


def said(reply: Reply) -> list[tuple[str, str]]:
    """Kind and text of the outputs of the first step."""
    return [
        (one.get("name", one["output_type"]), one.get("text") or one["data"]["text/plain"])
        for one in reply.outputs[0]
    ]


def test_outputs_come_in_order(here: Python) -> None:
    source = "import sys\nprint(1)\ndisplay(2)\nprint(3, file=sys.stderr)\nprint(4)\nprint(5)\n6"
    assert said(here.run([source])) == [
        ("stdout", "1\n"),
        ("display_data", "2"),
        ("stderr", "3\n"),
        ("stdout", "4\n5\n"),
        ("execute_result", "6"),
    ]
    assert here.run(["7;"]).outputs == [[]]


def test_a_page_starts_clean_and_its_steps_share_names(here: Python) -> None:
    assert said(Reply(here.run(["x = 1", "x"]).outputs[1:])) == [("execute_result", "1")]
    assert here.run(["1", "x"]).failure == "NameError: name 'x' is not defined"


def test_what_fails_ends_the_page(here: Python) -> None:
    reply = here.run(["1", "print('before')\n1 / 0", "3"])
    assert reply.failure == "ZeroDivisionError: division by zero"
    assert len(reply.outputs) == 2
    assert said(Reply(reply.outputs[1:])) == [("stdout", "before\n")]
    assert here.run(["1 +"]).failure.startswith("SyntaxError")
    assert here.run(["raise SystemExit(3)"]).failure == "SystemExit: 3"


def test_a_page_cannot_reach_the_pipes(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with python(tmp_path, {"PATH": "/usr/bin:/bin"}) as here:
        written = here.run(["import os; _ = os.write(1, b'aside'); _ = os.system('echo aside')"])
        assert written == Reply([[]])
        assert capfd.readouterr().err == "asideaside\n"
        assert here.run(["input()"]).failure.startswith("EOFError")


def test_pictures_travel_in_letters(here: Python) -> None:
    shown = "from IPython.display import Image; Image(b'\\x89PNG\\r\\n\\x1a\\n', format='png')"
    (output,) = here.run([shown]).outputs[0]
    assert output["data"]["image/png"].strip() == "iVBORw0KGgo="


def test_a_page_that_hangs_is_stopped_and_tells_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notebook, "TIMEOUT", 1)
    monkeypatch.setattr(notebook, "GRACE", 1)
    with python(tmp_path, {}) as here:
        assert not here.run(["1"]).failure
        assert "not done after 1 seconds" in here.run(["import time; time.sleep(60)"]).failure
    assert "most recent call first" in capfd.readouterr().err


def test_a_process_that_ends_is_told(here: Python) -> None:
    assert here.run(["import os; os._exit(3)"]).failure.startswith("Python ended with code 3")
    assert here.run(["1"]).failure.startswith("Python ended with code 3")
