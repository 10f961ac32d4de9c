"""Checks of ``client.list.*`` about the requests; importing it registers those about the list, too."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.record import (
    MAY_SEND_NOTHING,
    CallResult,
    CaseResult,
    ClientRunRecord,
    Unconstrained,
    shortened,
)
from batch_conformance.checks.client.request import first_hand
from batch_conformance.checks.client.wanted import lacking
from batch_conformance.checks.finding import CheckResult
from batch_conformance.contract import current_contract
from batch_conformance.contract.filters import NO_SUCH_PARAMETER, named_filters, other_filters
from batch_conformance.contract.sendable import by_example
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches import client_list_checks as client_list_checks
from batch_conformance.operations.list_batches.client_record import (
    given_filters,
    list_check,
)
from batch_conformance.operations.list_batches.filters import (
    AFTER,
    BEFORE,
    NAMES,
    has_own_clause,
    instant_of,
    wire_name,
)

OPERATION = "list"
TARGET = "client.list.target"
_QUERY = "client.list.query"
_NAIVE = "client.list.naive-date"
_OFFSET = "client.list.offset"


@list_check(TARGET)
def target(record: ClientRunRecord, result: CheckResult) -> None:
    """The request is a GET to the path of the base URL followed by that of the list."""
    for case_result in record.plays:
        for call_result in case_result.turns:
            operation = current_contract().operation(OPERATION)
            path = urlsplit(call_result.call.base_url).path + operation.url_path()
            # A later call may be answered from a cache, which client.decode.fresh reports.
            is_first = call_result is case_result.turns[0]
            may_be_cached = isinstance(call_result.expected, Unconstrained) or not is_first
            if call_result.unasked and not may_be_cached and case_result.clauses[0] not in MAY_SEND_NOTHING:
                result.observe()
                result.fail(
                    None,
                    f"the client sent no request to the server it was given: {case_result.title}",
                    expected=f"GET {path}",
                    actual=call_result.said(),
                    code="no-request",
                )
            for exchange in call_result.seen[:1]:
                result.observe()
                requested = exchange.request.url.partition("?")[0].partition("://")[2].partition("/")[2]
                if exchange.request.method != "GET" or by_example(operation, f"/{requested}") != path:
                    result.fail(
                        exchange,
                        f"the request is another one: {case_result.title}",
                        expected=f"GET {path}",
                        actual=f"{exchange.request.method} /{shortened(requested)}",
                        code="request",
                    )
                    continue
                missing = " and ".join(lacking(operation, exchange.request))
                if missing:
                    result.fail(
                        exchange,
                        f"the request lacks {missing}: {case_result.title}",
                        expected=f"GET {path} with {missing}",
                        actual=shortened(exchange.request.url.partition("?")[2]) or "no query",
                        code="required",
                    )


@list_check(_QUERY)
def query(record: ClientRunRecord, result: CheckResult) -> None:
    """Each filter of the call is sent once, unchanged; dates as the same instant."""
    if not any(map(has_own_clause, NAMES)):
        result.note(NO_SUCH_PARAMETER)
    for case_result, call_result in _calls_for(record, result):
        for name, value in given_filters(call_result).items():
            if _bare_plus(call_result, name):
                result.set_aside(_OFFSET)
                continue
            _check_value(result, case_result, call_result, name, value)
    for case_result in record.plays:
        for call_result in case_result.turns:
            first_requests = list(first_hand(case_result, call_result))
            for again in first_requests[1:]:
                result.observe()
                missing_pairs = [pair for pair in _pairs(first_requests[0]) if pair not in _pairs(again)]
                if missing_pairs:
                    result.fail(
                        again,
                        f"the list is asked for again with another query: {case_result.title}",
                        expected="&".join(map("=".join, _pairs(first_requests[0]))),
                        actual=shortened(again.request.url.partition("?")[2]) or "no query",
                        code="request",
                    )
        for call_result in case_result.turns if case_result.clauses[0] == _NAIVE else ():
            for name, value in given_filters(call_result).items():
                # The form of a naive date is a should, but sending the filter is a must.
                if call_result.seen and wire_name(name) not in dict(_pairs(call_result.seen[0])):
                    _check_value(result, case_result, call_result, name, value)


@list_check(_OFFSET, needs=[_QUERY])
def offset(record: ClientRunRecord, result: CheckResult) -> None:
    """A date with an offset is sent as the same instant: an unescaped + in a query is a space."""
    if not any(map(has_own_clause, (AFTER, BEFORE))):
        result.note(NO_SUCH_PARAMETER)
    for case_result, call_result in _calls_for(record, result, _QUERY):
        for name, value in given_filters(call_result).items():
            if _bare_plus(call_result, name):
                _check_value(result, case_result, call_result, name, value)
            elif case_result.clauses[0] == _QUERY:
                result.observe(instant_of(value) is not None)
            elif record.is_broken(_QUERY):
                result.set_aside(_QUERY)
            else:
                _check_value(result, case_result, call_result, name, value)


@list_check(_NAIVE, needs=[_QUERY])
def naive_date(record: ClientRunRecord, result: CheckResult) -> None:
    """A date without an offset is rejected by the client, or sent as UTC."""
    if not any(map(has_own_clause, (AFTER, BEFORE))):
        result.note(NO_SUCH_PARAMETER)
    kinds = accepted_kinds(result.clause)
    for case_result, call_result in _calls_for(record, result):
        if record.is_broken(_QUERY):
            result.set_aside(_QUERY)
            continue
        error = call_result.reply.error
        if not call_result.requests and error is not None:
            result.observe()
            if error.kind not in kinds:
                result.fail(
                    None,
                    f"the refusal is another error: {case_result.title}",
                    expected=shown_kinds(kinds),
                    actual=call_result.said(),
                    code="kind",
                )
            continue
        for name, value in given_filters(call_result).items():
            _check_value(result, case_result, call_result, name, f"{value}Z")


@list_check("client.list.nothing-more")
def nothing_more(record: ClientRunRecord, result: CheckResult) -> None:
    """No filter is sent that the call lacks, not even empty; other documented parameters may be sent."""
    for case_result in record.plays:
        for call_result in case_result.turns:
            for exchange in first_hand(case_result, call_result):
                given = {wire_name(name): value for name, value in given_filters(call_result).items()}
                others = [pair for pair in _pairs(exchange) if pair[0] not in given and not _is_documented(pair[0])]
                missing = given.keys() - dict(_pairs(exchange)).keys()
                if len(others) == len(missing) > 0 and record.is_broken(_QUERY):
                    # A filter under another name, or in place of another one.
                    result.set_aside(_QUERY)
                    continue
                result.observe()
                additional = [f"{name}={value}" for name, value in others]
                if additional and not all(any(key in pair for key in record.keys) for pair in additional):
                    result.fail(
                        exchange,
                        f"the query holds what was not given: {case_result.title}",
                        expected=", ".join(given) or "no query",
                        actual=", ".join(additional),
                        code="unasked",
                    )


def _is_documented(name: str) -> bool:
    """Whether a query parameter is the key or documented, and not an optional filter."""
    operation = current_contract().operation(OPERATION)
    filters = {row.name for row in (*named_filters().values(), *other_filters().values()) if not row.required}
    rows = [row for row in operation.of_place("query") if row.name not in filters]
    keys = {key.name for key in operation.keys if key.place == "query"}
    return name in keys or any(row.is_named(name) for row in rows)


def _calls_for(record: ClientRunRecord, result: CheckResult, *also: str) -> Iterator[tuple[CaseResult, CallResult]]:
    """Yield the calls of cases for this clause and for those ``also``. Crashes in the former are failures."""
    for case_result in record.plays:
        if case_result.clauses[0] not in (result.clause, *also):
            continue
        for call_result in case_result.turns:
            if call_result.reply.broken is not None and case_result.clauses[0] != result.clause:
                result.set_aside(case_result.clauses[0])
            elif call_result.reply.broken is not None:
                result.observe()
                result.fail(
                    call_result.last,
                    f"the client itself failed: {case_result.title}",
                    expected="a list",
                    actual=call_result.said(),
                    code="crash",
                )
            else:
                yield case_result, call_result


def _check_value(result: CheckResult, case_result: CaseResult, call_result: CallResult, name: str, value: str) -> None:
    if not call_result.seen:
        result.set_aside(TARGET)
        return
    exchange = call_result.seen[0]
    name = wire_name(name)
    result.observe()
    received = [text for other, text in _pairs(exchange) if other == name]
    if len(received) != 1 or not _same(received[0], value):
        result.fail(
            exchange,
            f"{name} does not arrive as it was given: {case_result.title}",
            expected=f"{name}={value}" + (", or the same instant written otherwise" if instant_of(value) else ""),
            actual=" and ".join(f"{name}={text}" for text in received) or f"no {name}",
            code="request",
        )


def _bare_plus(call_result: CallResult, name: str) -> bool:
    """Whether a date is wrong only because its + was sent unescaped."""
    pairs = _pairs(call_result.seen[0]) if call_result.seen else []
    received = [text for other, text in pairs if other == wire_name(name)]
    return any(instant_of(text) is None and instant_of(text.replace(" ", "+")) is not None for text in received)


def _same(received: str, given: str) -> bool:
    """Whether values are the same text, or the same instant to the millisecond (some types hold no more)."""
    one, other = instant_of(received), instant_of(given)
    if one is None or other is None:
        return received == given and other is None
    return abs(one.seconds + one.fraction - other.seconds - other.fraction) * 1000 < 1


def _pairs(exchange: Exchange) -> list[tuple[str, str]]:
    """Return the query parameters as servers read them, with a plus sign as a space."""
    query = exchange.request.url.partition("?")[2].partition("#")[0]
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    return [(_decoded(name), _decoded(value)) for name, value in pairs]


def _decoded(text: str) -> str:
    return unquote(text.replace("+", " "))
