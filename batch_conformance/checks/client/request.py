"""Checks of ``client.request.*``: the client's requests, as the stub received them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes, urlsplit

from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    MAY_SEND_NOTHING,
    TARGET,
    CallResult,
    CaseResult,
    ClientRunRecord,
    HttpError,
    Unconstrained,
    ValidBatch,
    shortened,
)
from batch_conformance.checks.client.wanted import (
    around,
    is_path_of,
    lacking,
    undocumented_query,
    wanted_path,
)
from batch_conformance.checks.finding import CheckResult
from batch_conformance.contract import Operation, current_contract
from batch_conformance.contract.sendable import by_example, may_be
from batch_conformance.http import Exchange

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
#: Characters allowed in a path segment (RFC 3986, 3.3: pchar), and percent-encodings.
_SEGMENT = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*", re.ASCII)
#: Final error statuses, documented or not: a retry changes nothing.
_FINAL = (400, 403, 422)
ID_ENCODING = "client.request.id-encoding"


@CLIENT_CHECKS.check("client.request.target")
def target(record: ClientRunRecord, result: CheckResult) -> None:
    """Check the method, path and parameters of requests, for ids that need no encoding."""
    for case_result in record.plays:
        operation = current_contract().operation(case_result.operation)
        for call_result in case_result.turns:
            if call_result.reply.broken is not None and case_result.clauses[0] == result.clause:
                result.observe()
                result.fail(call_result.last, f"the client itself failed: {case_result.title}", code="crash",
                                expected="one GET", actual=call_result.said())  # fmt: skip
            if case_result.clauses[0] == ID_ENCODING or case_result.together:
                continue
            # A later call may be answered from a cache, which client.decode.fresh reports.
            if (
                call_result.unasked
                and call_result is case_result.turns[0]
                and not isinstance(call_result.expected, Unconstrained)
            ):
                result.observe()
                result.fail(
                    None,
                    "the client sent no request to the server it was given",
                    code="no-request",
                    expected=f"GET {call_result.call.base_url}{operation.url_path(call_result.call.batch_id)}",
                    actual=call_result.said(),
                )
            if _is_plain(call_result.call.batch_id):
                for exchange in first_hand(case_result, call_result):
                    result.observe()
                    _check_target(operation, record, result, call_result, exchange)


def _check_target(
    operation: Operation,
    record: ClientRunRecord,
    result: CheckResult,
    call_result: CallResult,
    exchange: Exchange,
) -> None:
    if exchange.notes:
        result.fail(exchange, "what came is no HTTP request", code="request", expected="GET", actual=exchange.notes[0])
        return
    wanted = wanted_path(operation, call_result.call.base_url, call_result.call.batch_id)
    path, has_query, query = _path_and_query(exchange.request.url, operation)
    problems = []
    if exchange.request.method != "GET":
        problems.append("the method")
    # Unreserved characters may be encoded needlessly; servers decode them.
    if _decoded_unreserved(path) != _decoded_unreserved(wanted):
        problems.append("the path")
    expected = f"GET {wanted}"
    stray = undocumented_query(operation, query)
    if (has_query and not query) or (stray and not _only_keys(stray, record)):
        problems.append("the query")
    missing = list(lacking(operation, exchange.request))
    if missing:
        problems.append("the lack of " + " and ".join(missing))
        expected += " with " + " and ".join(missing)
    hosts = exchange.request.header_values("host")
    if hosts and [host.lower() for host in hosts] != [urlsplit(call_result.call.base_url).netloc.lower()]:
        problems.append("the Host header")
    if problems:
        path_sent = _target(exchange.request.url).partition("?")[0]
        actual = f"{exchange.request.method} {path_sent}{'?' + query if query else ''}"
        host = f" (Host: {', '.join(hosts)})" if "the Host header" in problems else ""
        result.fail(
            exchange,
            f"{' and '.join(problems)} of the request",
            code="required" if missing and len(problems) == 1 else "request",
            expected=expected,
            actual=actual + host,
        )


@CLIENT_CHECKS.check(ID_ENCODING, needs=["client.request.target"])
def id_encoding(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that the id arrives as one path segment that decodes to it when decoded once."""
    if not _plain_ids_arrive(record):
        result.set_aside("client.request.target", sum(1 for _ in record.turns(result)))
        return
    # client.request.target reports a query that is in every request.
    always_queries = _always_queries(record)
    # And another method that is used for every id.
    usual = {exchange.request.method for _, call_result, _ in record.ordinary for exchange in call_result.seen}
    for case_result, call_result in record.turns(result):
        if case_result.clauses[0] != ID_ENCODING:
            continue
        operation = current_contract().operation(case_result.operation)
        if not call_result.seen and not _may_be_asked(operation, call_result.call.batch_id):
            result.note("the client asks for no id that the contract has none of")
            continue
        result.observe()
        expected = shortened(wanted_path(operation, call_result.call.base_url, call_result.call.batch_id))
        if not call_result.seen:
            result.fail(
                None,
                f"no request was made for {_formatted(call_result.call.batch_id)}",
                code="no-request",
                expected=expected,
                actual=call_result.said(),
            )
        rows = list(first_hand(case_result, call_result))
        for exchange in [row for row in rows if not _is_probe(operation, call_result, row)] or rows:
            if usual == {"GET"} and exchange.request.method != "GET":
                result.fail(
                    exchange,
                    f"{case_result.title} ({_formatted(call_result.call.batch_id)}): the method is another one",
                    code="request",
                    expected=f"GET {expected}",
                    actual=f"{exchange.request.method} {shortened(_target(exchange.request.url))}",
                )
                continue
            url = exchange.request.url.partition("?")[0] if always_queries else exchange.request.url
            problem = encoding_problem(url, call_result.call.base_url, call_result.call.batch_id, operation)
            if problem:
                result.fail(
                    exchange,
                    f"{case_result.title} ({_formatted(call_result.call.batch_id)}): {problem}",
                    code="encoding",
                    expected=expected,
                    actual=shortened(_target(exchange.request.url)),
                )


