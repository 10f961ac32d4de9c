"""Faults with the API key: ``client.auth.*``."""
# Overridden methods get arguments that few faults use; table rows stay on one line.
# ruff: noqa: ARG002, ARG005

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from batch_conformance.mutants.client.base import Faulty, Following, Registry, Retrying
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry()
_Change = Callable[[dict[str, str], str], dict[str, str]]


def _header_fault(name: str, clause: str, description: str, change: _Change, *also: str) -> None:
    class Changed(Faulty):
        def headers(self) -> dict[str, str]:
            return change(super().headers(), self.api_key)

    mutant(name, clause, description, *also)(Changed)


def _other_key(change: Callable[[str], str]) -> _Change:
    return lambda headers, key: headers | {"x-api-key": change(key)}


def _more(name: str, form: str) -> _Change:
    return lambda headers, key: headers | {name: form.replace("KEY", key)}


_HEADER = "auth.header"
_header_fault("key-missing", _HEADER, "sends no key", lambda headers, key: {"accept": "application/json"})
_header_fault("key-empty", _HEADER, "sends an empty key", _other_key(lambda key: ""))
_header_fault("key-lower-case", _HEADER, "sends the key in lower case", _other_key(str.lower))
_header_fault("key-upper-case", _HEADER, "sends the key in upper case", _other_key(str.upper))
_header_fault("key-cut", _HEADER, "cuts long keys off", _other_key(lambda key: key[:64]))
_header_fault("key-encoded", _HEADER, "percent-encodes the key", _other_key(lambda key: quote(key, safe="")))
_header_fault("key-in-quotes", _HEADER, "puts the key in quotes", _other_key(lambda key: f'"{key}"'))
_header_fault(
    "key-bearer", _HEADER, "puts the word Bearer in front of the key", _other_key(lambda key: f"Bearer {key}")
)
_header_fault("key-base64", _HEADER, "sends the key in base64",
              _other_key(lambda key: base64.b64encode(key.encode()).decode()))  # fmt: skip
_header_fault("key-unpadded", _HEADER, "strips equals signs off the key", _other_key(lambda key: key.rstrip("=")))
_header_fault("key-twice", _HEADER, "sends the key twice in one header", _other_key(lambda key: f"{key}, {key}"))
_header_fault(
    "key-other-name", _HEADER, "sends the key as api-key",
    lambda headers, key: {"api-key": key, "accept": "application/json"}, "auth.only-there",
)  # fmt: skip
_header_fault(
    "key-as-bearer-token", _HEADER, "sends the key as a bearer token",
    lambda headers, key: {"authorization": f"Bearer {key}", "accept": "application/json"}, "auth.only-there",
)  # fmt: skip


@mutant("key-header-repeated", _HEADER, "sends the header twice")
class _Repeated(Faulty):
    def headers(self) -> Any:
        return [*super().headers().items(), ("X-API-Key", self.api_key)]


@mutant("key-lost-on-retry", _HEADER, "forgets the key when it asks again")
class _LostOnRetry(Retrying):
    again = False

    def send_again(self, url: str, deadline: float) -> Answer:
        self.again = True
        return super().send_again(url, deadline)

    def headers(self) -> dict[str, str]:
        return {"accept": "application/json"} if self.again else super().headers()


@mutant("key-only-once", _HEADER, "sends the key with the first call only")
class _OnlyOnce(Faulty):
    def headers(self) -> dict[str, str]:
        headers = super().headers()
        if self.api_key in self.memory:
            del headers["x-api-key"]
        self.memory[self.api_key] = True
        return headers


_ELSEWHERE = "auth.only-there"
_header_fault(
    "key-in-authorization",
    _ELSEWHERE,
    "sends the key as a bearer token too",
    _more("authorization", "Bearer KEY"),
)
_header_fault("key-in-cookie", _ELSEWHERE, "sends the key in a cookie too", _more("cookie", "session=KEY"))
_header_fault(
    "key-in-user-agent",
    _ELSEWHERE,
    "names the key in its User-Agent",
    _more("user-agent", "client/1.0 (KEY)"),
)
_header_fault("key-in-referer", _ELSEWHERE, "names the key in a Referer", _more("referer", "http://localhost/?key=KEY"))
_header_fault("key-in-request-id", _ELSEWHERE, "makes request ids from the key", _more("x-request-id", "KEY-1"))
_header_fault(
    "key-in-basic", _ELSEWHERE, "sends the key in basic authentication too",
    lambda headers, key: headers | {"authorization": "Basic " + base64.b64encode(f"api:{key}".encode()).decode()},
)  # fmt: skip


@mutant("key-lost-on-redirect", _HEADER, "follows redirects without the key")
class _LostOnRedirect(Following):
    def hop(self, url: str, deadline: float, with_key: bool) -> Answer:
        first = not self.__dict__.setdefault("began", False)
        self.began = True
        return super().hop(url, deadline, with_key and first)


@mutant("key-lost-on-303", _HEADER, "takes the key away where the method may change")
class _LostOn303(Following):
    last = 0

    def hop(self, url: str, deadline: float, with_key: bool) -> Answer:
        answer = super().hop(url, deadline, with_key and self.last != 303)
        self.last = answer.status
        return answer


