"""Faults in authentication: ``server.auth.*``."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Callable
from urllib.parse import parse_qsl

from batch_conformance.contract import current_contract
from batch_conformance.mutants.server.base import fault_in_answer, fault_in_auth, fault_in_errors, register
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.stdlib_server import WireOptions
from batch_conformance.reference.store import REVOKED_KEY

DOCUMENTED = "server.error.documented-status"


def _key(asked: Asked) -> bytes | None:
    values = asked.header(b"x-api-key")
    return values[0] if values else None


def _if_key(test: Callable[[bytes, bytes], bool]) -> Callable[[ReferenceServer, Asked], bool | None]:
    """Also admit a key for which ``test(sent, valid)`` is true."""

    def admits(server: ReferenceServer, asked: Asked) -> bool | None:
        sent = _key(asked)
        return True if sent and any(test(sent, key) for key in server.keys) else None

    return admits


def _refuse_with(status: int, when: Callable[[Asked], bool]) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    def change(server: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
        return server.error(status, "Access denied") if answer.status == 401 and when(asked) else answer

    return change


def _if_other(status: int) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    def change(server: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
        challenge = [("WWW-Authenticate", "ApiKey")]
        return answer if server.owns(asked) else server.error(status, "Not yours", challenge)

    return change


def _is_missing(asked: Asked) -> bool:
    return _key(asked) is None


def _is_empty(asked: Asked) -> bool:
    return _key(asked) == b""


def _is_present(asked: Asked) -> bool:
    return bool(_key(asked))


def _is_long(length: int) -> Callable[[Asked], bool]:
    return lambda asked: len(_key(asked) or b"") > length


def _is_not_ascii(asked: Asked) -> bool:
    return not (_key(asked) or b"").isascii()


def _undocumented(status: int) -> list[str]:
    return [] if status in current_contract().operation("get").documented_statuses else [DOCUMENTED]


# missing, empty, invalid
fault_in_auth("server.auth.missing-key", "auth-off-without-header", lambda _, asked: _is_missing(asked) or None,
              also=["server.auth.wrong-place"])  # fmt: skip
for _status in (400, 403, 404):
    fault_in_answer("server.auth.missing-key", f"missing-{_status}", _refuse_with(_status, _is_missing),
                    also=[*_undocumented(_status), "server.auth.wrong-place"])  # fmt: skip
    fault_in_answer("server.auth.empty-key", f"empty-{_status}", _refuse_with(_status, _is_empty),
                    also=_undocumented(_status))  # fmt: skip
    fault_in_answer("server.auth.invalid-key", f"invalid-{_status}",
                    _refuse_with(_status, lambda asked: _is_present(asked) and not _looks_near(asked) and _ordinary(asked)),
                    also=[*_undocumented(_status), "server.auth.revoked-key"])  # fmt: skip
fault_in_auth("server.auth.missing-key", "bare-request-admitted", lambda _, asked: _is_bare(asked) or None)
fault_in_auth("server.auth.empty-key", "empty-key-admitted", lambda _, asked: _is_empty(asked) or None)
fault_in_auth("server.auth.invalid-key", "any-sk-key", _if_key(
    lambda sent, valid: sent.startswith(b"sk-") and len(sent) != len(valid) and not sent.startswith(valid[:8])),
              also=["server.auth.revoked-key"])  # fmt: skip
fault_in_auth("server.auth.invalid-key", "test-key-admitted", _if_key(lambda sent, _: sent == b"test"))
fault_in_auth("server.auth.invalid-key", "null-key-admitted", _if_key(lambda sent, _: sent == b"null"))
fault_in_auth("server.auth.invalid-key", "uuid-key-admitted",
              _if_key(lambda sent, _: len(sent) == 36 and sent.count(b"-") == 4))  # fmt: skip


def _is_bare(asked: Asked) -> bool:
    """Whether a request has no key and no other header or query that could hold one."""
    usual = (b"host", b"accept", b"accept-encoding", b"user-agent", b"connection")
    return asked.segment is not None and not asked.query and all(name in usual for name, _ in asked.headers)


def _looks_near(asked: Asked) -> bool:
    sent = (_key(asked) or b"").lower()
    return b"reference" in sent or b"efer" in sent or b"4tz" in sent or b"zt4" in sent or len(sent) == 26


def _ordinary(asked: Asked) -> bool:
    sent = _key(asked) or b""
    return sent.isascii() and len(sent) < 60 and sent.replace(b"-", b"").isalnum()


# near
NEAR, HOSTILE = "server.auth.near-key", "server.auth.hostile-key"
#: These admit the valid key with any suffix, including hostile characters and great length.
_OPEN_ENDED = {"key-starts-with-valid", "key-contains-valid", "key-same-first-8", "key-first-20"}
for _name, _test in {
    "key-prefix-of-valid": lambda sent, valid: valid.startswith(sent),
    "key-starts-with-valid": lambda sent, valid: sent.startswith(valid),
    "key-contains-valid": lambda sent, valid: valid in sent,
    "key-in-valid": lambda sent, valid: sent in valid and len(sent) > 2,
    "key-ignoring-case": lambda sent, valid: sent.lower() == valid.lower(),
    "key-same-length": lambda sent, valid: len(sent) == len(valid) and sent.isascii(),
    "key-same-first-8": lambda sent, valid: sent[:8] == valid[:8],
    "key-same-last-8": lambda sent, valid: sent[-8:] == valid[-8:],
    "key-all-but-last": lambda sent, valid: sent[:-1] == valid[:-1],
    "key-all-but-first": lambda sent, valid: sent[1:] == valid[1:],
    "key-bearer": lambda sent, valid: sent == b"Bearer " + valid,
    "key-list": lambda sent, valid: valid in sent.split(b","),
    "key-quoted": lambda sent, valid: sent.strip(b'"') == valid,
    "key-sorted": lambda sent, valid: sorted(sent) == sorted(valid),
    "key-first-20": lambda sent, valid: sent[:20] == valid[:20],
}.items():
    fault_in_auth(NEAR, _name, _if_key(_test), also=[HOSTILE] if _name in _OPEN_ENDED else [])
fault_in_answer(NEAR, "near-403", lambda server, asked, answer: server.error(403, "Revoked") if answer.status == 401
                and _looks_near(asked) else answer, also=[DOCUMENTED, HOSTILE])  # fmt: skip

# hostile
for _length in (256, 1000, 4096, 10_000):
    fault_in_answer(HOSTILE, f"long-key-500-over-{_length}", _refuse_with(500, _is_long(_length)), also=[DOCUMENTED])
fault_in_answer(HOSTILE, "non-ascii-key-500", _refuse_with(500, _is_not_ascii), also=[DOCUMENTED])
fault_in_answer(HOSTILE, "long-key-404", _refuse_with(404, _is_long(1000)))
fault_in_auth(HOSTILE, "long-key-admitted", lambda _, asked: _is_long(2000)(asked) or None)
fault_in_auth(HOSTILE, "non-ascii-key-admitted", lambda _, asked: _is_not_ascii(asked) or None)
fault_in_auth(HOSTILE, "key-trimmed-as-latin-1", _if_key(
    lambda sent, valid: sent.decode("latin-1").strip().encode("latin-1") == valid))  # fmt: skip
fault_in_auth("server.auth.invalid-key", "wildcard-key-admitted", _if_key(lambda sent, _: sent == b"*"))
fault_in_auth("server.auth.invalid-key", "key-constructor-admitted", _if_key(lambda sent, _: sent == b"constructor"))
fault_in_auth("server.auth.invalid-key", "sql-like-key-admitted", _if_key(lambda sent, _: sent == b"%"))
fault_in_auth("server.auth.invalid-key", "sql-injected-key-admitted", _if_key(lambda sent, _: b"' OR '" in sent))
fault_in_answer("server.auth.invalid-key", "quoted-key-500", _refuse_with(500, lambda asked: b"' OR" in (_key(asked) or b"")),
                also=[DOCUMENTED])  # fmt: skip

# wrong place
PLACE = "server.auth.wrong-place"


def _in_query(*names: bytes) -> Callable[[ReferenceServer, Asked], bool | None]:
    def admits(server: ReferenceServer, asked: Asked) -> bool | None:
        return True if any(key in names and value in server.keys for key, value in parse_qsl(asked.query)) else None

    return admits


def _in_cookie(server: ReferenceServer, asked: Asked) -> bool | None:
    cookies = b"; ".join(asked.header(b"cookie")).split(b"; ")
    return True if any(cookie.partition(b"=")[2] in server.keys for cookie in cookies) else None


def _in_header(name: bytes) -> Callable[[ReferenceServer, Asked], bool | None]:
    def admits(server: ReferenceServer, asked: Asked) -> bool | None:
        return True if any(value in server.keys for value in asked.header(name)) else None

    return admits


def _in_authorization(scheme: bytes) -> Callable[[ReferenceServer, Asked], bool | None]:
    def admits(server: ReferenceServer, asked: Asked) -> bool | None:
        for value in asked.header(b"authorization"):
            if scheme == b"Basic " and value.startswith(scheme):
                try:
                    value = scheme + b64decode(value[6:]).partition(b":")[0]
                except Error:
                    continue
            if value.startswith(scheme) and value[len(scheme) :] in server.keys:
                return True
        return None

    return admits


for _parameter in (b"api_key", b"apiKey", b"x-api-key", b"key", b"token", b"access_token"):
    fault_in_auth(PLACE, f"query-{_parameter.decode()}", _in_query(_parameter))
fault_in_auth(PLACE, "cookie", _in_cookie)
for _header in (b"api-key", b"x-auth-token", b"x-access-token", b"apikey"):
    fault_in_auth(PLACE, f"header-{_header.decode()}", _in_header(_header))
for _scheme in (b"Bearer ", b"", b"Basic ", b"ApiKey ", b"Token "):
    fault_in_auth(PLACE, f"authorization-{_scheme.decode().strip().lower() or 'bare'}", _in_authorization(_scheme))


# header name case: the stdlib server passes names on as they were sent
class _CaseSensitive(ReferenceServer):
    """Accepts the header's name in one spelling only."""

    manner = WireOptions(raw_names=True)
    spelling = b"x-api-key"

    def authenticate(self, asked: Asked) -> bool:
        return any(key == self.spelling and self.is_key(value) for key, value in asked.headers)


