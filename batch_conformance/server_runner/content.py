"""Response bodies: undo content codings up to a limit, and cache what a run keeps."""

from __future__ import annotations

import zlib
from threading import Lock

from batch_conformance.http import Failure
from batch_conformance.server_runner.connection import BODY_CAP

#: More content codings in a row than any server uses; each one costs time.
_MOST_CODINGS = 4


def decoded(raw: bytes, codings: list[str]) -> tuple[bytes, Failure | None]:
    """Undo gzip and deflate, the codings that requests accept, up to ``BODY_CAP`` (against bombs)."""
    names = [name.strip().lower() for value in codings for name in value.split(",")]
    names = [name for name in names if name and name != "identity"]
    body = raw
    if len(names) > _MOST_CODINGS:
        return body, Failure("too-large", f"the body has {len(names)} codings, one over the other")
    for name in reversed(names):
        if name not in ("gzip", "x-gzip", "deflate") or not body:
            return body, None
        body, failure = _inflated(body, name)
        if failure:
            return body, failure
    return body, None


def _inflated(body: bytes, name: str) -> tuple[bytes, Failure | None]:
    # 31: gzip; 15: zlib, which is what deflate means; -15: raw deflate, which some servers send.
    windows = (15, -15) if name == "deflate" else (31,)
    for window in windows:
        try:
            return _members(body, window, name)
        except zlib.error as error:
            failure = Failure("truncated", f"the {name} coding is broken: {error}")
    return body, failure


def _members(body: bytes, window: int, name: str) -> tuple[bytes, Failure | None]:
    """Inflate the members of a gzip file one after the other (RFC 1952, 2.2); deflate has a single one."""
    plain = bytearray()
    while body:
        inflater = zlib.decompressobj(window)
        plain += inflater.decompress(body, BODY_CAP + 1 - len(plain))
        if len(plain) > BODY_CAP:
            note = Failure("too-large", f"the body inflates to more than {BODY_CAP:,} bytes")
            return bytes(plain[:BODY_CAP]), note
        if not inflater.eof:
            return bytes(plain), Failure("truncated", f"the {name} coding ends too early")
        body = inflater.unused_data
    return bytes(plain), None


class BodyCache:
    """The bodies of a run.

    Equal bodies are stored once; long ones whole as long as there is room, then cut.
    """

    SHORT = 16 << 10
    ROOM = 128 << 20

    def __init__(self) -> None:
        self._cached: dict[bytes, bytes] = {}
        self._room = self.ROOM
        self._lock = Lock()

    def keep(self, body: bytes, failure: Failure | None) -> tuple[bytes, Failure | None]:
        """Return the body to record, and its failure if any."""
        if failure is not None and failure.kind == "too-large":
            return body[: self.SHORT], failure
        with self._lock:
            return self._keep(body, failure)

    def _keep(self, body: bytes, failure: Failure | None) -> tuple[bytes, Failure | None]:
        if body not in self._cached:
            if len(body) > self.SHORT:
                if len(body) > self._room:
                    note = f"the long bodies of this run exceed {self.ROOM:,} bytes; the rest of this one was dropped"
                    return body[: self.SHORT], failure or Failure("too-large", note)
                self._room -= len(body)
            self._cached[body] = body
        return self._cached[body], failure
