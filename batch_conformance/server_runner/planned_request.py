"""One request to send, as a probe plans it, and how it becomes bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal
from urllib.parse import quote

from batch_conformance import __version__
from batch_conformance.contract import Operation, current_contract
from batch_conformance.generate.ids import AskedId
from batch_conformance.generate.keys import Key
from batch_conformance.http import Intent, Request
from batch_conformance.http.model import KeyKind

#: Which connection: a fresh one; the one that carries the valid key; one that never does; one that mixes.
Lane = Literal["", "valid", "anonymous", "mixed"]


@dataclass(frozen=True)
class PlannedRequest:
    """A request in terms of the API: whose batch is asked for, with which key, how.

    Path, required parameters and the place of the key are those of the ``operation`` (by its name) in the contract in
    use, unless it is given ``as_in`` another one. ``key_name`` is another spelling of the name under which the key
    travels. ``query``, ``headers`` and ``cookies`` carry what is out of the ordinary; a header of an empty value is
    left out altogether. ``key_kind`` overrides the key's own kind, e.g. for a valid key in the wrong place.
    """

    probe: str
    asked: AskedId
    key: Key
    method: str = "GET"
    lane: Lane = "valid"
    key_name: str = ""
    query: Sequence[tuple[str, str]] = ()
    headers: Sequence[tuple[str, str]] = ()
    cookies: Sequence[tuple[str, str]] = ()
    key_kind: KeyKind | None = None
    label: str = ""
    staged: int | None = None
    operation: str = "get"
    places: int = 1
    as_in: Operation | None = None

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
            places=self.places,
        )

    def request(self, base_url: str, host: str) -> Request:
        """The request to ``base_url`` (no slash at its end); ``host`` is the Host header's value.

        Raises ``NoSuchOperation``.
        """
        operation = self.as_in or current_contract().operation(self.operation)
        target = operation.raw_path(self.asked.segment)
        given = {name for name, _ in self.query}
        required = [row for row in operation.required_query() if row[0] not in given]
        query = [*self._with(operation, "query", required), *self.query]
        if query:
            target += "?" + "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in query)
        headers = [
            ("Host", host),
            ("Accept", "application/json"),
            ("Accept-Encoding", "gzip, deflate"),
            ("User-Agent", f"sync-batch-conformance/{__version__}"),
        ]
        required = list(self._with(operation, "header", operation.required_headers()))
        headers = [*_without(headers, required), *required]
        cookies = [*self._with(operation, "cookie", operation.required_cookies()), *self.cookies]
        if cookies:
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in cookies)))
        headers = [*_without(headers, self.headers), *((name, value) for name, value in self.headers if value)]
        if self.method in ("POST", "PUT", "PATCH"):
            headers.append(("Content-Length", "0"))
        return Request(self.method, base_url + target, tuple(headers))

    def _with(
        self, operation: Operation, place: str, required: Sequence[tuple[str, str]]
    ) -> Iterator[tuple[str, str]]:
        """What goes in one place: the required parameters, and the key if that is where it goes."""
        key = operation.key
        here = key is not None and key.place == place
        yield from ((name, value) for name, value in required if not (here and key and key.is_named(name)))
        if here and key and self.key.value is not None:
            yield self.key_name or key.name, key.prefix + self.key.value if self.key.value else ""


def _without(headers: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers, but for those that others take the place of."""
    replaced = {name.lower() for name, _ in others}
    return [pair for pair in headers if pair[0].lower() not in replaced]


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def misplaced(base: PlannedRequest, place: str, pairs: Sequence[tuple[str, str]]) -> PlannedRequest:
    """A request without a key, with the valid one in a place where it counts for nothing."""
    base, names = replace(base, places=len(pairs)), ", ".join(name for name, _ in pairs)
    if place.startswith("query"):
        return replace(base, query=pairs, label=f"the valid key in the query ({names})")
    if place == "cookie":
        return replace(base, cookies=pairs, label=f"the valid key in a cookie ({names})")
    if place == "header":
        return replace(base, headers=pairs, label=f"the valid key in another header ({names})")
    scheme = pairs[0][1].partition(" ")[0] if " " in pairs[0][1] else "no scheme"
    return replace(base, headers=pairs, label=f"the valid key in Authorization ({scheme})")