def encoding_problem(url: str, base_url: str, batch_id: str, operation: Operation | None = None) -> str:
    """Describe what is wrong with the encoding of an id in ``url``; empty if nothing is."""
    operation = operation or current_contract().operation("get")
    path, has_query, query = _path_and_query(url, operation)
    if (has_query and (not query or undocumented_query(operation, query))) or "#" in url:
        return f"the id ends up in the query ({query!r})" if query else "a query or fragment begins in the id"
    if not is_path_of(operation, base_url, path):
        return "the path is another one"
    before, after = around(operation, base_url)
    segment = path[len(before) : len(path) - len(after)]
    if "/" in segment:
        return "it takes more than one segment"
    if not _SEGMENT.fullmatch(segment):
        return "characters that a path cannot hold are not percent-encoded"
    if unquote_to_bytes(segment) != batch_id.encode("utf-8", "surrogatepass"):
        return f"it decodes to {_formatted(unquote_to_bytes(segment).decode('utf-8', 'backslashreplace'))}"
    return ""


@CLIENT_CHECKS.check("client.request.dot-id")
def dot_id(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that ids such as ``..`` are refused or sent encoded, and never lead to another path."""
    for case_result, call_result in record.turns(result):
        result.observe()
        expected = "the id refused, no request to another path"
        for exchange in first_hand(case_result, call_result):
            operation = current_contract().operation(case_result.operation)
            path, _, _ = _path_and_query(exchange.request.url, operation)
            before, after = around(operation, call_result.call.base_url)
            segment = path[len(before) : len(path) - len(after)]
            encoded = segment[:1] == "%" and re.sub("%2e", ".", segment, flags=re.I) == call_result.call.batch_id
            stays = is_path_of(operation, call_result.call.base_url, path) and encoded
            if not stays or not call_result.call.batch_id:
                result.fail(
                    exchange,
                    f"the id {call_result.call.batch_id!r} leads to another path",
                    code="request",
                    expected=expected,
                    actual=f"{exchange.request.method} {_target(exchange.request.url)}",
                )
        if call_result.reply.batch is not None and not call_result.seen:
            result.fail(
                None,
                f"the id {call_result.call.batch_id!r} gave a batch",
                code="no-request",
                expected=expected,
                actual=call_result.said(),
            )


@CLIENT_CHECKS.check("client.request.no-body")
def no_body(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that no GET has a body."""
    for case_result in record.plays:
        for call_result in case_result.turns:
            for exchange in first_hand(case_result, call_result):
                if exchange.request.method != "GET":
                    continue
                result.observe()
                if exchange.request.body:
                    result.fail(
                        exchange,
                        "the GET has a body",
                        code="request",
                        expected="no body",
                        actual=f"{len(exchange.request.body)} bytes: {exchange.request.body[:80]!r}",
                    )


@CLIENT_CHECKS.check("client.request.single")
def single(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that there is one GET per call, for a batch and for errors that a retry does not change."""
    judge_final = not record.is_broken("client.retry.never-401-404")
    for case_result in record.plays:
        for call_result in case_result.turns:
            outcome = call_result.expected
            if case_result.together:
                continue  # client.auth.per-call judges concurrent calls
            if isinstance(outcome, ValidBatch):
                answered = "a batch"
            elif isinstance(outcome, HttpError) and outcome.status in _FINAL:
                if not judge_final:
                    result.set_aside("client.retry.never-401-404")
                    continue
                answered = f"a final {outcome.status}"
            else:
                continue
            if call_result.unasked:
                if case_result.clauses[0] not in MAY_SEND_NOTHING:
                    result.set_aside(TARGET)
                continue
            result.observe()
            operation = current_contract().operation(case_result.operation)
            requests = [exchange for exchange in call_result.gets if not _is_probe(operation, call_result, exchange)]
            if len(requests) > 1:
                result.fail(
                    requests[1],
                    f"more than one request for one call, though the first answer was {answered}",
                    code="retried",
                    expected="1 request",
                    actual=f"{len(requests)} requests",
                )


def _always_queries(record: ClientRunRecord) -> bool:
    """Whether each ordinary request has an undocumented query."""
    return all(
        undocumented_query(current_contract().operation(case_result.operation), exchange.request.url.partition("?")[2])
        for case_result, call_result, _ in record.ordinary
        for exchange in call_result.gets
    )


def _is_probe(operation: Operation, call_result: CallResult, exchange: Exchange) -> bool:
    """Whether a request is for another path, which ``client.request.target`` reports."""
    path, _, _ = _path_and_query(exchange.request.url, operation)
    return not is_path_of(operation, call_result.call.base_url, path)


def first_hand(case_result: CaseResult, call_result: CallResult) -> Iterator[Exchange]:
    """Yield the requests that a redirect did not cause."""
    redirected = any(exchange.status is not None and 300 <= exchange.status < 400 for exchange in call_result.seen)
    yield from call_result.seen[:1] if redirected or case_result.elsewhere else call_result.seen


def _plain_ids_arrive(record: ClientRunRecord) -> bool:
    rows = [
        (case_result, call_result, exchange)
        for case_result, call_result, _ in record.ordinary
        for exchange in call_result.gets
    ]
    return not rows or any(
        not encoding_problem(
            exchange.request.url.partition("?")[0],
            call_result.call.base_url,
            call_result.call.batch_id,
            current_contract().operation(case_result.operation),
        )
        for case_result, call_result, exchange in rows
    )


def _may_be_asked(operation: Operation, batch_id: str) -> bool:
    """Whether an id is a documented value of the id parameter."""
    row = operation.id_row
    return row is None or may_be(row, [(row.name, batch_id)])


def _is_plain(batch_id: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9_-]+", batch_id) is not None


def _path_and_query(url: str, operation: Operation) -> tuple[str, bool, str]:
    """Split a recorded URL into path, whether there is a ``?``, and query. Nothing is decoded or normalised.

    If the path has parameters beside the id, any documented value of them counts as the example.
    """
    target, mark, query = _target(url).partition("?")
    return by_example(operation, target), bool(mark), query


def _target(url: str) -> str:
    match = re.fullmatch(r"[A-Za-z]+://[^/?#]*(.*)", url, re.DOTALL)
    return match.group(1) if match else url


def _decoded_unreserved(path: str) -> str:
    def plain(match: re.Match[str]) -> str:
        char = chr(int(match.group()[1:], 16))
        return char if re.fullmatch(r"[A-Za-z0-9\-._~]", char) else match.group()

    return _ESCAPE.sub(plain, path)


def _only_keys(pairs: list[tuple[str, str]], record: ClientRunRecord) -> bool:
    """Whether a query only contains keys, which ``client.auth.only-there`` reports."""
    return bool(pairs) and all(any(key in value for key in record.keys) for _, value in pairs)


def _formatted(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:40]!r}… ({len(text)} characters)"
