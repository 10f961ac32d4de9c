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
    for play in record.plays:
        operation = current_contract().operation(play.operation)
        for turn in play.turns:
            if turn.reply.broken is not None and play.clauses[0] == result.clause:
                result.observe()
                result.fail(turn.last, f"the client itself failed: {play.title}", code="crash",
                                expected="one GET", actual=turn.said())  # fmt: skip
            if play.clauses[0] == ID_ENCODING or play.together:
                continue
            # A later call may be answered from a cache, which client.decode.fresh reports.
            if turn.unasked and turn is play.turns[0] and not isinstance(turn.expected, Unconstrained):
                result.observe()
                result.fail(
                    None,
                    "the client sent no request to the server it was given",
                    code="no-request",
                    expected=f"GET {turn.call.base_url}{operation.url_path(turn.call.batch_id)}",
                    actual=turn.said(),
                )
            if _is_plain(turn.call.batch_id):
                for exchange in first_hand(play, turn):
                    result.observe()
                    _judge_target(operation, record, result, turn, exchange)


def _judge_target(
    operation: Operation, record: ClientRunRecord, result: CheckResult, turn: CallResult, exchange: Exchange
) -> None:
    if exchange.notes:
        result.fail(exchange, "what came is no HTTP request", code="request", expected="GET", actual=exchange.notes[0])
        return
    wanted = wanted_path(operation, turn.call.base_url, turn.call.batch_id)
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
    if hosts and [host.lower() for host in hosts] != [urlsplit(turn.call.base_url).netloc.lower()]:
        problems.append("the Host header")
    if problems:
        asked = _target(exchange.request.url).partition("?")[0]
        shown = f"{exchange.request.method} {asked}{'?' + query if query else ''}"
        host = f" (Host: {', '.join(hosts)})" if "the Host header" in problems else ""
        result.fail(
            exchange,
            f"{' and '.join(problems)} of the request",
            code="required" if missing and len(problems) == 1 else "request",
            expected=expected,
            actual=shown + host,
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
    usual = {exchange.request.method for _, turn, _ in record.ordinary for exchange in turn.seen}
    for play, turn in record.turns(result):
        if play.clauses[0] != ID_ENCODING:
            continue
        operation = current_contract().operation(play.operation)
        if not turn.seen and not _may_be_asked(operation, turn.call.batch_id):
            result.note("the client asks for no id that the contract has none of")
            continue
        result.observe()
        expected = shortened(wanted_path(operation, turn.call.base_url, turn.call.batch_id))
        if not turn.seen:
            result.fail(
                None,
                f"no request was made for {_shown(turn.call.batch_id)}",
                code="no-request",
                expected=expected,
                actual=turn.said(),
            )
        rows = list(first_hand(play, turn))
        for exchange in [row for row in rows if not _is_probe(operation, turn, row)] or rows:
            if usual == {"GET"} and exchange.request.method != "GET":
                result.fail(
                    exchange,
                    f"{play.title} ({_shown(turn.call.batch_id)}): the method is another one",
                    code="request",
                    expected=f"GET {expected}",
                    actual=f"{exchange.request.method} {shortened(_target(exchange.request.url))}",
                )
                continue
            url = exchange.request.url.partition("?")[0] if always_queries else exchange.request.url
            problem = encoding_problem(url, turn.call.base_url, turn.call.batch_id, operation)
            if problem:
                result.fail(
                    exchange,
                    f"{play.title} ({_shown(turn.call.batch_id)}): {problem}",
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
        return f"it decodes to {_shown(unquote_to_bytes(segment).decode('utf-8', 'backslashreplace'))}"
    return ""


@CLIENT_CHECKS.check("client.request.dot-id")
def dot_id(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that ids such as ``..`` are refused or sent encoded, and never lead to another path."""
    for play, turn in record.turns(result):
        result.observe()
        expected = "the id refused, no request to another path"
        for exchange in first_hand(play, turn):
            operation = current_contract().operation(play.operation)
            path, _, _ = _path_and_query(exchange.request.url, operation)
            before, after = around(operation, turn.call.base_url)
            segment = path[len(before) : len(path) - len(after)]
            encoded = segment[:1] == "%" and re.sub("%2e", ".", segment, flags=re.I) == turn.call.batch_id
            stays = is_path_of(operation, turn.call.base_url, path) and encoded
            if not stays or not turn.call.batch_id:
                result.fail(
                    exchange,
                    f"the id {turn.call.batch_id!r} leads to another path",
                    code="request",
                    expected=expected,
                    actual=f"{exchange.request.method} {_target(exchange.request.url)}",
                )
        if turn.reply.batch is not None and not turn.seen:
            result.fail(
                None,
                f"the id {turn.call.batch_id!r} gave a batch",
                code="no-request",
                expected=expected,
                actual=turn.said(),
            )


@CLIENT_CHECKS.check("client.request.no-body")
def no_body(record: ClientRunRecord, result: CheckResult) -> None:
    """Check that no GET has a body."""
    for play in record.plays:
        for turn in play.turns:
            for exchange in first_hand(play, turn):
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
    for play in record.plays:
        for turn in play.turns:
            told = turn.expected
            if play.together:
                continue  # client.auth.per-call judges concurrent calls
            if isinstance(told, ValidBatch):
                answered = "a batch"
            elif isinstance(told, HttpError) and told.status in _FINAL:
                if not judge_final:
                    result.set_aside("client.retry.never-401-404")
                    continue
                answered = f"a final {told.status}"
            else:
                continue
            if turn.unasked:
                if play.clauses[0] not in MAY_SEND_NOTHING:
                    result.set_aside(TARGET)
                continue
            result.observe()
            operation = current_contract().operation(play.operation)
            asked = [exchange for exchange in turn.gets if not _is_probe(operation, turn, exchange)]
            if len(asked) > 1:
                result.fail(
                    asked[1],
                    f"more than one request for one call, though the first answer was {answered}",
                    code="retried",
                    expected="1 request",
                    actual=f"{len(asked)} requests",
                )


def _always_queries(record: ClientRunRecord) -> bool:
    """Whether each ordinary request has an undocumented query."""
    return all(
        undocumented_query(current_contract().operation(play.operation), exchange.request.url.partition("?")[2])
        for play, turn, _ in record.ordinary
        for exchange in turn.gets
    )


def _is_probe(operation: Operation, turn: CallResult, exchange: Exchange) -> bool:
    """Whether a request is for another path, which ``client.request.target`` reports."""
    path, _, _ = _path_and_query(exchange.request.url, operation)
    return not is_path_of(operation, turn.call.base_url, path)


def first_hand(play: CaseResult, turn: CallResult) -> Iterator[Exchange]:
    """Yield the requests that a redirect did not cause."""
    redirected = any(exchange.status is not None and 300 <= exchange.status < 400 for exchange in turn.seen)
    yield from turn.seen[:1] if redirected or play.elsewhere else turn.seen


def _plain_ids_arrive(record: ClientRunRecord) -> bool:
    rows = [(play, turn, exchange) for play, turn, _ in record.ordinary for exchange in turn.gets]
    return not rows or any(
        not encoding_problem(
            exchange.request.url.partition("?")[0],
            turn.call.base_url,
            turn.call.batch_id,
            current_contract().operation(play.operation),
        )
        for play, turn, exchange in rows
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


def _shown(text: str) -> str:
    return repr(text) if len(text) <= 60 else f"{text[:40]!r}… ({len(text)} characters)"