@mutant("key-in-query", _ELSEWHERE, "sends the key in the query too")
class _InQuery(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        return super().send(f"{url}?api_key={quote(self.api_key, safe='')}", deadline)


@mutant("key-in-user-info", _ELSEWHERE, "puts the key into the URL as a user name")
class _InUserInfo(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        return super().send(url.replace("://", f"://{quote(self.api_key, safe='')}@", 1), deadline)


@mutant("key-in-query-on-retry", _ELSEWHERE, "puts the key into the query when it asks again")
class _InQueryOnRetry(Retrying):
    def send_again(self, url: str, deadline: float) -> Answer:
        return super().send_again(f"{url}?key={quote(self.api_key, safe='')}", deadline)


@mutant("keys-first-wins", "auth.per-call", "keeps the key of the first client for all")
class _FirstWins(Faulty):
    def headers(self) -> dict[str, str]:
        return super().headers() | {"x-api-key": self.memory.setdefault("key", self.api_key)}


@mutant("keys-one-behind", "auth.per-call", "sends the key of the client before")
class _OneBehind(Faulty):
    def headers(self) -> dict[str, str]:
        before = self.memory.get("key", self.api_key)
        self.memory["key"] = self.api_key
        return super().headers() | {"x-api-key": before}


@mutant("keys-by-batch", "auth.per-call", "remembers the key by batch")
class _ByBatch(Faulty):
    def url(self, batch_id: str) -> str:
        self.api_key = self.memory.setdefault(batch_id, self.api_key)
        return super().url(batch_id)


_REDIRECT = "auth.redirect"


@mutant("redirect-with-key", _REDIRECT, "follows every redirect with the key")
class _WithKey(Following):
    def may_have_key(self, url: str) -> bool:
        return True


@mutant("redirect-port-ignored", _REDIRECT, "takes another port for the same origin")
class _PortIgnored(Following):
    def may_have_key(self, url: str) -> bool:
        return httpx.URL(url).host == httpx.URL(self.base_url).host


@mutant("redirect-host-ignored", _REDIRECT, "takes another host on the same port for the same origin")
class _HostIgnored(Following):
    def may_have_key(self, url: str) -> bool:
        return httpx.URL(url).port == httpx.URL(self.base_url).port


@mutant("redirect-prefix-compared", _REDIRECT, "compares origins by how URLs begin")
class _PrefixCompared(Following):
    def may_have_key(self, url: str) -> bool:
        return url.startswith(self.base_url)


@mutant("redirect-second-hop", _REDIRECT, "compares with the page before, and adds the key anew")
class _SecondHop(Following):
    before = ""

    def may_have_key(self, url: str) -> bool:
        same = not self.before or urlsplit(self.before).netloc == urlsplit(url).netloc
        self.before = url
        return same


@mutant("redirect-permanent", _REDIRECT, "follows permanent redirects with the key")
class _Permanent(Following):
    def hop(self, url: str, deadline: float, with_key: bool) -> Answer:
        answer = super().hop(url, deadline, with_key or self.status_before in (301, 308))
        self.status_before = answer.status
        return answer

    status_before = 0


@mutant("redirect-key-in-query", _REDIRECT, "moves the key into the query of another origin")
class _KeyInQuery(Following):
    def hop(self, url: str, deadline: float, with_key: bool) -> Answer:
        return super().hop(url if with_key else f"{url}?key={quote(self.api_key, safe='')}", deadline, with_key)


_ERRORS = "auth.not-in-errors"


def _message_fault(name: str, description: str, kinds: set[str], form: str) -> None:
    class Changed(Faulty):
        def get_batch(self, batch_id: str) -> Batch:
            try:
                return super().get_batch(batch_id)
            except BatchError as error:
                if error.kind not in kinds:
                    raise
                secret = form.replace("KEY", self.api_key).replace("ENCODED", quote(self.api_key, safe=""))
                raise BatchError(error.kind, f"{error} ({secret})", error.status) from None

    mutant(name, _ERRORS, description)(Changed)


_message_fault(
    "error-shows-headers",
    "shows the request's headers when nobody answers",
    {"transport"},
    "headers: {'x-api-key': 'KEY'}",
)
_message_fault("error-shows-refused-key", "shows the key that was refused", {"unauthorized"}, "key KEY")
_message_fault("error-shows-curl", "shows a curl line for server errors", {"server_error"}, "curl -H 'x-api-key: KEY'")
_message_fault("error-shows-client", "shows itself when it cannot decode", {"decode"}, "BatchClient(api_key='KEY')")
_message_fault("error-shows-key-on-timeout", "shows the key when time is up", {"timeout"}, "key=ENCODED")
_message_fault("error-shows-key-with-id", "shows the key when it refuses an id", {"invalid_argument"}, "for KEY")
_message_fault(
    "error-shows-key-missing-batch",
    "shows the key when there is no such batch",
    {"not_found"},
    "no batch for KEY",
)
