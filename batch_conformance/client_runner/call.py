"""What a client is asked and what it answers, whatever language it is written in."""

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
ERROR_KINDS: tuple[ErrorKind, ...] = (
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
)
#: Seconds that a client may take beyond the caller's deadline (contracts/decisions.md, 10).
GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Call:
    """One call: everything the client is told. ``timeout_s`` is the caller's deadline in seconds.

    ``operation`` is the contract's, by the suite's name for it. ``arguments`` are what the caller gave beside an id, by
    the driver protocol's names; None is what was not given.
    """

    base_url: str
    api_key: str = field(repr=False)
    batch_id: str
    timeout_s: float
    operation: str = "get"
    arguments: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True)
class ReportedError:
    """An error as the client's caller sees it."""

    kind: ErrorKind
    status: int | None
    message: str


class NoObject(dict[str, Any]):
    """What a client handed over as a batch though it is no object: a batch without members, that shows as it is.

    Some clients hand ``null`` or an array to their caller; that is an answer, and judged as one.
    """

    def __init__(self, value: object) -> None:
        super().__init__()
        self.value = value

    def __repr__(self) -> str:
        return json.dumps(self.value)


class Several(NoObject):
    """What a client handed over as a list of batches, whatever it is."""


@dataclass(frozen=True)
class Reply:
    """What came of a call: exactly one of ``batch``, ``error`` and ``broken`` is not None.

    ``broken`` says how the client itself failed: it crashed, hung, or broke the driver protocol. ``seconds``
    is how long the call took, ``stderr`` what the driver wrote beside the protocol. Both texts are bounded
    and redacted; ``batch`` and ``error`` are what the client handed over, to the letter. ``afterwards`` is filled
    when the client breaks the protocol, or ends, after it had answered: then the call is broken all the same.
    """

    batch: dict[str, Any] | None = None
    error: ReportedError | None = None
    broken: str | None = None
    seconds: float = 0.0
    stderr: str = ""
    afterwards: list[str] = field(default_factory=list, compare=False)

    def settled(self) -> Reply:
        """What the call came to, once nothing can come any more."""
        if not self.afterwards:
            return self
        return Reply(broken=self.afterwards[0], seconds=self.seconds, stderr=self.stderr)


@dataclass(frozen=True)
class Hello:
    """How a client introduces itself."""

    name: str
    version: str
    language: str
    operations: tuple[str, ...]


class ClientUnderTest(Protocol):
    """A client that can be called: a driver process, a Python callable, or the embedded one.

    ``get_batch`` makes a call of any operation. It never raises for what the client does; it raises
    ``CouldNotRun`` only when judging has to end (five respawns in a row without one good answer). It may be called from
    several threads at once.
    ``apart`` tells whether calls side by side have nothing in common, as in processes of their own.
    ``transport`` tells whether the client reaches a stub over a socket (``loopback``) or in this process, through
    the bridge it carries (``respx``).
    """

    hello: Hello
    spec: str
    transport: Literal["loopback", "respx"]
    apart: bool

    def get_batch(self, call: Call) -> Reply:
        """Make one call and wait for what comes of it, at most the deadline plus the grace."""
        ...

    def settle(self) -> None:
        """Take note of what came after the answers, when no more calls will be made."""
        ...

    def close(self) -> None:
        """Say bye and let go of the process, if there is one."""
        ...