class _OnlyUpper(_CaseSensitive):
    spelling = b"X-API-KEY"


class _OnlyTitle(_CaseSensitive):
    spelling = b"X-Api-Key"


for _name, _server in {"lower": _CaseSensitive, "upper": _OnlyUpper, "title": _OnlyTitle}.items():
    register(f"header-only-{_name}-case", "server.auth.header-name-case", _server)


# before lookup
BEFORE = "server.auth.before-lookup"


def _lookup_first(server: ReferenceServer, asked: Asked) -> bool:
    return asked.segment is not None and server.look_up(asked.segment) is None


fault_in_answer(BEFORE, "lookup-before-auth",
                lambda server, asked, answer: server.not_found(asked) if answer.status == 401 and asked.method == "GET"
                and _lookup_first(server, asked) else answer)  # fmt: skip
fault_in_answer(BEFORE, "lookup-before-key-check",
                lambda server, asked, answer: server.not_found(asked) if answer.status == 401 and _key(asked)
                and _lookup_first(server, asked) else answer)  # fmt: skip
fault_in_answer(BEFORE, "message-tells-unknown",
                lambda server, asked, answer: server.error(401, "No such batch", answer.headers) if answer.status == 401
                and _lookup_first(server, asked) else answer)  # fmt: skip
fault_in_answer(BEFORE, "header-tells-known",
                lambda server, asked, answer: Answer(401, answer.body, [*answer.headers, ("X-Batch", "1")])
                if answer.status == 401 and asked.segment and server.look_up(asked.segment) else answer)  # fmt: skip
