"""A request as a probe plans it, and how it becomes an HTTP request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal
from urllib.parse import quote

from batch_conformance import __version__
from batch_conformance.contract import Operation, current_contract
from batch_conformance.contract.media_types import JSON, one_of
from batch_conformance.generate.ids import AskedId
from batch_conformance.generate.keys import Key
from batch_conformance.http import Intent, Request
from batch_conformance.http.model import KeyKind

#: Which connection to use: a fresh one, that of the valid key, one that never carries it, or one that mixes.
Lane = Literal["", "valid", "anonymous", "mixed"]


@dataclass(frozen=True)
class PlannedRequest:
    """A request in terms of the API: which id, which key, which method.

    Path, required parameters and the key's place are those of ``operation`` in the contract in use, or of
    ``as_in`` if given. ``key_name`` is another spelling of the key's header or parameter. ``query``,
    ``headers`` and ``cookies`` are additions; a header with an empty value is removed. ``key_kind`` overrides
    the key's own kind, e.g. for a valid key in the wrong place; ``places`` counts the places of such a key.
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
        """The purpose of the request, as recorded with the exchange."""
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
        """Return the request to ``base_url`` (without a trailing slash); ``host`` is the Host header's value.

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
            ("Accept", _accepted(operation)),
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

    def _with(self, operation: Operation, place: str, required: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        """Yield the required parameters of one location, and the key if it belongs there."""
        key = operation.key
        here = key is not None and key.place == place
        yield from ((name, value) for name, value in required if not (here and key and key.is_named(name)))
        if here and key and self.key.value is not None:
            yield self.key_name or key.name, key.prefix + self.key.value if self.key.value else ""


def _accepted(operation: Operation) -> str:
    """Return the Accept header's value: JSON if it is documented, else what is documented for a success."""
    documented = operation.success.media_types if operation.success else {}
    return JSON if one_of(documented) in (None, JSON) else ", ".join(documented)


def _without(headers: Sequence[tuple[str, str]], others: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return the headers without those that ``others`` replaces."""
    replaced = {name.lower() for name, _ in others}
    return [pair for pair in headers if pair[0].lower() not in replaced]


def _encoded(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def misplaced(base: PlannedRequest, place: str, pairs: Sequence[tuple[str, str]]) -> PlannedRequest:
    """Return a copy of a request without a key, with the valid key in a place where it must be ignored."""
    base, names = replace(base, places=len(pairs)), ", ".join(name for name, _ in pairs)
    if place.startswith("query"):
        return replace(base, query=pairs, label=f"the valid key in the query ({names})")
    if place == "cookie":
        return replace(base, cookies=pairs, label=f"the valid key in a cookie ({names})")
    if place == "header":
        return replace(base, headers=pairs, label=f"the valid key in another header ({names})")
    scheme = pairs[0][1].partition(" ")[0] if " " in pairs[0][1] else "no scheme"
    return replace(base, headers=pairs, label=f"the valid key in Authorization ({scheme})")
