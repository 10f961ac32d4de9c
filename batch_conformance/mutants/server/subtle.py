"""Faults that only a special request shows, found by writing faulty servers without knowing the probes."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import unquote_to_bytes

from batch_conformance.mutants.server.base import fault_in_answer, fault_in_auth, fault_in_errors, register
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.stdlib_server import WireOptions

DOCUMENTED = "server.error.documented-status"


def _sent(asked: Asked) -> bytes:
    return next(iter(asked.header(b"x-api-key")), b"")


def _known(server: ReferenceServer, asked: Asked) -> bool:
    return bool(asked.segment) and server.look_up(asked.segment or b"") is not None


def _accepts_anything(asked: Asked) -> bool:
    return b"*/*" in asked.header(b"accept")


# keys
fault_in_auth("server.auth.near-key", "key-without-prefix",
              lambda server, asked: b"sk-" + _sent(asked) in server.keys or None)  # fmt: skip
fault_in_auth("server.auth.near-key", "key-percent-decoded",
              lambda server, asked: unquote_to_bytes(_sent(asked)) in server.keys or None)  # fmt: skip
fault_in_auth("server.auth.near-key", "key-list-with-spaces",
              lambda server, asked: any(part in server.keys for part in _sent(asked).split(b", ")) or None)  # fmt: skip
fault_in_answer("server.auth.missing-key", "browsers-get-a-page",
                lambda server, asked, answer: Answer(200, b"<html>Sign in</html>", [], "text/html")
                if answer.status == 401 and not _sent(asked) and _accepts_anything(asked) else answer)  # fmt: skip


def _basic_password(server: ReferenceServer, asked: Asked) -> bool | None:
    forms = {b"Basic " + b64encode(b"api:" + key) for key in server.keys}
    return True if forms & set(asked.header(b"authorization")) else None


fault_in_auth("server.auth.wrong-place", "authorization-basic-password", _basic_password)
for _name in (b"x_api_key", b"authentication"):
    fault_in_auth("server.auth.wrong-place", f"header-{_name.decode()}",
                  lambda server, asked, name=_name: any(value in server.keys for value in asked.header(name)) or None)  # type: ignore[misc]  # fmt: skip
fault_in_auth("server.auth.wrong-place", "proxy-authorization-bearer", lambda server, asked: any(
    value.removeprefix(b"Bearer ") in server.keys for value in asked.header(b"proxy-authorization")) or None)  # fmt: skip


class _AllButTitleCase(ReferenceServer):
    """Accepts the header's name in every spelling but the one in the documentation."""

    manner = WireOptions(raw_names=True)

    def authenticate(self, asked: Asked) -> bool:
        return any(
            key.lower() == b"x-api-key" and key != b"X-API-Key" and self.is_key(value) for key, value in asked.headers
        )


register("header-not-in-title-case", "server.auth.header-name-case", _AllButTitleCase)

# disclosure to unauthenticated requests
fault_in_answer("server.auth.before-lookup", "known-ids-refused-in-pretty-print",
                lambda server, asked, answer: Answer(401, json.dumps(answer.body, indent=1).encode(), answer.headers)
                if answer.status == 401 and _known(server, asked) else answer)  # fmt: skip
fault_in_answer("server.auth.before-lookup", "known-ids-refused-with-a-newline",
                lambda server, asked, answer: Answer(401, answer.content() + b"\n", answer.headers)
                if answer.status == 401 and _known(server, asked) else answer)  # fmt: skip


def _with_escaped_key(asked: Asked) -> bytes:
    text = "".join(f"\\u{ord(char):04x}" for char in _sent(asked).decode("latin-1"))
    return b'{"message": "no such key: %s", "statusCode": 401}' % text.encode()


fault_in_answer("server.auth.no-disclosure", "401-with-the-key-escaped",
                lambda server, asked, answer: Answer(401, _with_escaped_key(asked), answer.headers)
                if answer.status == 401 and _sent(asked).isascii() and len(_sent(asked)) > 8 else answer)  # fmt: skip


def _with_authorization(server: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
    sent = b" ".join(asked.header(b"authorization")).decode("latin-1")
    return server.error(401, f"not understood: {sent}", answer.headers) if answer.status == 401 and sent else answer


fault_in_answer("server.auth.no-disclosure", "401-with-the-authorization", _with_authorization)

# ids
fault_in_answer("server.notfound.hostile-id", "two-dots-are-healthy",
                lambda server, asked, answer: Answer(200, {"ok": True})
                if answer.status == 404 and asked.segment == b"%2E%2E" else answer)  # fmt: skip
fault_in_answer("server.notfound.hostile-id", "500-over-4000-characters",
                lambda server, asked, answer: server.error(500, "too long")
                if answer.status == 404 and len(asked.segment or b"") > 4000 else answer, also=[DOCUMENTED])  # fmt: skip

# errors
fault_in_answer("server.error.media-type", "json-only-if-asked-for",
                lambda server, asked, answer: Answer(answer.status, answer.body, answer.headers, "text/plain")
                if answer.status == 401 and _accepts_anything(asked) else answer)  # fmt: skip
fault_in_errors("server.error.no-internals", "mongoose-cast-error", lambda answer: Answer(
    answer.status, {**answer.body, "message": 'Cast to ObjectId failed for value "x" at path "_id"'}, answer.headers),
                only=404)  # fmt: skip
