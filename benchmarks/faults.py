"""Runs against broken or hostile targets: exit status, time, memory, and the reported line."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from batch_conformance.reference.server import Asked
from batch_conformance.reference.store import REFERENCE_KEY
from benchmarks.process import run
from tests.support import hostile
from tests.support.hostile import Choose, Fault, after, always, serving_hostile

#: Timeout of an exchange in these runs, in seconds.
TIMEOUT = 2
#: Responses after which some targets fail.
MIDWAY = 60


@dataclass(frozen=True)
class End:
    """Result of one run; ``peak`` is in MiB, ``line`` is the message of the report."""

    fault: str
    status: int
    seconds: float
    peak: float
    requests: int
    line: str


@contextmanager
def _served(choose: Choose) -> Iterator[str]:
    with serving_hostile(choose) as server:
        yield server.url


@contextmanager
def _nobody() -> Iterator[str]:
    with serving_hostile(hostile.never) as server:
        url = server.url
    yield url


@contextmanager
def _untrusted() -> Iterator[str]:
    import ssl

    import trustme

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with serving_hostile(hostile.never, tls=context) as server:
        yield server.url


def _in_circles(_: int, asked: Asked) -> Fault:
    return hostile.redirect(asked.path.decode("latin-1") + "?again")


FAULTS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "nobody listens": _nobody,
    "a certificate nobody vouches for": _untrusted,
    "takes requests, says nothing": lambda: _served(always(hostile.hang)),
    "says nothing after 60 answers": lambda: _served(after(MIDWAY, hostile.hang)),
    "resets every connection": lambda: _served(always(hostile.reset)),
    "resets them after 60 answers": lambda: _served(after(MIDWAY, hostile.reset)),
    "half a body, then silence": lambda: _served(always(hostile.hang_in_body)),
    "half a body, then the end": lambda: _served(always(hostile.half_body)),
    "a head that drips": lambda: _served(always(hostile.drip_head)),
    "a body that drips": lambda: _served(always(hostile.drip_body)),
    "chunks that drip": lambda: _served(always(hostile.drip_chunks)),
    "a body of 3 GB": lambda: _served(always(hostile.three_gigabytes)),
    "a body without an end": lambda: _served(always(hostile.endless_body)),
    "a gzip bomb": lambda: _served(always(hostile.bomb)),
    "gzip over gzip, a hundred times": lambda: _served(always(hostile.layers)),
    "a Content-Length that is no number": lambda: _served(always(hostile.bad_length)),
    "two Content-Lengths": lambda: _served(always(hostile.two_lengths)),
    "more bytes than announced": lambda: _served(always(hostile.surplus)),
    "garbage instead of HTTP": lambda: _served(always(hostile.garbage)),
    "HTTP/0.9": lambda: _served(always(hostile.http_09)),
    "header fields without an end": lambda: _served(always(hostile.endless_fields)),
    "a header without an end": lambda: _served(always(hostile.endless_line)),
    "interim answers without an end": lambda: _served(always(hostile.interim_flood)),
    "switches protocols": lambda: _served(always(hostile.upgrade)),
    "redirects in a circle": lambda: _served(_in_circles),
    "redirects to another host": lambda: _served(always(hostile.redirect("http://127.0.0.2:9/"))),
}


def measure() -> list[End]:
    """Run the command against each of the targets."""
    return [_end(fault, serve) for fault, serve in FAULTS.items()]


def _end(fault: str, serve: Callable[[], AbstractContextManager[str]]) -> End:
    with tempfile.TemporaryDirectory() as folder, serve() as url:
        options = ["--batch-target", url, "--batch-id", "batch_abc123", "--batch-timeout", str(TIMEOUT)]
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "suites/server", *options]
        ran = run([*command, "--batch-report", folder], env={"SYNC_API_KEY": REFERENCE_KEY})
        report = json.loads(Path(folder, "conformance.json").read_text("utf-8"))
    reasons = [row["reason"] for row in report["clauses"] if row["verdict"] == "error"]
    failed = sum(row["verdict"] == "fail" for row in report["clauses"])
    line = reasons[0] if reasons else f"a verdict: {failed} clauses failed"
    return End(fault, ran.status, ran.seconds, ran.peak_mib, report["run"]["requests"], line.replace(url, "the target"))
