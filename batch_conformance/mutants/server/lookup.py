"""Faults in finding a batch by its id: ``server.notfound.*`` and ``server.method.*``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qsl, unquote, unquote_to_bytes

from batch_conformance.generate.ids import near_ids
from batch_conformance.mutants.server.base import fault_in_answer, fault_in_lookup, register
from batch_conformance.operations.get_batch.store import Batch, State, sample_store
from batch_conformance.operations.stored import Store, StoredBatch
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

DOCUMENTED = "server.error.documented-status"
HOSTILE_404 = "server.notfound.hostile-id-404"
AGREES = "server.error.status-agrees"


def _known(server: ReferenceServer, value: str) -> StoredBatch | None:
    return server.store.batches.get(value)


def _any(server: ReferenceServer) -> StoredBatch:
    return server.store.batches["batch_abc123"]


def _matching(test: Callable[[str, str], object]) -> Callable[[ReferenceServer, bytes], StoredBatch | None]:
    """Find the first batch for which ``test(asked, known)`` is true."""

    def find(server: ReferenceServer, segment: bytes) -> StoredBatch | None:
        asked = unquote(segment.decode("latin-1"), errors="surrogateescape")
        return next((batch for value, batch in server.store.batches.items() if test(asked, value)), None)

    return find


def _missing(
    test: Callable[[str], bool], answer: Callable[[ReferenceServer], Answer]
) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    """Answer differently for unknown ids for which ``test`` is true."""

    def change(server: ReferenceServer, asked: Asked, plain: Answer) -> Answer:
        if plain.status == 404 and asked.method == "GET" and asked.segment is not None:
            value = unquote(asked.segment.decode("latin-1"), errors="surrogateescape")
            if test(value):
                return answer(server)
        return plain

    return change


def _well_formed(value: str) -> bool:
    return re.fullmatch(r"batch_[A-Za-z0-9_]+", value) is not None and value.strip("_") != ""


def _plain(status: int) -> Callable[[ReferenceServer], Answer]:
    headers = [("WWW-Authenticate", "ApiKey")] if status == 401 else []
    return lambda _: Answer(status, {"message": "?", "statusCode": status}, headers)


def _is_unknown(value: str) -> bool:
    """Whether an id is one of the probe for server.notfound.unknown-id."""
    return _well_formed(value) and not _looks_near(value) and not _is_near(value)


# unknown ids
UNKNOWN = "server.notfound.unknown-id"
for _status in (200, 204, 302, 400, 401, 403, 410, 422, 500, 503):
    fault_in_answer(UNKNOWN, f"unknown-{_status}", _missing(
        lambda value: _is_unknown(value), _plain(_status)),
        also=[] if _status in (200, 401) else [DOCUMENTED])  # fmt: skip


def _not_near_and(test: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda value: test(value) and not _is_near(value)


def _is_near(value: str) -> bool:
    """Whether an id is one of the probe for server.notfound.near-id."""
    return value in _NEAR_IDS


_NEAR_IDS = {asked.value for known in sample_store().batches for asked in near_ids(known, sample_store().batches)}


def _looks_near(value: str) -> bool:
    stems = (
        "batch_abc",
        "batch_Def",
        "batch_ghi",
        "batch_jkl",
        "batch_mno",
        "batch_pqr",
        "batch_stu",
        "batch_0",
        "BATCH",
        "Batch",
    )
    return value.startswith(stems)


fault_in_answer(UNKNOWN, "unknown-null-200", _missing(
    lambda value: _is_unknown(value), lambda server: Answer(200, None)))  # fmt: skip
fault_in_answer(UNKNOWN, "unknown-made-up", _missing(
    lambda value: _is_unknown(value), lambda server: Answer(200, _any(server).peek())))  # fmt: skip
fault_in_answer(UNKNOWN, "unknown-empty-200", _missing(
    lambda value: _is_unknown(value), lambda server: Answer(200, {})))  # fmt: skip

# near ids
NEAR, HOSTILE = "server.notfound.near-id", "server.notfound.hostile-id"
for _name, _test in {
    "id-by-prefix": lambda asked, known: len(asked) > 9 and known.startswith(asked),
    "id-by-extension": lambda asked, known: asked.startswith(known) and asked[len(known) :].isalnum(),
    "id-ignoring-case": lambda asked, known: asked.lower() == known.lower(),
    "id-trimmed": lambda asked, known: asked != known and asked.strip() == known,
    "id-trimmed-right": lambda asked, known: asked.rstrip() == known,
    "id-by-suffix": lambda asked, known: len(asked) > 5 and known.endswith(asked),
    "id-behind-another": lambda asked, known: asked.endswith(known) and "/" not in asked,
    "id-without-extension": lambda asked, known: asked.removesuffix(".json") == known,
    "id-without-prefix-found": lambda asked, known: known == f"batch_{asked}",
    "id-all-but-last": lambda asked, known: asked[:-1] == known[:-1] and asked[-1:].isalnum(),
    "id-dashes": lambda asked, known: asked.replace("-", "_") == known,
    "id-list": lambda asked, known: known in asked.split(","),
    "id-upper-case-found": lambda asked, known: asked == known.upper(),
    "id-tab-trimmed": lambda asked, known: "\t" in asked and asked.strip("\t") == known,
    "id-nul-dropped-before": lambda asked, known: asked.startswith("\0") and asked.lstrip("\0") == known,
    "id-plus-trimmed": lambda asked, known: asked.endswith("+") and asked.rstrip("+") == known,
    "id-cut-at-colon": lambda asked, known: ":" in asked and asked.partition(":")[0] == known,
    "id-dot-dropped": lambda asked, known: asked.rstrip(".") == known and asked != known,
}.items():
    fault_in_lookup(NEAR, _name, _matching(_test))
fault_in_answer(HOSTILE, "encoded-dot-is-the-list", _missing(lambda value: value == ".", lambda _: Answer(200, [])))
fault_in_lookup(NEAR, "id-decoded-twice", lambda server, segment: _known(
    server, unquote_to_bytes(unquote_to_bytes(segment)).decode("latin-1") if b"%25" in segment else ""))  # fmt: skip
fault_in_lookup(NEAR, "id-cut-at-semicolon", _matching(
    lambda asked, known: ";" in asked and asked.partition(";")[0] == known), also=[HOSTILE])  # fmt: skip
fault_in_lookup(NEAR, "path-parameters-dropped", lambda server, segment: _known(
    server, segment.partition(b";")[0].decode("latin-1") if b";" in segment else ""))  # fmt: skip


class _QueryFirst(ReferenceServer):
    """Prefers an id in the query to the one in the path, like frameworks that merge all parameters."""

    names: tuple[bytes, ...] = (b"id",)

    def answer(self, asked: Asked) -> Answer:
        parameters = dict(parse_qsl(asked.query))
        name = next((name for name in self.names if name in parameters), None)
        return super().answer(replace(asked, segment=parameters[name]) if name and asked.segment else asked)


class _OtherQueryFirst(_QueryFirst):
    names = (b"batchId",)


register("query-overrides-path", NEAR, _QueryFirst)
register("query-overrides-path-in-camel-case", NEAR, _OtherQueryFirst)


def _numbered() -> Store:
    return Store({"4711": Batch("4711", "2024-01-15T10:30:00Z", [State("COMPLETED", 1, 1)])})


def _as_number(parse: Callable[[str], object]) -> Callable[[], ReferenceServer]:
    class Coerces(ReferenceServer):
        def __init__(self) -> None:
            super().__init__(_numbered())

        def look_up(self, segment: bytes) -> StoredBatch | None:
            try:
                return self.store.batches.get(str(parse(unquote(segment.decode("latin-1")))))
            except (ValueError, OverflowError):
                return super().look_up(segment)

    return Coerces


#: These parse full-width digits as well.
register("number-read-as-int", NEAR, _as_number(int), also=[HOSTILE])
register("number-read-as-float", NEAR, _as_number(lambda text: int(float(text))), also=[HOSTILE])
register("number-with-zeros-before", NEAR, _as_number(lambda text: text.lstrip("0")))
register("number-with-plus", NEAR, _as_number(lambda text: text.removeprefix("+")))
register("number-and-letters", NEAR, _as_number(lambda text: re.sub(r"[a-z]+$", "", text)))
fault_in_answer(NEAR, "near-400", _missing(_is_near, lambda server: server.error(400, "Bad id")))
fault_in_answer(NEAR, "near-500", _missing(_is_near, lambda server: server.error(500, "Oops")), also=[DOCUMENTED])

# hostile ids
for _name, _test in {
    "id-like": lambda asked, known: "%" in asked and re.fullmatch(re.escape(asked).replace("%", ".*"), known),
    "id-like-one": lambda asked, known: asked.endswith("_") and re.fullmatch(asked.replace("_", "."), known),
    "id-glob": lambda asked, known: "*" in asked and re.fullmatch(re.escape(asked).replace(r"\*", ".*"), known),
    "id-cut-at-nul": lambda asked, known: "\0" in asked and asked.partition("\0")[0] == known,
    "id-cut-at-slash": lambda asked, known: "/" in asked and asked.partition("/")[0] == known,
    "id-cut-at-question-mark": lambda asked, known: "?" in asked and asked.partition("?")[0] == known,
    "id-cut-at-hash": lambda asked, known: "#" in asked and asked.partition("#")[0] == known,
    "id-cut-at-encoded-semicolon": lambda asked, known: asked == f"{known};x=1",
    "id-cut-at-ampersand": lambda asked, known: "&" in asked and asked.partition("&")[0] == known,
    "id-last-of-path": lambda asked, known: "/" in asked and asked.rpartition("/")[2] == known,
    "id-sql": lambda asked, known: "' OR '1'='1" in asked,
    "id-sql-comment": lambda asked, known: asked.partition("' --")[0] == known and "'" in asked,
    "id-operator": lambda asked, known: asked.startswith("[$ne]"),
}.items():
    fault_in_lookup(HOSTILE, _name, _matching(_test))


def _fullmatch(asked: str, known: str) -> bool:
    try:
        return not _well_formed(asked) and re.fullmatch(asked, known) is not None
    except re.error:
        return False


fault_in_lookup(HOSTILE, "id-regex", _matching(_fullmatch), also=[NEAR])
for _name, _crash in {
    "quote": lambda value: "'" in value,
    "double-quote": lambda value: '"' in value,
    "nul": lambda value: "\0" in value,
    "not-utf-8": lambda value: not value.isprintable() and any("\udc80" <= char <= "\udcff" for char in value),
    "non-ascii": lambda value: not value.isascii(),
    "emoji": lambda value: any(ord(char) > 0xFFFF for char in value),
    "long-over-1000": lambda value: len(value) > 1000,
    "slash": lambda value: "/" in value,
    "percent": lambda value: "%" in value,
    "backslash": lambda value: "\\" in value,
    "proto": lambda value: value in ("__proto__", "constructor"),
    "newline": lambda value: "\r" in value,
    "dots": lambda value: ".." in value,
    "star": lambda value: "*" in value,
    "brace": lambda value: "{" in value,
}.items():
    fault_in_answer(HOSTILE, f"hostile-{_name}-500", _missing(
        _not_near_and(_crash), lambda server: server.error(500, "Internal server error")), also=[DOCUMENTED])  # fmt: skip
fault_in_answer(HOSTILE, "hostile-null-200", _missing(lambda value: value in ("null", "undefined", "0"), lambda server: Answer(
    200, _any(server).peek())))  # fmt: skip
fault_in_answer(HOSTILE, "hostile-302", _missing(lambda value: "/" in value, lambda server: Answer(
    302, b"", [("Location", "/v2/batch")], None)))  # fmt: skip
for _status in (401, 405, 410, 422):
    fault_in_answer(HOSTILE_404, f"hostile-{_status}", _missing(
        lambda value: not _well_formed(value) and not _is_near(value), _plain(_status)))  # fmt: skip
fault_in_answer(HOSTILE_404, "hostile-403", _missing(lambda value: ".." in value, lambda server: server.error(
    403, "Forbidden")))  # fmt: skip


# methods
OPEN = "server.method.unauthenticated"
UNSUPPORTED = "server.method.unsupported"


def _method(method: str, status: int, keyed: bool) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    def change(server: ReferenceServer, asked: Asked, plain: Answer) -> Answer:
        if asked.method == method and asked.segment is not None and bool(asked.header(b"x-api-key")) is keyed:
            body = {"message": "?", "statusCode": status} if status >= 400 else {"ok": True}
            return Answer(status, body if status != 204 else b"")
        return plain

    return change


for _verb in ("POST", "PUT", "PATCH", "DELETE", "HEAD"):
    fault_in_answer(OPEN, f"{_verb.lower()}-without-key-200", _method(_verb, 200, keyed=False))
    fault_in_answer(UNSUPPORTED, f"{_verb.lower()}-200", _method(_verb, 200, keyed=True))
fault_in_answer(OPEN, "delete-without-key-204", _method("DELETE", 204, keyed=False))
fault_in_answer(OPEN, "post-without-key-201", _method("POST", 201, keyed=False))
fault_in_answer(UNSUPPORTED, "delete-204", _method("DELETE", 204, keyed=True))
fault_in_answer(UNSUPPORTED, "put-500", _method("PUT", 500, keyed=True), also=[DOCUMENTED])
fault_in_answer(UNSUPPORTED, "patch-400", _method("PATCH", 400, keyed=True))
fault_in_answer(UNSUPPORTED, "405-without-allow", lambda _, __, plain: Answer(405, plain.body) if plain.status == 405
                else plain)  # fmt: skip
