"""``assert_conforms``: check a batch, an error body or a whole response against the contract."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.server.statuses import is_success
from batch_conformance.contract import Clause, current_contract
from batch_conformance.contract.entity import entity_of
from batch_conformance.http import Exchange
from batch_conformance.http.text import cut, visible
from batch_conformance.recorded import Draft, Recording, SetAside, judge_clause, recorded_needs, recording_of
from batch_conformance.recorded.detection import UNKNOWN_ID, call_of
from batch_conformance.recorded.parts import headers_of
from batch_conformance.recorded.redaction import redactor_of

_TAKES = "assert_conforms takes a batch or an error body (dict, JSON text or bytes), or a response"
#: The most findings listed for one clause, and the longest text in characters.
_LISTED = 5
_LIMIT = 500


def assert_conforms(
    answer: Any, *, id: str | None = None, status: int | None = None, strict: bool = False, operation: str = "get"
) -> None:
    """Assert that a response conforms to the contract.

    ``answer`` is a batch or an error body (a dict, or JSON as ``str`` or ``bytes``), a response (of httpx,
    requests, or anything with ``status_code`` or ``status``, ``headers``, and ``content``, ``data`` or
    ``body``), or a recorded ``Exchange``. ``id`` is the requested id, if the response does not tell;
    ``operation`` likewise the operation (``list`` for List Batches). ``status`` is the HTTP status of a body given
    alone. With ``strict``, broken ``should`` clauses count as well.

    Raises ``AssertionError`` with every broken clause: expected, actual and source, keys redacted; also for an answer
    that a rule of the contract cannot be evaluated on. Raises ``TypeError`` for a value of another type, ``ValueError``
    for an operation that the contract does not have, and where its rules need the CEL runtime, which is not installed.
    """
    __tracebackhide__ = True
    draft = _draft(answer, _target(operation, id), status, knows_id=id is not None)
    recording = recording_of(draft)
    assert recording is not None, "a target of an operation makes every draft one"
    if isinstance(recording, SetAside):
        raise AssertionError(f"nothing in this answer can be judged: {recording.why}")  # noqa: TRY004
    broken = list(_broken(recording, strict))
    if broken:
        raise AssertionError(_text(recording, broken))
    _require_rules(recording)


def _require_rules(recording: Recording) -> None:
    """Raise ``RuntimeMissing`` for a success answer whose rules could not be judged."""
    intent, status = recording.exchange.intent, recording.exchange.status
    entity = entity_of(intent.operation)
    if is_success(status, intent.operation) and entity.stated_rules:
        # Compiles them, for which it takes the runtime.
        _ = entity.rules


def _broken(recording: Recording, strict: bool) -> Iterator[tuple[Clause, Sequence[Finding]]]:
    __tracebackhide__ = True
    clauses = current_contract().clauses
    observations = 0
    for clause in recorded_needs():
        result = judge_clause(clause, [recording])
        observations += result.observations
        if result.findings and (strict or clauses[clause].level == "must"):
            yield clauses[clause], result.findings
        elif result.unjudged:
            raise AssertionError(f"{clause} cannot be judged: {next(iter(result.unjudged))}")
    if not observations:
        raise AssertionError("nothing in this answer can be judged: it tells neither status nor body")


def _text(recording: Recording, broken: Sequence[tuple[Clause, Sequence[Finding]]]) -> str:
    redactor = redactor_of(recording.exchange)

    def line(text: str) -> str:
        return cut(redactor.text(visible(redactor.text(text))), _LIMIT).replace("\n", "\n" + " " * 14)

    count = "1 clause is broken" if len(broken) == 1 else f"{len(broken)} clauses are broken"
    lines = [f"{recording.place} does not conform to the Batch API contract: {count}"]
    for clause, findings in broken:
        lines += ["", f"  {clause.id} ({clause.level}): {clause.promise}"]
        for finding in findings[:_LISTED]:
            message = finding.message.removeprefix(f"{recording.place}: ")
            lines += [
                f"    found     {line(message)}",
                f"    expected  {line(finding.expected)}",
                f"    actual    {line(finding.actual)}",
            ]
        if len(findings) > _LISTED:
            lines.append(f"    … and {len(findings) - _LISTED} more like it")
        lines.append(f"    source    {clause.source}")
    return "\n".join(lines)


def _target(name: str, batch_id: str | None) -> str:
    operation = current_contract().operations.get(name)
    if operation is None:
        raise ValueError(f"operation={name!r}: the contract has {', '.join(current_contract().operations)}")
    if operation.id_parameter is None:
        return operation.url_path()
    return operation.raw_path(f":{UNKNOWN_ID}") if batch_id is None else operation.url_path(batch_id)


def _draft(answer: Any, target: str, status: int | None, *, knows_id: bool) -> Draft:
    if isinstance(answer, Exchange):
        return _of_exchange(answer, target, knows_id=knows_id)
    if isinstance(answer, str | bytes | bytearray):
        data = answer.encode("utf-8", "surrogatepass") if isinstance(answer, str) else bytes(answer)
        return Draft("this body", url=target, status=status, body=data, text=True)
    if isinstance(answer, Mapping | list) or answer is None:
        return Draft("this body", url=target, status=status, body=_json(answer), text=True)
    return _of_response(answer, target, knows_id=knows_id)


def _json(value: Any) -> bytes:
    try:
        return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
    except (TypeError, ValueError, RecursionError) as error:
        raise TypeError(f"{_TAKES}, and what is in it must be JSON: {error}") from None


def _of_exchange(exchange: Exchange, target: str, *, knows_id: bool) -> Draft:
    response = exchange.response
    if response is None:
        raise TypeError(f"{_TAKES}; this exchange has no response ({exchange.outcome()})")
    request_line = (exchange.request.method, exchange.request.url)
    return Draft(
        "this answer",
        url=target if knows_id or call_of(*request_line) is None else exchange.request.url,
        sent=exchange.request.headers,
        status=response.status,
        reason=response.reason,
        headers=response.headers,
        body=response.body,
        text=True,
    )


def _of_response(response: Any, target: str, *, knows_id: bool) -> Draft:
    status = _first(response, ("status_code", "status"), int)
    body = _first(response, ("content", "data", "body"), bytes | str)
    if status is None or isinstance(status, bool):
        raise TypeError(f"{_TAKES}, not {type(response).__name__!r}")
    if body is None:
        raise TypeError(
            f"the body of this {type(response).__name__} was not read: read it, and pass it with status={status}"
        )
    request = _get(response, "request")
    url = _get(request, "url") if request is not None else _get(response, "url")
    method = _get(request, "method")
    request_line = (method if isinstance(method, str) else None, str(url) if url is not None else None)
    return Draft(
        "this answer",
        url=target if knows_id or call_of(*request_line) is None else str(url),
        sent=_headers(_get(request, "headers")),
        status=int(status),
        headers=_headers(_get(response, "headers")) or (),
        body=body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body,
        text=True,
    )


def _get(thing: Any, name: str) -> Any:
    """Return an attribute; None if missing or not set (httpx raises for a request that was never set)."""
    try:
        return getattr(thing, name, None)
    except Exception:
        return None


def _first(thing: Any, names: Sequence[str], kind: Any) -> Any:
    return next((value for name in names if isinstance(value := _get(thing, name), kind)), None)


def _headers(headers: Any) -> tuple[tuple[str, str], ...] | None:
    """Return the headers of any HTTP library as pairs, with repeated names where the library has them."""
    for name in ("multi_items", "items"):
        rows = _get(headers, name)
        if callable(rows):
            try:
                return tuple((str(key), str(value)) for key, value in rows())
            except (TypeError, ValueError):
                return None
    return headers_of(headers)
