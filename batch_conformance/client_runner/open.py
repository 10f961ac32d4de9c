"""Opening a client from its specification (``--batch-client``)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from batch_conformance.checks.result import CouldNotRun
from batch_conformance.client_runner.call import ClientUnderTest
from batch_conformance.client_runner.driver import DriverPool, split_command
from batch_conformance.client_runner.inprocess import Adapter, InProcessClient, load_adapter, split_place
from batch_conformance.client_runner.lanes import MOST_LANES
from batch_conformance.client_runner.process import Limits
from batch_conformance.client_runner.sanitize import Redact

if TYPE_CHECKING:
    from batch_conformance.client_runner.respx_bridge import RespxBridge

EMBEDDED = "python:batch_conformance.reference.client:adapter"
Transport = Literal["loopback", "respx"]
#: Number of concurrent calls, and how many more once only cases that wait are left.
LANES, MORE_LANES = 9, 7


def open_client(
    spec: str,
    *,
    transport: Transport = "loopback",
    size: int | None = None,
    redact: Redact = str,
    limits: Limits | None = None,
) -> ClientUnderTest:
    """Open the client that ``spec`` names: ``embedded``, ``exec:COMMAND`` or ``python:MODULE:ATTRIBUTE``.

    ``size`` is the maximum number of concurrent calls (None: the default). Raises ``ValueError`` for a specification
    that is malformed or incompatible with the transport (wrong usage), ``CouldNotRun`` for a client that does not
    start, breaks the protocol at hello, or does not use httpx under ``respx``; both with a one-line message.
    """
    check_spec(spec, transport)
    kind, _, command = spec.partition(":")
    if kind == "exec":
        return DriverPool(command.strip(), size or MOST_LANES + 1, redact=redact, limits=limits)
    adapter = load_adapter(EMBEDDED if spec == "embedded" else spec)
    size = size or LANES + MORE_LANES
    return open_adapter(adapter, spec=spec, transport=transport, size=size, redact=redact, limits=limits)


def check_spec(spec: str, transport: str = "loopback") -> None:
    """Check a specification without opening the client. Raises ``ValueError`` as :func:`open_client` does."""
    kind, _, command = spec.partition(":")
    if kind == "exec":
        if transport == "respx":
            raise ValueError("--batch-transport respx is for python: clients; exec: needs loopback")
        split_command(command.strip())
    elif kind == "python":
        split_place(spec)
    elif spec != "embedded":
        kinds = "embedded, exec:COMMAND or python:MODULE:ATTRIBUTE"
        raise ValueError(f"client {spec!r} is not understood; use {kinds}")


def open_adapter(
    adapter: Adapter,
    *,
    spec: str,
    transport: Transport = "loopback",
    size: int = LANES + MORE_LANES,
    redact: Redact = str,
    limits: Limits | None = None,
) -> ClientUnderTest:
    """Open a client in this process; parameters and errors as for :func:`open_client`."""
    if transport not in ("loopback", "respx"):
        raise ValueError(f"transport {transport!r} is not understood; use loopback or respx")
    client = InProcessClient(
        adapter,
        spec=spec,
        bridge=_bridge() if transport == "respx" else None,
        size=size,
        redact=redact,
        grace_s=(limits or Limits()).grace_s,
    )
    try:
        client.check_transport()
    except BaseException:
        client.close()
        raise
    return client


def _bridge() -> RespxBridge:
    try:
        from batch_conformance.client_runner.respx_bridge import RespxBridge
    except ImportError as error:
        raise CouldNotRun(
            f"--batch-transport respx cannot be used ({error}); pip install 'sync-batch-conformance[client]'"
        ) from None
    return RespxBridge()
