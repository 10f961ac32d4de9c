"""Checks of ``client.auth.*``: where the key is sent, and where it must not be sent."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import unquote

from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    TARGET,
    CallResult,
    CaseResult,
    ClientRunRecord,
    shortened,
)
from batch_conformance.checks.client.replies import FRESH, PER_CALL, blame_wrong_replies, reply_problem
from batch_conformance.checks.client.wanted import (
    key_used,
    keys_in,
    lacks_prefix,
    shown_key,
    shown_place,
    without_key,
)
from batch_conformance.checks.finding import CheckResult
from batch_conformance.contract import current_contract
from batch_conformance.http import Exchange, Request

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")


@CLIENT_CHECKS.check("client.auth.header")
def header(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that each request to the given server has exactly the call's key, once, in its place."""
    for case_result in record.plays:
        operation = current_contract().operation(case_result.operation)
        for call_result in case_result.turns:
            for position, exchange in enumerate(call_result.seen):
                redirected = _redirected(call_result, position)
                if exchange.notes or (redirected and not _at_its_origin(case_result, call_result, exchange)):
                    continue
                key = key_used(operation, exchange.request)
                if key is None or (redirected and key.place == "query"):
                    continue  # the URL of a redirect has no key in its query
                values = keys_in(operation, exchange.request)
                if len(values) == 1 and values[0] != call_result.call.api_key and values[0] in record.keys:
                    result.set_aside("client.auth.per-call")  # the key of another call
                    continue
                result.observe()
                bare = lacks_prefix(operation, exchange.request)
                if bare or values != [call_result.call.api_key]:
                    result.fail(
                        exchange,
                        _what_is_wrong(values, call_result.call.api_key, bare=bare)
                        + _when(case_result.turns, call_result, position),
                        code="required" if not values else "key",
                        expected=shown_key(key, call_result.call.api_key),
                        actual=" and ".join(shown_key(key, value, bare=bare) for value in values)
                        or f"nothing in {shown_place(key)}",
                    )


def _what_is_wrong(values: list[str], key: str, *, bare: bool) -> str:
    if not values:
        return "the request carries no key"
    if bare and values == [key]:
        return "the key stands there without its scheme"
    if len(values) > 1:
        return "the request carries the key more than once"
    if values[0].strip().lower() == key.lower():
        return "the key arrives in another case"
    return "the request carries something else for the key"


def _when(call_results: tuple[CallResult, ...], call_result: CallResult, position: int) -> str:
    if position:
        return f", in request {position + 1} of one call"
    return f", in call {call_results.index(call_result) + 1} of a client" if call_results.index(call_result) else ""


