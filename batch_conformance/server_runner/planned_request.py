"""One request to send, as a probe plans it, and how it becomes bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from urllib.parse import quote

from batch_conformance import __version__
from batch_conformance.generate.ids import AskedId
from batch_conformance.generate.keys import Key
from batch_conformance.http import Intent, Request
from batch_conformance.http.model import KeyKind

#: Which connection: a fresh one; the one that carries the valid key; one that never does; one that mixes.
Lane = Literal["", "valid", "anonymous", "mixed"]


@dataclass(frozen=True)
class PlannedRequest:
    """A request in terms of the API: whose batch is asked for, with which key, how.

    ``key_header`` is the name under which the key travels. ``query`` and ``headers`` carry what is out of the ordinary;
    a header of an empty value is left out altogether. ``key_kind`` overrides the key's own kind, e.g. for a valid key
    in the wrong place. ``operation`` is the contract's, by the suite's name for it.
    """

    probe: str
    asked: AskedId
    key: Key
    method: str = "GET"
    lane: Lane = "valid"
    key_header: str = "x-api-key"
    query: Sequence[tuple[str, str]] = ()
    headers: Sequence[tuple[str, str]] = ()
    key_kind: KeyKind | None = None
    label: str = ""
    staged: int | None = None
    path: str = field(default="")
    operation: str = "get"

    @cached_property
    def intent(self) -> Intent:
        """What the request is sent for."""
        special = [self.label] if self.label else []
        if not special and self.key.kind not in ("valid",):
            special.append(self.key.label)
        if not self.label and self.asked.kind != "known":
            special.append(self.asked.label)
        return Intent(
            probe=self.probe,
            id=self.asked.value,
            id_kind=self.asked.kind,
            key_kind=self.key_kind or self.key.kind,
            label=", ".join(special),
            staged=self.staged,
            operation=self.operation,
        )

    def request(self, base_url: str, host: str) -> Request:
        """The request to ``base_url`` (no slash at its end); ``host`` is the Host header's value."""
        target = self.path or f"/v2/batch/{self.asked.segment}"
        if self.query:
            target += "?" + "&".join(f"{quote(name)}={quote(value, safe='')}" for name, value in self.query)
        headers = [
            ("Host", host),
            ("Accept", "application/json"),
            ("Accept-Encoding", "gzip, deflate"),
            ("User-Agent", f"sync-batch-conformance/{__version__}"),
        ]
        if self.key.value is not None:
            headers.append((self.key_header, self.key.value))
        replaced = {name.lower() for name, _ in self.headers}
        headers = [pair for pair in headers if pair[0].lower() not in replaced]
        headers += [(name, value) for name, value in self.headers if value]
        if self.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", "0"))
        return Request(self.method, base_url + target, tuple(headers))
