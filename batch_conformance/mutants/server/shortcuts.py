"""Responses before authentication: to conditional requests, to HEAD, from a cache in front."""

from __future__ import annotations

from collections.abc import Callable

from batch_conformance.mutants.server.base import fault_in_answer, register
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

MISSING_KEY = "server.auth.missing-key"
BEFORE, EVERY = "server.auth.before-lookup", "server.auth.every-request"
_TAG, _DATE = '"v1"', "Mon, 15 Jan 2024 10:30:00 GMT"

Shortcut = Callable[[Asked, bool], Answer | None]


def _before_authentication(name: str, shortcut: Shortcut) -> None:
    """Register a server that calls ``shortcut(request, exists)`` before it authenticates."""

    class Hasty(ReferenceServer):
        def answer(self, asked: Asked) -> Answer:
            if asked.segment is not None and not self.authenticate(asked):
                early = shortcut(asked, self.look_up(asked.segment) is not None)
                if early is not None:
                    return early
            answer = super().answer(asked)
            if answer.status == 200:
                answer.headers = [*answer.headers, ("ETag", _TAG), ("Last-Modified", _DATE)]
            return answer

    register(name, BEFORE, Hasty)


def _condition(header: bytes, status: int, when: Callable[[bytes, bool], bool]) -> Shortcut:
    def shortcut(asked: Asked, exists: bool) -> Answer | None:
        values = asked.header(header)
        return Answer(status, b"", [], None) if values and when(values[0], exists) else None

    return shortcut


_before_authentication(
    "304-to-any-tag-first", _condition(b"if-none-match", 304, lambda value, exists: exists and value == b"*")
)
_before_authentication(
    "304-to-its-tag-first",
    _condition(b"if-none-match", 304, lambda value, exists: exists and value == _TAG.encode()),
)
_before_authentication("304-to-a-date-first", _condition(b"if-modified-since", 304, lambda value, exists: exists))
_before_authentication("412-where-nothing-is-first", _condition(b"if-match", 412, lambda value, exists: not exists))
_before_authentication(
    "head-200-first", lambda asked, exists: Answer(200, b"") if asked.method == "HEAD" and exists else None
)
_before_authentication(
    "head-404-first",
    lambda asked, exists: Answer(404, b"") if asked.method == "HEAD" and not exists else None,
)


class _EscapedPath(ReferenceServer):
    """Authentication compares undecoded paths."""

    def spelled(self, segment: bytes) -> bytes | None:
        """Return the id of a path that authentication does not recognise, as the router reads it."""
        return segment if b"%" in segment else None

    def answer(self, asked: Asked) -> Answer:
        segment = self.spelled(asked.segment or b"")
        batch = self.look_up(segment) if segment is not None and not self.authenticate(asked) else None
        return super().answer(asked) if batch is None else self.found(batch, asked)


class _TrailingSlash(_EscapedPath):
    def spelled(self, segment: bytes) -> bytes | None:
        return segment[:-1] if segment.endswith(b"/") else None


class _HeadOfList(ReferenceServer):
    def answer(self, asked: Asked) -> Answer:
        is_list = asked.method == "HEAD" and asked.segment is None
        return Answer(200, b"", [("X-Total", "7")]) if is_list else super().answer(asked)


register("guard-sees-no-escapes", MISSING_KEY, _EscapedPath)
register("guard-sees-no-slash-behind", MISSING_KEY, _TrailingSlash)
register("guard-sees-no-head-of-lists", MISSING_KEY, _HeadOfList, operations=("list",))


class _SharedCache(ReferenceServer):
    """Behind a cache that is keyed on the URL alone, and serves a 200 for the next few requests."""

    lifetime = 3

    def __init__(self) -> None:
        super().__init__()
        self.cached: dict[bytes, tuple[int, Answer]] = {}
        self.count = 0

    def answer(self, asked: Asked) -> Answer:
        self.count += 1
        url = asked.path + b"?" + asked.query
        until, cached = self.cached.get(url, (0, None))
        if cached is not None and asked.method == "GET" and self.count <= until:
            return cached
        answer = super().answer(asked)
        if asked.method == "GET" and asked.segment is not None and answer.status == 200:
            self.cached[url] = self.count + self.lifetime, answer
        return answer


class _LongCache(_SharedCache):
    lifetime = 40


register("cache-keyed-on-the-url", EVERY, _SharedCache)
register("cache-keyed-on-the-url-for-long", EVERY, _LongCache)

#: Legal: conditions that are evaluated after authentication.
fault_in_answer("", "conditions-after-the-key", lambda _, asked, answer: Answer(
    304, b"", [("ETag", _TAG)], None) if answer.status == 200 and asked.header(b"if-none-match") in ([b"*"], [_TAG.encode()])
    else Answer(200, answer.body, [*answer.headers, ("ETag", _TAG), ("Last-Modified", _DATE)]) if answer.status == 200
    else answer)  # fmt: skip