@CLIENT_CHECKS.check("client.auth.only-there")
def only_there(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that the key is in no other header, URL or body, in any encoding."""
    for case_result in record.plays:
        for call_result in case_result.turns:
            for position, exchange in enumerate(call_result.seen):
                if _redirected(call_result, position):
                    continue
                result.observe()
                operation = current_contract().operation(case_result.operation)
                for place, text in _places(without_key(operation, exchange.request)):
                    if holds_key(text, call_result.call.api_key):
                        result.fail(
                            exchange,
                            f"the key stands in {place}",
                            code="leaked",
                            expected=f"the key in {' or '.join(map(shown_place, operation.keys))} only",
                            actual=shortened(text),
                        )


@CLIENT_CHECKS.check(PER_CALL, needs=["client.decode.fields", TARGET])
def per_call(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that no request has another call's key, and that concurrent calls get their own responses."""
    unanswered = 0
    for case_result in record.plays:
        if result.clause not in case_result.clauses:
            continue
        if case_result.together and record.is_broken(TARGET):
            # Of two concurrent calls, a request can only be assigned to one by its path.
            result.set_aside(TARGET, len(case_result.turns))
            continue
        before = len(result.findings)
        for call_result in case_result.turns:
            _check_keys(record, result, case_result, call_result)
        if len(result.findings) > before:
            continue  # wrong replies follow from the wrong key
        if case_result.together and not record.is_broken(FRESH):
            blame_wrong_replies(record, result, case_result)
        else:
            unanswered += sum(bool(reply_problem(record, call_result)) for call_result in case_result.turns)
    if unanswered and not result.findings:
        # Mixed-up keys only show if all calls succeed; here some did not.
        result.observations = 0
        result.set_aside(FRESH if record.is_broken(FRESH) else "client.decode.fields", unanswered)
    elif not result.observations:
        result.note("no request carried a key: see client.auth.header")


def _check_keys(record: ClientRunRecord, result: CheckResult, case_result: CaseResult, call_result: CallResult) -> None:
    others = [other for other in record.keys if other != call_result.call.api_key]
    operation = current_contract().operation(case_result.operation)
    for exchange in call_result.seen:
        key, values = key_used(operation, exchange.request), keys_in(operation, exchange.request)
        if key is None or not values:
            continue
        result.observe()
        stray = next((other for other in others if any(other in value for value in values)), None)
        if stray:
            result.fail(
                exchange,
                f"a call with one key was made with the key of another client: {case_result.title}",
                code="key",
                expected=shown_key(key, call_result.call.api_key),
                actual=" and ".join(shown_key(key, value) for value in values),
            )


@CLIENT_CHECKS.check("client.auth.redirect")
def redirect(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that no request to another origin has the key, in any place or encoding."""
    followed, secure = 0, False
    for case_result, call_result in record.turns(result):
        if not call_result.seen:
            continue  # no request, no redirect
        secure = secure or call_result.call.base_url.startswith("https:")
        result.observe()
        followed += bool(case_result.elsewhere)
        for exchange in case_result.elsewhere:
            text = "\n".join(part for _, part in _places(exchange.request))
            if holds_key(text, call_result.call.api_key):
                result.fail(
                    exchange,
                    f"the key followed a redirect to another origin: {case_result.title}",
                    code="leaked",
                    expected=f"no key at {_origin(exchange.request.url)}: it was given for {call_result.call.base_url}",
                    actual=f"{exchange.request.method} {exchange.request.url} with the key",
                )
    if result.observations:
        summary = f"the client followed {followed} of {result.observations} redirects to another origin"
        result.note(summary)
        if not followed:
            result.limit(summary)
        if not secure:
            result.limit("no redirect from https was seen")


@CLIENT_CHECKS.check("client.auth.not-in-errors")
def not_in_errors(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that no error message contains the key."""
    for case_result in record.plays:
        for call_result in case_result.turns:
            if call_result.reply.error is None:
                continue
            result.observe()
            message = call_result.reply.error.message
            whole = holds_key(message, call_result.call.api_key)
            if whole or _holds_most_of(message, call_result.call.api_key):
                result.fail(
                    call_result.last,
                    f"the message of an error shows {'' if whole else 'most of '}the key: {case_result.title}",
                    code="leaked",
                    expected="a message without the key",
                    actual=shortened(message),
                )
    if not result.observations:
        result.note("the client reported no error at all")


def _holds_most_of(text: str, key: str) -> bool:
    """Whether a text contains three quarters of the key in one piece. A few characters of it are allowed."""
    length = -(-3 * len(key) // 4)
    return any(key[start : start + length] in text for start in range(len(key) - length + 1))


def holds_key(text: str, key: str) -> bool:
    """Whether a text contains the key: in any case, percent-encoded, in hexadecimal, or within base64."""
    folded, within = key.casefold(), text.casefold()
    # The key in another case, or as hexadecimal digits, gives it away as well.
    if folded in within or folded in unquote(within) or key.encode().hex() in within:
        return True
    return any(key.encode() in _from_base64(token) for token in _BASE64.findall(text))


def _from_base64(token: str) -> bytes:
    plain = token.replace("-", "+").replace("_", "/")
    # Text directly before the token shifts its base64 by up to three characters.
    decoded = b""
    for shift in range(4):
        piece = plain[shift:]
        decoded += base64.b64decode(piece[: len(piece) // 4 * 4] + "=" * 4, validate=False)
        decoded += base64.b64decode(piece + "=" * (-len(piece) % 4)) if len(piece) % 4 != 1 else b""
    return decoded


def _places(request: Request) -> Iterator[tuple[str, str]]:
    """Yield the parts of a request that can carry text, with their names."""
    path, _, query = request.url.partition("?")
    yield "the path", path
    if query:
        yield "the query", query
    for name, value in request.headers:
        yield f"the header {name}", f"{name}: {value}"
    if request.body:
        yield "the body", request.body.decode("utf-8", "backslashreplace")


def _redirected(call_result: CallResult, position: int) -> bool:
    """Whether a redirect within the origin came before. What a client carries along there is its choice."""
    return any(exchange.status is not None and 300 <= exchange.status < 400 for exchange in call_result.seen[:position])


def _at_its_origin(case_result: CaseResult, call_result: CallResult, exchange: Exchange) -> bool:
    """Whether redirects led only to the origin that the key was given for (decision 25)."""
    return not case_result.elsewhere and _origin(exchange.request.url) == _origin(call_result.call.base_url)


def _origin(url: str) -> str:
    return "/".join(url.split("/", 3)[:3])
