"""Faults in requests: ``client.request.*``."""
# Table rows stay on one line.
# ruff: noqa: E501

from __future__ import annotations

import posixpath
import re
import unicodedata
from contextlib import AbstractContextManager, suppress
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus, urlsplit

import httpx

from batch_conformance.mutants.client.base import Faulty, Registry, Retrying
from batch_conformance.reference.client import Answer, Batch, BatchError

mutant = Registry()


def _url_fault(name: str, description: str, old: str, new: str, *also: str) -> None:
    class Changed(Faulty):
        def url(self, batch_id: str) -> str:
            return super().url(batch_id).replace(old, new, 1)

    mutant(name, "request.target", description, *also)(Changed)


_url_fault("target-other-version", "asks under /v1", "/v2/batch/", "/v1/batch/")
_url_fault("target-plural", "asks for /v2/batches", "/v2/batch/", "/v2/batches/")
_url_fault("target-no-version", "leaves the version out", "/v2/batch/", "/batch/")
_url_fault("target-upper-case", "asks for /V2/Batch", "/v2/batch/", "/V2/Batch/")
_url_fault("target-double-slash", "doubles a slash", "/v2/batch/", "//v2/batch/")


@mutant("target-prefix-dropped", "request.target", "forgets the path of the base URL")
class _PrefixDropped(Faulty):
    def url(self, batch_id: str) -> str:
        base = urlsplit(self.base_url)
        return super().url(batch_id).replace(self.base_url, f"{base.scheme}://{base.netloc}", 1)


@mutant("target-prefix-collapsed", "request.target", "takes a base path /v2 for its own")
class _PrefixCollapsed(Faulty):
    def url(self, batch_id: str) -> str:
        return super().url(batch_id).replace("/v2/v2/", "/v2/", 1)


@mutant("target-trailing-slash", "request.target", "ends the path with a slash")
class _TrailingSlash(Faulty):
    def url(self, batch_id: str) -> str:
        return super().url(batch_id) + "/"


@mutant("target-query", "request.target", "adds a query")
class _Query(Faulty):
    def url(self, batch_id: str) -> str:
        return super().url(batch_id) + "?expand=metrics"


@mutant("target-id-in-query", "request.target", "sends the id as a query parameter, too")
class _IdInQuery(Faulty):
    def url(self, batch_id: str) -> str:
        return f"{super().url(batch_id)}?id={quote(batch_id)}"


@mutant("target-post", "request.target", "uses POST")
class _Post(Faulty):
    def ask(self, url: str) -> AbstractContextManager[httpx.Response]:
        return self._http.stream("POST", url, headers=self.headers())


