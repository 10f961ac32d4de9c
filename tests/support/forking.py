"""Runs of a Python module in forked copies of one process that has imported already what each of them imports.

A run behaves as ``python -m MODULE`` in a process of its own, without the second that the imports take. What shapes the
interpreter itself (``PYTHON…``, the locale, the time zone) cannot be changed this way: :func:`is_possible` tells.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
_SHAPES_THE_INTERPRETER = ("PYTHON", "LC_", "LANG", "TZ", "TMP", "TEMP", "COVERAGE", "LD_")
#: Imported before anything is forked: what takes long, and what the suite needs for most runs.
_IMPORTED = (
    "pytest",
    "httpx",
    "h11",
    "jsonschema",
    "uvicorn",
    "respx",
    "yaml",
    "hypothesis.strategies",
    "schemathesis.pytest.plugin",
    "schemathesis.openapi",
    "batch_conformance.plugin",
    "batch_conformance.report.html",
    "batch_conformance.client_runner.session",
    "batch_conformance.client_runner.open",
    "batch_conformance.recorded",
)


def is_possible(environment: Mapping[str, str]) -> bool:
    """Whether a run in this environment can be forked: all that shapes the interpreter is as in this process."""
    names = {name for name in (*environment, *os.environ) if name.startswith(_SHAPES_THE_INTERPRETER)}
    return hasattr(os, "fork") and all(environment.get(name) == os.environ.get(name) for name in names)


def run_module(
    module: str, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a module as ``subprocess.run`` would, with what it prints captured. ``timeout`` is in seconds.

    Raises ``subprocess.TimeoutExpired``; the run is dead then.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        job = {"module": module, "arguments": arguments, "folder": str(folder), "environment": dict(environment)}
        status = _server().run(job, (out.fileno(), err.fileno()), timeout)
        texts = []
        for printed in (out, err):
            printed.seek(0)
            texts.append(printed.read().decode("utf-8"))
    return subprocess.CompletedProcess([module, *arguments], status, *texts)


class _Server:
    """The process that forks, seen from the tests."""

    def __init__(self) -> None:
        self._socket, other = socket.socketpair()
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.forking", str(other.fileno())],
                cwd=ROOT,
                pass_fds=[other.fileno()],
                env=os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            )
        self._lines = self._socket.makefile("r", encoding="utf-8")
        atexit.register(self.close)

    def run(self, job: dict[str, Any], streams: tuple[int, int], timeout: float) -> int:
        """Run one job; returns its exit status, negative for the signal that ended it."""
        socket.send_fds(self._socket, [json.dumps(job).encode() + b"\n"], list(streams))
        if not select.select([self._socket], [], [], timeout)[0]:
            self.close()
            _server.cache_clear()
            raise subprocess.TimeoutExpired([job["module"], *job["arguments"]], timeout)
        return int(self._lines.readline())

    def close(self) -> None:
        """End it, and a run that is under way."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


@cache
def _server() -> _Server:
    return _Server()


def _next_job(control: socket.socket) -> dict[str, Any]:
    """The job to run. Returns in a fork for each job; in the process itself it does not return."""
    while True:
        data, streams, _, _ = socket.recv_fds(control, 1 << 20, 2)
        if not data:
            os._exit(0)
        child = os.fork()
        if not child:
            control.close()
            for number, stream in enumerate(streams, start=1):
                os.dup2(stream, number)
            job: dict[str, Any] = json.loads(data)
            return job
        for stream in streams:
            os.close(stream)
        _, status = os.waitpid(child, 0)
        control.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def _main() -> None:
    from hypothesis import configuration

    from batch_conformance.reference.server import ReferenceServer
    from batch_conformance.reference.target import embedded_target
    from batch_conformance.server_runner.session import judge_server

    for name in _IMPORTED:
        importlib.import_module(name)
    with embedded_target(ReferenceServer()) as target:
        judge_server(target, profile="quick")
    # Hypothesis would take that for something a plugin did before its time.
    configuration.notice_initialization_restarted(warn=False)
    for module in list(sys.modules.values()):
        # Pytest warns of plugins that were imported before it could rewrite their assertions, unless they say so.
        with suppress(AttributeError):
            module.__doc__ = "PYTEST_DONT_REWRITE"
    # What is here by now is never collected: that would copy the memory of each fork.
    gc.freeze()
    job = _next_job(socket.socket(fileno=int(sys.argv[1])))
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    configuration.set_hypothesis_home_dir(Path(job["folder"], ".hypothesis"))
    # As `python -m` has it: where it was started, and then what is installed.
    sys.path[0] = job["folder"]
    sys.argv = [job["module"], *job["arguments"]]
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
