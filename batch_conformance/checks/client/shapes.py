"""The shapes of a call and of its reply, as checks read them; the client runner, which stands above, makes them."""

from __future__ import annotations

from typing import Any, Protocol


class Call(Protocol):
    """What the client was asked: the shape of what the client runner calls with, which stands above this layer."""

    @property
    def base_url(self) -> str:
        """Where the server is."""
        ...

    @property
    def api_key(self) -> str:
        """The key to send."""
        ...

    @property
    def batch_id(self) -> str:
        """The id asked for."""
        ...

    @property
    def timeout_s(self) -> float:
        """The deadline, in seconds."""
        ...


class ReportedError(Protocol):
    """An error as the client's caller sees it."""

    @property
    def kind(self) -> str:
        """The protocol's word for it."""
        ...

    @property
    def status(self) -> int | None:
        """The HTTP status, if the client told one."""
        ...

    @property
    def message(self) -> str:
        """What the caller reads."""
        ...


class Reply(Protocol):
    """What came of a call: exactly one of ``batch``, ``error`` and ``broken`` is not None."""

    @property
    def batch(self) -> dict[str, Any] | None:
        """What was handed over as a batch."""
        ...

    @property
    def error(self) -> ReportedError | None:
        """What was reported as an error."""
        ...

    @property
    def broken(self) -> str | None:
        """How the client itself failed."""
        ...

    @property
    def seconds(self) -> float:
        """How long it took."""
        ...

    @property
    def stderr(self) -> str:
        """What a driver wrote beside the protocol meanwhile: bounded, and redacted."""
        ...
