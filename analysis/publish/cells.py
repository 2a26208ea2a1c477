"""Python that a page executes, in a process of its own that answers line by line.

One IPython shell, the one that Jupyter kernels are made of, without a kernel's sockets: requests
and replies are lines of JSON through two pipes, so that nothing can be read by another user of the
machine, and none is lost on the way.

A request is `{"steps": [source, ...]}`, run in a clean namespace. A reply is `{"outputs": [...],
"failure": null}`, outputs by step in the shape of a notebook (nbformat 4.5); where a step fails,
its outputs come last, and `failure` has `name` and `value`.
"""

from __future__ import annotations

import base64
import faulthandler
import io
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.history import HistoryManager
from IPython.core.interactiveshell import InteractiveShell

Output = dict[str, Any]


class Said:
    """What a step printed and showed, in order."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []

    def show(self, kind: str, data: Mapping[str, Any]) -> None:
        texts = {name: _text(value) for name, value in data.items()}
        self.outputs.append({"output_type": kind, "data": texts})

    def write(self, stream: str, text: str) -> None:
        last = self.outputs[-1] if self.outputs else {}
        if last.get("name") == stream:
            last["text"] += text
        else:
            self.outputs.append({"output_type": "stream", "name": stream, "text": text})


def _text(value: Any) -> Any:
    """Pictures travel in letters, as they do in a notebook."""
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value


SAID = Said()


class Stream(io.TextIOBase):
    """Standard output, or standard error, of the steps."""

    def __init__(self, name: str) -> None:
        self.name = name

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        SAID.write(self.name, text)
        return len(text)


class Shown(DisplayPublisher):
    """What `display` shows."""

    def publish(self, data: Mapping[str, Any], *_: Any, **__: Any) -> None:
        SAID.show("display_data", data)


class Result(DisplayHook):
    """The value of a step's last line."""

    def write_output_prompt(self) -> None:
        """Pages show values, not the numbers of prompts."""

    def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
        SAID.show("execute_result", format_dict)

    def finish_displayhook(self) -> None:
        """Nothing was printed that would have to be flushed."""


class Shell(InteractiveShell):
    """A shell that tells what it shows, and leaves the telling of failures to the reply."""

    def init_history(self) -> None:
        # A history would be a file of the person's own, and a thread that writes it.
        self.history_manager = HistoryManager(shell=self, parent=self, enabled=False)

    def _showtraceback(self, *_: Any) -> None:
        """The reply names what failed."""


def run(here: Shell, steps: Sequence[str]) -> dict[str, Any]:
    """The reply to a request: outputs by step, up to the one that fails if one does."""
    here.reset(new_session=False)
    outputs = []
    for step in steps:
        SAID.outputs = []
        done = here.run_cell(step, store_history=True)
        outputs.append(SAID.outputs)
        error = done.error_before_exec or done.error_in_exec
        if error is not None:
            failure = {"name": type(error).__name__, "value": str(error)}
            return {"outputs": outputs, "failure": failure}
    return {"outputs": outputs, "failure": None}


def replies(requests: TextIO, answers: TextIO, limit: float) -> None:
    """Answer requests until there are no more. Past the limit, in seconds, what each thread was
    doing is written to standard error; who asked ends this process."""
    here = Shell.instance(display_pub_class=Shown, displayhook_class=Result)
    sys.stdout, sys.stderr = Stream("stdout"), Stream("stderr")
    for line in requests:
        faulthandler.dump_traceback_later(limit, file=2)
        reply = run(here, json.loads(line)["steps"])
        faulthandler.cancel_dump_traceback_later()
        answers.write(json.dumps(reply) + "\n")
        answers.flush()


def main() -> None:
    """Keep both pipes to ourselves: what a step prints or asks must not reach them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests = os.fdopen(os.dup(0), encoding="utf-8")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    replies(requests, answers, float(sys.argv[1]))


if __name__ == "__main__":
    main()
