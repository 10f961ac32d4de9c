"""Checks of ``client.list.*``: the requests, and that the caller gets the whole list in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from urllib.parse import unquote, urlsplit

from batch_conformance.checks.client.kinds import accepted_kinds, shown_kinds
from batch_conformance.checks.client.record import (
    CLIENT_CHECKS,
    MAY_SEND_NOTHING,
    CallResult,
    CaseResult,
    ClientRunRecord,
    InvalidSuccess,
    Unconstrained,
    shortened,
)
from batch_conformance.checks.client.request import first_hand
from batch_conformance.checks.client.wanted import lacking
from batch_conformance.checks.finding import CheckFunction, CheckResult
from batch_conformance.contract import current_contract
from batch_conformance.contract.entity import list_shape
from batch_conformance.contract.filters import NO_SUCH_PARAMETER, named_filters
from batch_conformance.contract.sendable import by_example
from batch_conformance.http import Exchange
from batch_conformance.operations.list_batches.answers import around_of
from batch_conformance.operations.list_batches.client_record import Batches, asked_for, handed_list, id_of
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
_ENTRIES = "client.list.entries"
_QUERY = "client.list.query"
_NAIVE = "client.list.naive-date"
_OFFSET = "client.list.offset"


def list_check(
    clause: str, *, needs: Iterable[str] = ()
) -> Callable[[CheckFunction[ClientRunRecord]], CheckFunction[ClientRunRecord]]:
    """Register the decorated function as the check of a clause; it gets calls of List Batches only."""

    def register(function: CheckFunction[ClientRunRecord]) -> CheckFunction[ClientRunRecord]:
        @wraps(function)
        def check(record: ClientRunRecord, result: CheckResult) -> None:
            function(record.of_operation(OPERATION), result)

        return CLIENT_CHECKS.check(clause, needs=needs)(check)

    return register


@list_check(TARGET)
def target(record: ClientRunRecord, result: CheckResult) -> None:
    """The request is a GET to the path of the base URL followed by that of the list."""
    for play in record.plays:
        for turn in play.turns:
            operation = current_contract().operation(OPERATION)
            path = urlsplit(turn.call.base_url).path + operation.url_path()
            # A later call may be answered from a cache, which client.decode.fresh reports.
            free = isinstance(turn.expected, Unconstrained) or turn is not play.turns[0]
            if turn.unasked and not free and play.clauses[0] not in MAY_SEND_NOTHING:
                result.observe()
                result.fail(
                    None,
                    f"the client sent no request to the server it was given: {play.title}",
                    expected=f"GET {path}",
                    actual=turn.said(),
                    code="no-request",
                )
            for exchange in turn.seen[:1]:
                result.observe()
                asked = exchange.request.url.partition("?")[0].partition("://")[2].partition("/")[2]
                if exchange.request.method != "GET" or by_example(operation, f"/{asked}") != path:
                    result.fail(
                        exchange,
                        f"the request is another one: {play.title}",
                        expected=f"GET {path}",
                        actual=f"{exchange.request.method} /{shortened(asked)}",
                        code="request",
                    )
                    continue
                missing = " and ".join(lacking(operation, exchange.request))
                if missing:
                    result.fail(
                        exchange,
                        f"the request lacks {missing}: {play.title}",
                        expected=f"GET {path} with {missing}",
                        actual=shortened(exchange.request.url.partition("?")[2]) or "no query",
                        code="required",
                    )


@list_check(_QUERY)
def query(record: ClientRunRecord, result: CheckResult) -> None:
    """Each filter of the call is sent once, unchanged; dates as the same instant."""
    if not any(map(has_own_clause, NAMES)):
        result.note(NO_SUCH_PARAMETER)
    for play, turn in _asked(record, result):
        for name, value in asked_for(turn).items():
            if _bare_plus(turn, name):
                result.set_aside(_OFFSET)
                continue
            _judge_value(result, play, turn, name, value)
    for play in record.plays:
        for turn in play.turns:
            own = list(first_hand(play, turn))
            for again in own[1:]:
                result.observe()
                lost = [pair for pair in _pairs(own[0]) if pair not in _pairs(again)]
                if lost:
                    result.fail(
                        again,
                        f"the list is asked for again with another query: {play.title}",
                        expected="&".join(map("=".join, _pairs(own[0]))),
                        actual=shortened(again.request.url.partition("?")[2]) or "no query",
                        code="request",
                    )
        for turn in play.turns if play.clauses[0] == _NAIVE else ():
            for name, value in asked_for(turn).items():
                # The form of a naive date is a should, but sending the filter is a must.
                if turn.seen and wire_name(name) not in dict(_pairs(turn.seen[0])):
                    _judge_value(result, play, turn, name, value)


@list_check(_OFFSET, needs=[_QUERY])
def offset(record: ClientRunRecord, result: CheckResult) -> None:
    """A date with an offset is sent as the same instant: an unescaped + in a query is a space."""
    if not any(map(has_own_clause, (AFTER, BEFORE))):
        result.note(NO_SUCH_PARAMETER)
    for play, turn in _asked(record, result, _QUERY):
        for name, value in asked_for(turn).items():
            if _bare_plus(turn, name):
                _judge_value(result, play, turn, name, value)
            elif play.clauses[0] == _QUERY:
                result.observe(instant_of(value) is not None)
            elif record.is_broken(_QUERY):
                result.set_aside(_QUERY)
            else:
                _judge_value(result, play, turn, name, value)


@list_check(_NAIVE, needs=[_QUERY])
def naive_date(record: ClientRunRecord, result: CheckResult) -> None:
    """A date without an offset is rejected by the client, or sent as UTC."""
    if not any(map(has_own_clause, (AFTER, BEFORE))):
        result.note(NO_SUCH_PARAMETER)
    kinds = accepted_kinds(result.clause)
    for play, turn in _asked(record, result):
        if record.is_broken(_QUERY):
            result.set_aside(_QUERY)
            continue
        error = turn.reply.error
        if not turn.requests and error is not None:
            result.observe()
            if error.kind not in kinds:
                result.fail(
                    None,
                    f"the refusal is another error: {play.title}",
                    expected=shown_kinds(kinds),
                    actual=turn.said(),
                    code="kind",
                )
            continue
        for name, value in asked_for(turn).items():
            _judge_value(result, play, turn, name, f"{value}Z")


@list_check("client.list.nothing-more")
def nothing_more(record: ClientRunRecord, result: CheckResult) -> None:
    """No filter is sent that the call lacks, not even empty; other documented parameters may be sent."""
    for play in record.plays:
        for turn in play.turns:
            for exchange in first_hand(play, turn):
                result.observe()
                given = {wire_name(name): value for name, value in asked_for(turn).items()}
                rest = [pair for pair in _pairs(exchange) if pair[0] not in given and not _is_documented(pair[0])]
                more = [f"{name}={value}" for name, value in rest]
                if more and not all(any(key in pair for key in record.keys) for pair in more):
                    result.fail(
                        exchange,
                        f"the query holds what was not given: {play.title}",
                        expected=", ".join(given) or "no query",
                        actual=", ".join(more),
                        code="unasked",
                    )


def _is_documented(name: str) -> bool:
    """Whether a query parameter is the key or documented, and not an optional filter."""
    operation = current_contract().operation(OPERATION)
    filters = {row.name for row in named_filters().values() if not row.required}
    rows = [row for row in operation.of_place("query") if row.name not in filters]
    keys = {key.name for key in operation.keys if key.place == "query"}
    return name in keys or any(row.is_named(name) for row in rows)


@list_check("client.list.empty")
def empty(record: ClientRunRecord, result: CheckResult) -> None:
    """An empty list is decoded as an empty list, not as an error or null."""
    shape = list_shape()
    if shape is not None and not shape.allows(around_of([])):
        result.note("the contract allows no list without entries")
    for play, turn in _lists(record, result):
        result.observe()
        if handed_list(turn) != []:
            result.fail(
                turn.last,
                f"an empty list is none for the caller: {play.title}",
                expected="a list without batches",
                actual=turn.said(),
                code="lost",
            )


@list_check(_ENTRIES, needs=["client.list.empty"])
def entries(record: ClientRunRecord, result: CheckResult) -> None:
    """The number of decoded batches is that of the response."""
    for play, turn in _lists(record, result):
        assert isinstance(turn.expected, Batches)
        if not turn.expected.batches:
            continue
        result.observe()
        handed = handed_list(turn)
        sent = len(turn.expected.batches)
        if handed is None:
            result.fail(turn.last, f"an ordinary list did not reach the caller: {play.title}",
                        expected=f"the list of {sent}", actual=turn.said(), code="lost")  # fmt: skip
        elif len(handed) != sent:
            result.fail(turn.last, f"batches are {'lost' if len(handed) < sent else 'made up'}: {play.title}",
                        expected=f"{sent} batches", actual=f"{len(handed)} batches",
                        code="lost" if len(handed) < sent else "unasked")  # fmt: skip


@list_check("client.list.order", needs=[_ENTRIES])
def order(record: ClientRunRecord, result: CheckResult) -> None:
    """The batches are decoded in the order of the response."""
    for play, turn in _lists(record, result):
        assert isinstance(turn.expected, Batches)
        handed = handed_list(turn)
        sent = [str(id_of(row)) for row in turn.expected.batches]
        got = [str(id_of(row)) for row in handed if isinstance(row, dict)] if handed else []
        if sorted(map(str, got)) != sorted(sent) or len(sent) < 2:
            if len(sent) > 1:
                result.set_aside("client.decode.fields" if handed and len(handed) == len(sent) else _ENTRIES)
            continue
        result.observe()
        if got != sent:
            result.fail(turn.last, f"the batches come in another order: {play.title}",
                        expected=", ".join(sent[:5]), actual=", ".join(map(str, got[:5])), code="order")  # fmt: skip


@list_check("client.list.not-array", needs=[_ENTRIES])
def not_array(record: ClientRunRecord, result: CheckResult) -> None:
    """A body that is not an array is reported as an error."""
    kinds = accepted_kinds(result.clause)
    for _, turn in record.turns(result):
        if not isinstance(turn.expected, InvalidSuccess):
            continue
        if not record.decodes:
            result.set_aside(_ENTRIES)
            continue
        result.observe()
        error = turn.reply.error
        if error is None or error.kind not in kinds:
            problem = "taken for a list" if error is None else "reported as an HTTP status that never came"
            result.fail(
                turn.last,
                f"{problem}: {turn.expected.what}",
                expected=shown_kinds(kinds),
                actual=turn.said(),
                code="taken" if error is None else "kind",
            )


@list_check("client.list.unreadable", needs=[_ENTRIES])
def unreadable(record: ClientRunRecord, result: CheckResult) -> None:
    """An invalid entry is decoded or rejected, alone or with the whole list; it is never silently dropped."""
    for play, turn in record.turns(result):
        if not isinstance(turn.expected, Batches):
            continue
        if not record.decodes or record.is_broken(_ENTRIES):
            result.set_aside(_ENTRIES)
            continue
        result.observe()
        handed = handed_list(turn)
        if turn.reply.error is None and (handed is None or len(handed) < len(turn.expected.batches)):
            result.fail(turn.last, f"an entry is dropped without a word: {play.title}",
                        expected=f"an error, or {len(turn.expected.batches)} entries", actual=turn.said(),
                        code="lost")  # fmt: skip
            continue
        emptied = [
            number
            for number, (sent, got) in enumerate(zip(turn.expected.batches, handed or [], strict=False))
            if got is None and sent is not None
        ]
        if emptied:
            result.fail(turn.last, f"an entry is replaced by null without a word: {play.title}",
                        expected="an error, or the entry", actual=f"null in place of entry {emptied[0] + 1}",
                        code="lost", pointer=f"/{emptied[0]}")  # fmt: skip


def _lists(record: ClientRunRecord, result: CheckResult) -> Iterator[tuple[CaseResult, CallResult]]:
    for play, turn in record.turns(result):
        if isinstance(turn.expected, Batches) and not turn.expected.refusable:
            yield play, turn


def _asked(
    record: ClientRunRecord, result: CheckResult, *also: str
) -> Iterator[tuple[CaseResult, CallResult]]:
    """Yield the calls of cases for this clause and for those ``also``. Crashes in the former are failures."""
    for play in record.plays:
        if play.clauses[0] not in (result.clause, *also):
            continue
        for turn in play.turns:
            if turn.reply.broken is not None and play.clauses[0] != result.clause:
                result.set_aside(play.clauses[0])
            elif turn.reply.broken is not None:
                result.observe()
                result.fail(
                    turn.last,
                    f"the client itself failed: {play.title}",
                    expected="a list",
                    actual=turn.said(),
                    code="crash",
                )
            else:
                yield play, turn


def _judge_value(result: CheckResult, play: CaseResult, turn: CallResult, name: str, value: str) -> None:
    if not turn.seen:
        result.set_aside(TARGET)
        return
    exchange = turn.seen[0]
    name = wire_name(name)
    result.observe()
    came = [text for other, text in _pairs(exchange) if other == name]
    if len(came) != 1 or not _same(came[0], value):
        result.fail(
            exchange,
            f"{name} does not arrive as it was given: {play.title}",
            expected=f"{name}={value}"
            + (", or the same instant written otherwise" if instant_of(value) else ""),
            actual=" and ".join(f"{name}={text}" for text in came) or f"no {name}",
            code="request",
        )


def _bare_plus(turn: CallResult, name: str) -> bool:
    """Whether a date is wrong only because its + was sent unescaped."""
    came = [text for other, text in _pairs(turn.seen[0]) if other == wire_name(name)] if turn.seen else []
    return any(instant_of(text) is None and instant_of(text.replace(" ", "+")) is not None for text in came)


def _same(came: str, given: str) -> bool:
    """Whether values are the same text, or the same instant to the millisecond (some types hold no more)."""
    one, other = instant_of(came), instant_of(given)
    if one is None or other is None:
        return came == given and other is None
    return abs(one.seconds + one.fraction - other.seconds - other.fraction) * 1000 < 1


def _pairs(exchange: Exchange) -> list[tuple[str, str]]:
    """Return the query parameters as servers read them, with a plus sign as a space."""
    query = exchange.request.url.partition("?")[2].partition("#")[0]
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    return [(_decoded(name), _decoded(value)) for name, value in pairs]


def _decoded(text: str) -> str:
    return unquote(text.replace("+", " "))
