"""Runs a command and measures wall-clock seconds, CPU seconds and peak memory."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Timeout of a run in seconds.
LONGEST = 180.0


@dataclass(frozen=True)
class Ran:
    """Result of a completed process."""

    status: int
    seconds: float
    cpu: float
    peak_mib: float
    output: str


def run(command: Sequence[str], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Ran:
    """Run ``command`` with ``env`` added to the environment; stdout and stderr are captured together."""
    with tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=output, stderr=subprocess.STDOUT
        )
        status, usage = _waited(process, began + LONGEST)
        seconds = time.monotonic() - began
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    # ru_maxrss is in KiB on Linux.
    return Ran(status, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


def _waited(process: subprocess.Popen[bytes], until: float) -> tuple[int, resource.struct_rusage]:
    # Only wait4 returns the resource usage of a single child.
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage
        if time.monotonic() > until:
            process.kill()
            until = float("inf")
        time.sleep(0.005)
