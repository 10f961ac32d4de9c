"""Runs of a Python module in forks of one process that has the slow imports done.

A run behaves as ``python -m MODULE`` in a process of its own, without the second that the imports take. What affects
the interpreter itself (``PYTHON…``, the locale, the time zone) cannot be changed this way: see :func:`is_possible`.
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
#: Imported before forking: modules that are slow to import and that most runs need.
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
    """Whether a run in this environment can be forked: all that affects the interpreter is as in this process."""
    names = {name for name in (*environment, *os.environ) if name.startswith(_SHAPES_THE_INTERPRETER)}
    return hasattr(os, "fork") and all(environment.get(name) == os.environ.get(name) for name in names)


def run_module(
    module: str, arguments: tuple[str, ...], folder: Path, environment: Mapping[str, str], timeout: float
) -> subprocess.CompletedProcess[str]:
    """Run a module as ``subprocess.run`` would, with its output captured. ``timeout`` is in seconds.

    Raises ``subprocess.TimeoutExpired`` after killing the run.
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
    """The forking process, as used by the tests."""

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
        """Run one job; return its exit status, negative for the signal that ended it."""
        socket.send_fds(self._socket, [json.dumps(job).encode() + b"\n"], list(streams))
        if not select.select([self._socket], [], [], timeout)[0]:
            self.close()
            _server.cache_clear()
            raise subprocess.TimeoutExpired([job["module"], *job["arguments"]], timeout)
        return int(self._lines.readline())

    def close(self) -> None:
        """End the process and any run under way."""
        self._socket.close()
        self._process.kill()
        self._process.wait()


@cache
def _server() -> _Server:
    return _Server()


def _next_job(control: socket.socket) -> dict[str, Any]:
    """Wait for jobs. Returns in a fork for each job; in the forking process itself it does not return."""
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
    # Hypothesis would blame a plugin for importing it too early.
    configuration.notice_initialization_restarted(warn=False)
    for module in list(sys.modules.values()):
        # Pytest warns about plugins imported before it can rewrite their assertions, unless they are marked.
        with suppress(AttributeError):
            module.__doc__ = "PYTEST_DONT_REWRITE"
    # Exempt everything allocated so far from collection, which would copy the memory in each fork.
    gc.freeze()
    job = _next_job(socket.socket(fileno=int(sys.argv[1])))
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    configuration.set_hypothesis_home_dir(Path(job["folder"], ".hypothesis"))
    # As with `python -m`: the working directory first, then the installed packages.
    sys.path[0] = job["folder"]
    sys.argv = [job["module"], *job["arguments"]]
    runpy.run_module(job["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _main()
