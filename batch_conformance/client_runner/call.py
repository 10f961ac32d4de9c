"""Calls and replies of a client under test, the same for clients in any language."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

ErrorKind = Literal[
    "unauthorized",
    "not_found",
    "rate_limited",
    "server_error",
    "http",
    "decode",
    "transport",
    "timeout",
    "invalid_argument",
    "other",
]
#: Seconds that a call may exceed the caller's deadline by (contracts/decisions.md, 10).
GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Call:
    """One call with everything that is passed to the client. ``timeout_s`` is the caller's deadline in seconds.

    ``operation`` is the suite's name of the operation. ``arguments`` are the arguments other than the batch id, under
    their names in the driver protocol; None means that the argument was not given.
    """

    base_url: str
    api_key: str = field(repr=False)
    batch_id: str
    timeout_s: float
    operation: str = "get"
    arguments: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True)
class ReportedError:
    """An error as the client reports it to its caller."""

    kind: ErrorKind
    status: int | None
    message: str


class NoObject(dict[str, Any]):
    """A reported batch that is not a JSON object: an empty dict whose repr is the reported value.

    Some clients return ``null`` or an array; the checks treat that as a batch without members.
    """

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value

    def __repr__(self) -> str:
        return json.dumps(self.value)


class Several(NoObject):
    """The value that a client reported for a list of batches, of any JSON type."""


@dataclass(frozen=True)
class Reply:
    """Result of one call as the client reports it: exactly one of ``batch``, ``error`` and ``broken`` is not None.

    ``broken`` says how the client itself failed: it crashed, hung, or broke the driver protocol. ``seconds``
    is the duration of the call, ``stderr`` what the driver wrote to stderr during it. ``broken`` and ``stderr`` are
    bounded and redacted; ``batch`` and ``error`` are unchanged. ``afterwards`` is filled when the client exits or
    breaks the protocol after it has replied: then the call counts as broken.
    """

    batch: dict[str, Any] | None = None
    error: ReportedError | None = None
    broken: str | None = None
    seconds: float = 0.0
    stderr: str = ""
    afterwards: list[str] = field(default_factory=list, compare=False)

    def settled(self) -> Reply:
        """Return the final reply: broken if the client failed after it had replied."""
        if not self.afterwards:
            return self
        return Reply(broken=self.afterwards[0], seconds=self.seconds, stderr=self.stderr)


@dataclass(frozen=True)
class Hello:
    """Name, version, language and operations that a client reports about itself."""

    name: str
    version: str
    language: str
    operations: tuple[str, ...]


class ClientUnderTest(Protocol):
    """A client that can be called: driver processes, a Python callable, or the embedded client.

    ``get_batch`` makes a call of any operation. It never raises for what the client does; it raises
    ``CouldNotRun`` only when the run has to end (five respawns in a row without one good reply). It may be called from
    several threads at once.
    ``apart`` is true if concurrent calls share no state, because each has a process to itself.
    ``transport`` says whether the client reaches a stub over a socket (``loopback``) or within this process, through
    its ``bridge`` (``respx``).
    """

    hello: Hello
    spec: str
    transport: Literal["loopback", "respx"]
    apart: bool

    def get_batch(self, call: Call) -> Reply:
        """Make one call and wait for the reply, for at most the deadline plus the grace."""
        ...

    def settle(self) -> None:
        """After the last call, record what the client did after its replies."""
        ...

    def close(self) -> None:
        """End the client: send ``bye`` and end its processes, if it has any."""
        ...