@mutant("target-head-first", "request.target", "asks with HEAD whether there is a batch")
class _HeadFirst(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        with suppress(httpx.HTTPError):
            self._http.head(url, headers=self.headers())
        return super().send(url, deadline)


@mutant("target-list-first", "request.target", "reads the list of batches first")
class _ListFirst(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        super().send(f"{self.base_url}/v2/batch", deadline)
        return super().send(url, deadline)


@mutant("target-host-header", "request.target", "names the production host, wherever it asks")
class _HostHeader(Faulty):
    def headers(self) -> dict[str, str]:
        return super().headers() | {"host": "api.sync.so"}


def _segment_fault(name: str, description: str, change: Any, *also: str) -> None:
    class Changed(Faulty):
        def segment(self, batch_id: str) -> str:
            return str(change(batch_id))

    mutant(name, "request.id-encoding", description, *also)(Changed)


_segment_fault("id-raw", "does not encode the id", lambda text: text)
_segment_fault("id-slash-kept", "leaves slashes as they are", lambda text: quote(text))
_segment_fault("id-question-kept", "leaves question marks as they are", lambda text: quote(text, safe="?"))
_segment_fault("id-hash-kept", "leaves hashes as they are", lambda text: quote(text, safe="#"))
_segment_fault("id-percent-kept", "takes percent signs for its own", lambda text: quote(text, safe="%"))
_segment_fault("id-twice", "encodes the id twice", lambda text: quote(quote(text, safe=""), safe=""))
_segment_fault("id-plus-for-space", "encodes the id like a form", quote_plus)
_segment_fault("id-decoded-first", "decodes the id before it encodes it", lambda text: quote(unquote(text), safe=""))
_segment_fault("id-plus-decoded", "takes plus signs for spaces", lambda text: quote(unquote_plus(text), safe=""))
_segment_fault("id-lower-case", "turns the id into lower case", lambda text: quote(text.lower(), safe=""))
_segment_fault("id-trimmed", "strips white space off the id", lambda text: quote(text.strip(), safe=""))
_segment_fault("id-cut", "cuts long ids off", lambda text: quote(text[:128], safe=""))
_segment_fault(
    "id-latin-1",
    "encodes the id in Latin-1",
    lambda text: quote(text, safe="", encoding="latin-1", errors="replace"),
)
_segment_fault("id-ascii-only", "drops what is not ASCII", lambda text: quote(text.encode("ascii", "ignore"), safe=""))
_segment_fault(
    "id-normalised",
    "normalises the id to NFC",
    lambda text: quote(unicodedata.normalize("NFC", text), safe=""),
)
_segment_fault("id-resolved", "resolves dots within the id", lambda text: quote(posixpath.normpath(text), safe=""))
_segment_fault(
    "id-as-url",
    "takes an id like a URL for its last part",
    lambda text: quote(text.rstrip("/").rsplit("/", 1)[-1] or "x", safe=""),
)
_segment_fault("id-quotes-stripped", "strips quotes off the id", lambda text: quote(text.replace('"', ""), safe=""))
_segment_fault("id-parameters-cut", "cuts the id at a semicolon", lambda text: quote(text.split(";")[0], safe=""))
_segment_fault("id-escape-uppercased", "writes unicode as %uXXXX", lambda text: "".join(
    char if re.fullmatch(r"[\w.~-]", char, re.ASCII) else f"%u{ord(char):04X}" if ord(char) > 255 else f"%{ord(char):02X}"
    for char in text
))  # fmt: skip


@mutant("id-odd-refused", "request.id-encoding", "refuses ids that are not plain")
class _OddRefused(Faulty):
    def url(self, batch_id: str) -> str:
        if not re.fullmatch(r"[\w.-]+", batch_id, re.ASCII):
            raise BatchError("invalid_argument", "that is no batch id")
        return super().url(batch_id)


@mutant("id-as-number", "request.id-encoding", "takes ids of digits for numbers, and 0 for none")
class _AsNumber(Faulty):
    def url(self, batch_id: str) -> str:
        if batch_id.isdecimal() and not int(batch_id):
            raise BatchError("invalid_argument", "an id is required")
        return super().url(batch_id)


@mutant("dot-id-sent", "request.dot-id", "sends an empty id, . and .. like any other")
class _DotSent(Faulty):
    def url(self, batch_id: str) -> str:
        return f"{self.base_url}/v2/batch/{self.segment(batch_id)}"


@mutant("dot-id-empty-sent", "request.dot-id", "sends an empty id, which reads the list")
class _EmptySent(Faulty):
    def url(self, batch_id: str) -> str:
        return super().url(batch_id) if batch_id else f"{self.base_url}/v2/batch/"


@mutant("dot-id-climbs", "request.dot-id", "refuses an empty id only")
class _Climbs(Faulty):
    def url(self, batch_id: str) -> str:
        if batch_id not in (".", ".."):
            return super().url(batch_id)
        return f"{self.base_url}/v2/batch/{batch_id}"


@mutant("body-json", "request.no-body", "sends an empty JSON object with the GET")
class _JsonBody(Faulty):
    content = b"{}"

    def ask(self, url: str) -> AbstractContextManager[httpx.Response]:
        return self._http.stream("GET", url, headers=self.headers(), content=self.content)


@mutant("body-id", "request.no-body", "sends the id in a body too")
class _IdBody(_JsonBody):
    def url(self, batch_id: str) -> str:
        self.content = f"id={quote(batch_id)}".encode()
        return super().url(batch_id)


@mutant("body-chunked", "request.no-body", "sends a body in chunks with the GET")
class _ChunkedBody(Faulty):
    def ask(self, url: str) -> AbstractContextManager[httpx.Response]:
        return self._http.stream("GET", url, headers=self.headers(), content=iter([b"nu", b"ll"]))


@mutant("single-asks-twice", "request.single", "asks twice and takes the second answer")
class _Twice(Faulty):
    def send(self, url: str, deadline: float) -> Answer:
        super().send(url, deadline)
        return super().send(url, deadline)


@mutant("single-polls", "request.single", "asks again while a batch is not final")
class _Polls(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        batch = super().get_batch(batch_id)
        return super().get_batch(batch_id) if batch["status"] == "PROCESSING" else batch


@mutant("single-confirms-completed", "request.single", "reads a completed batch once more")
class _Confirms(Faulty):
    def get_batch(self, batch_id: str) -> Batch:
        batch = super().get_batch(batch_id)
        return super().get_batch(batch_id) if batch["status"] == "COMPLETED" else batch


@mutant("single-retries-403", "request.single", "retries a 403, which is final")
class _Retries403(Retrying):
    def worth_another(self, answer: Answer) -> bool:
        return answer.status == 403
