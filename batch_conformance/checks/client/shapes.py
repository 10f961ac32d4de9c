"""Protocols of a call and its reply as checks read them.

The client runner, a layer above, implements them.
"""

from __future__ import annotations

from typing import Any, Protocol


class Call(Protocol):
    """The parameters of a call of the client."""

    @property
    def base_url(self) -> str:
        """Base URL of the server."""
        ...

    @property
    def api_key(self) -> str:
        """The key to send."""
        ...

    @property
    def batch_id(self) -> str:
        """The requested id."""
        ...

    @property
    def timeout_s(self) -> float:
        """The deadline, in seconds."""
        ...


class ReportedError(Protocol):
    """An error as the client reports it to its caller."""

    @property
    def kind(self) -> str:
        """Kind of the error, in the driver protocol's terms."""
        ...

    @property
    def status(self) -> int | None:
        """The HTTP status, if the client reports one."""
        ...

    @property
    def message(self) -> str:
        """The message for the caller."""
        ...


class Reply(Protocol):
    """Outcome of a call: exactly one of ``batch``, ``error`` and ``broken`` is not None."""

    @property
    def batch(self) -> dict[str, Any] | None:
        """The decoded batch."""
        ...

    @property
    def error(self) -> ReportedError | None:
        """The reported error."""
        ...

    @property
    def broken(self) -> str | None:
        """How the client itself failed."""
        ...

    @property
    def seconds(self) -> float:
        """Duration of the call."""
        ...

    @property
    def stderr(self) -> str:
        """The driver's stderr during the call, cut and redacted."""
        ...