fault_in_answer(BEFORE, "head-has-an-etag-for-known-ids",
                lambda server, asked, answer: Answer(401, answer.body, [*answer.headers, ("ETag", '"1"')])
                if answer.status == 401 and asked.method == "HEAD" and not _lookup_first(server, asked) else answer)  # fmt: skip
fault_in_answer(BEFORE, "head-has-the-length-of-known-batches",
                lambda server, asked, answer: Answer(401, b" " * 233, answer.headers)
                if answer.status == 401 and asked.method == "HEAD" and not _lookup_first(server, asked) else answer)  # fmt: skip
fault_in_answer(BEFORE, "code-tells-known",
                lambda server, asked, answer: Answer(401, {**answer.body, "errorCode": "not_yours"}, answer.headers)
                if answer.status == 401 and asked.segment and server.look_up(asked.segment) else answer)  # fmt: skip


# every request
EVERY = "server.auth.every-request"


class _Remembers(ReferenceServer):
    """Admits a client without a key once it has sent a valid one."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[object] = set()

    def mark(self, asked: Asked) -> object:
        return asked.client

    def forgiven(self, asked: Asked) -> bool:
        return True

    def authenticate(self, asked: Asked) -> bool:
        if super().authenticate(asked):
            self.seen.add(self.mark(asked))
            return True
        return self.mark(asked) in self.seen and self.forgiven(asked)


class _RemembersMissing(_Remembers):
    def forgiven(self, asked: Asked) -> bool:
        return _is_missing(asked)


class _RemembersWrong(_Remembers):
    def forgiven(self, asked: Asked) -> bool:
        return bool(_key(asked))


class _RemembersEmpty(_Remembers):
    def forgiven(self, asked: Asked) -> bool:
        return _is_empty(asked)


class _RemembersAddress(_Remembers):
    def mark(self, asked: Asked) -> object:
        return asked.client[0]


register("address-remembers-key", EVERY, _RemembersAddress)
register("connection-remembers-key", EVERY, _Remembers)
register("connection-remembers-key-when-missing", EVERY, _RemembersMissing)
register("connection-remembers-key-over-wrong-one", EVERY, _RemembersWrong)
register("connection-remembers-key-when-empty", EVERY, _RemembersEmpty)

# other organisations and revoked keys
OTHER, REVOKED = "server.auth.other-org", "server.auth.revoked-key"


class _SharesAll(ReferenceServer):
    """Checks that a key is valid, but not which organisation it belongs to."""

    def owns(self, asked: Asked) -> bool:
        return True


class _SharesFailed(ReferenceServer):
    """Shows failed batches to every organisation."""

    def owns(self, asked: Asked) -> bool:
        found = self.look_up(asked.segment) if asked.segment else None
        return super().owns(asked) or (found is not None and found.peek()["status"] == "FAILED")


register("other-org-sees-all", OTHER, _SharesAll)
register("other-org-sees-failed", OTHER, _SharesFailed)
for _status in (401, 403):
    fault_in_answer(OTHER, f"other-org-{_status}", _if_other(_status), also=_undocumented(_status))
fault_in_auth(REVOKED, "revoked-key-admitted", _if_key(lambda sent, _: sent == REVOKED_KEY.encode()))
fault_in_answer(REVOKED, "revoked-key-403", _refuse_with(403, lambda asked: _key(asked) == REVOKED_KEY.encode()),
                also=[DOCUMENTED])  # fmt: skip

# no disclosure
DISCLOSES = "server.auth.no-disclosure"


def _tell(
    change: Callable[[ReferenceServer, Asked], dict[str, object]],
) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    def apply(server: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
        if answer.status == 401:
            answer.body = {**answer.body, **change(server, asked)}
        return answer

    return apply


def _first_batch(server: ReferenceServer) -> dict[str, object]:
    return server.store.batches["batch_abc123"].peek()


fault_in_answer(DISCLOSES, "401-with-batch", _tell(lambda server, _: {"batch": _first_batch(server)}))
fault_in_answer(DISCLOSES, "401-with-metrics", _tell(lambda server, _: {"metrics": {}}))
fault_in_answer(DISCLOSES, "401-with-status", _tell(lambda server, _: {"status": "COMPLETED"}))
fault_in_answer(DISCLOSES, "401-with-valid-key", _tell(lambda server, _: {"hint": f"use {server.keys[0].decode()}"}))
fault_in_answer(DISCLOSES, "401-echoes-key",
                _tell(lambda _, asked: {"message": f"bad key {(_key(asked) or b'').decode('latin-1')}"}))  # fmt: skip
fault_in_answer(DISCLOSES, "401-with-webhook-value",
                _tell(lambda server, _: {"detail": f"notify {_first_batch(server)['webhookUrl']}"}))  # fmt: skip

# challenge
CHALLENGE = "server.auth.challenge"
fault_in_errors(CHALLENGE, "401-without-challenge", lambda answer: Answer(401, answer.body), only=401)
fault_in_errors(CHALLENGE, "401-with-empty-challenge",
                lambda answer: Answer(401, answer.body, [("WWW-Authenticate", "")]), only=401)  # fmt: skip
fault_in_answer(CHALLENGE, "401-challenge-only-when-missing",
                lambda _, asked, answer: Answer(401, answer.body) if answer.status == 401 and _key(asked) is not None
                else answer)  # fmt: skip
