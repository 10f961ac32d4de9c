"""Cost of a case of the client suite, compared with its bare exchange."""

from __future__ import annotations

import shlex
import socket
import sys
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from statistics import median
from urllib.parse import urlsplit

from batch_conformance.client_runner.call import Call
from batch_conformance.client_runner.cases import Case, CaseFactory
from batch_conformance.client_runner.open import open_client
from batch_conformance.client_runner.player import play
from batch_conformance.client_runner.stub.choose import ByTurn
from batch_conformance.client_runner.stub.server import StubServer
from benchmarks.process import ROOT

_DRIVER = ROOT / "drivers" / "template" / "driver.py"
CLIENTS = {
    "in process": "embedded",
    "Python template driver": f"exec:{shlex.quote(sys.executable)} {shlex.quote(str(_DRIVER))}",
}
KEY = "sk-of-no-consequence"


def measure(times: int) -> list[tuple[str, float]]:
    """Read the same ordinary batch in several ways; return rows of the way and its median in milliseconds."""
    factory = CaseFactory(0)
    step = factory.valid(factory.batch())
    case = Case("an ordinary batch", ("client.decode.fields",), (step,))
    rows: list[tuple[str, float]] = []
    with StubServer(ByTurn([step.answers])) as stub:
        rows.append(("bare exchange: connect, send, read", _median(partial(_bare, stub.url, step.batch_id), times)))
    for name, spec in CLIENTS.items():
        with closing(open_client(spec)) as client:
            with StubServer(ByTurn([step.answers])) as stub:
                call = Call(stub.url, KEY, step.batch_id, 5.0)
                rows.append((f"the client's call, {name}", _median(partial(client.get_batch, call), times)))
            rows.append((f"a whole case, {name}", _median(partial(play, case, client, [KEY]), times)))
    return rows


def _median(action: Callable[[], object], times: int) -> float:
    action()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        taken.append(time.perf_counter() - began)
    return median(taken) * 1000


def _bare(url: str, batch_id: str) -> None:
    place = urlsplit(url)
    with socket.create_connection((place.hostname or "", place.port or 80), 5) as connection:
        connection.sendall(
            f"GET /v2/batch/{batch_id} HTTP/1.1\r\nHost: {place.netloc}\r\nx-api-key: {KEY}\r\n"
            "Connection: close\r\n\r\n".encode()
        )
        while connection.recv(65536):
            pass
