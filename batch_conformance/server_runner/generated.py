"""Property-based probes: Schemathesis generates ids and keys, Hypothesis drives and shrinks.

Each generated example is sent and judged at once by the checks themselves; failing examples stay in the
record.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any
from urllib.parse import unquote

import httpx
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import HypothesisException

from batch_conformance.checks.server import SERVER_CHECKS, Record
from batch_conformance.contract import Operation, current_contract
from batch_conformance.generate.database import shelf
from batch_conformance.generate.ids import AskedId, known_id
from batch_conformance.generate.keys import Key
from batch_conformance.http import Exchange, Response
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import ProbeContext

#: Clauses whose check can tell from a single exchange that a generated example breaks them.
_SINGLE_EXCHANGE_CLAUSES = (
    "server.notfound.hostile-id",
    "server.auth.invalid-key",
    "server.auth.hostile-key",
    "server.auth.no-disclosure",
    "server.error.body",
    "server.error.media-type",
    "server.error.status-agrees",
    "server.error.documented-status",
)
#: Schemathesis's checks that agree with this contract, and apply to a single response.
_CHECKS = ("not_a_server_error", "content_type_conformance", "response_schema_conformance")

#: Schemathesis's attribute for each parameter location.
_CONTAINERS: Mapping[str, str] = {"path": "path_parameters", "header": "headers", "query": "query", "cookie": "cookies"}

_Fixed = Mapping[str, dict[str, str]]
_Plan = Callable[[ProbeContext, Any], PlannedRequest | None]
_Known = dict[tuple[str, str | None], deque[Callable[[], Exchange]]]


class _Broken(Exception):
    """An example that breaks a clause; tells Hypothesis to shrink it."""


class _Stop(BaseException):
    """Ends the exploration at once.

    A ``BaseException``, so that Hypothesis neither blames the example for it nor drops examples of earlier
    runs.
    """

    def __init__(self, why: BaseException) -> None:
        super().__init__()
        self.why = why


def _operation() -> Any:
    return _schema_operation(current_contract().sha256)


@lru_cache(maxsize=4)
def _schema_operation(_sha256: str) -> Any:
    import schemathesis

    contract = current_contract()
    operation = contract.operation("get")
    schema = schemathesis.openapi.from_dict(deepcopy(contract.document.content))
    return schema[operation.path][operation.method]


@cache
def _checks() -> list[Any]:
    from schemathesis import checks

    checks.load_all_checks()
    return [getattr(checks, name) for name in _CHECKS]


def get_ready() -> None:
    """Load what the generators need. This is slow, so it can be done while waiting for responses."""
    _operation()
    _checks()


#: Sends several requests side by side. Returns for each a function that records and returns its exchange, or
#: None.
Ahead = Callable[[Sequence[PlannedRequest]], Sequence[Callable[[], Exchange] | None]]


def explore(
    context: ProbeContext,
    send: Callable[[PlannedRequest], Exchange],
    left: Callable[[], int],
    keep: Callable[[Exchange], None],
    ahead: Ahead | None = None,
) -> None:
    """Test both properties: no generated id is found or breaks the server, and no generated key is accepted.

    ``left`` returns how many requests may still be sent; ``keep`` replaces a recorded exchange by an
    annotated one. With ``ahead``, the examples that are drawn as long as nothing is broken are sent side by
    side beforehand.
    """
    operation = current_contract().operation("get")
    plans: dict[_Plan, _Fixed] = {_generated_id: _fixed(operation, drawn="path")}
    if operation.key is not None:
        plans[_generated_key] = _fixed(operation, drawn="key")
    known = _send_ahead(context, plans, left(), ahead) if ahead else {}
    for plan, fixed in plans.items():
        _property(context, plan, fixed, send, left, keep, known.get(plan, {}))


def _fixed(operation: Operation, *, drawn: str) -> _Fixed:
    """Return fixed values for all parameters but the drawn one.

    Drawing the others too would take most of the time of an example.
    """
    fixed: dict[str, dict[str, str]] = {container: {} for container in _CONTAINERS.values()}
    for row in operation.parameters:
        if row.required or row.place == "path":
            fixed[_CONTAINERS[row.place]][row.name] = row.example_text() if row.has_example else "any"
    key = operation.key
    if key is not None:
        fixed[_CONTAINERS[key.place]][key.name] = "any"
    free = key.place if drawn == "key" and key is not None else "path"
    del fixed[_CONTAINERS[free]]
    return fixed


def _send_ahead(
    context: ProbeContext, plans: Mapping[_Plan, _Fixed], most: int, ahead: Ahead
) -> Mapping[_Plan, _Known]:
    """Send the requests of all properties beforehand, and return their responses by plan and request."""
    rows = [(plan, send) for plan, fixed in plans.items() for send in _draw_requests(context, plan, fixed)][:most]
    known: dict[_Plan, _Known] = {plan: {} for plan in plans}
    for (plan, send), answer in zip(rows, ahead([send for _, send in rows]), strict=True):
        if answer is not None:
            known[plan].setdefault(_request_key(send), deque()).append(answer)
    return known


def _draw_requests(context: ProbeContext, plan: _Plan, fixed: _Fixed) -> list[PlannedRequest]:
    """Return the requests that a property sends as long as nothing is broken."""
    drawn: list[PlannedRequest] = []

    @settings(
        max_examples=context.profile.generated,
        database=None,
        phases=[Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @seed(context.seed)
    @given(_operation().as_strategy(**fixed))
    def draws(case: Any) -> None:
        request = plan(context, case)
        if request is not None:
            drawn.append(request)

    draws()
    return drawn[: context.profile.generated]


def _request_key(send: PlannedRequest) -> tuple[str, str | None]:
    return send.asked.segment, send.key.value


def _property(
    context: ProbeContext,
    plan: _Plan,
    fixed: _Fixed,
    send: Callable[[PlannedRequest], Exchange],
    left: Callable[[], int],
    keep: Callable[[Exchange], None],
    known: _Known,
) -> None:
    thorough = context.profile.budget is None
    phases = [Phase.reuse, Phase.generate, Phase.shrink] if thorough else [Phase.generate]
    spare = context.profile.generated + context.profile.shrink
    opinions = _Opinions()

    # In this order: settings applied below a seed lose their database.
    @settings(
        max_examples=context.profile.generated,
        database=shelf(context.database, f"server:{plan.__name__}") if thorough else None,
        phases=phases,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    @seed(context.seed)
    @given(_operation().as_strategy(**fixed))
    def holds(case: Any) -> None:
        nonlocal spare
        request = plan(context, case)
        if request is None or spare <= 0:
            return
        answers = known.get(_request_key(request))
        if not answers and left() <= 0:
            return
        spare -= 1
        try:
            exchange = answers.popleft()() if answers else send(request)
        except BaseException as error:
            # Not the example's fault: it must reach the runner, not the shrinker.
            raise _Stop(error) from None
        annotated = replace(exchange, notes=opinions(case, exchange))
        keep(annotated)
        if annotated.notes or _is_broken(annotated):
            raise _Broken

    # Failing examples are in the record, where the checks see them.
    try:
        with suppress(_Broken, HypothesisException, ExceptionGroup):
            holds()
    except _Stop as stop:
        raise stop.why from None


def _is_broken(exchange: Exchange) -> bool:
    record = Record([exchange])
    return any(SERVER_CHECKS.find(clause)(record).findings for clause in _SINGLE_EXCHANGE_CLAUSES)


def _generated_id(context: ProbeContext, case: Any) -> PlannedRequest | None:
    name = current_contract().operation("get").id_parameter
    segment = str((case.path_parameters or {}).get(name, ""))
    value = unquote(segment, errors="surrogateescape")
    if not segment or value in context.ids:
        return None
    unknown_id = AskedId(value, segment, "hostile", "a generated id")
    return PlannedRequest("generated-ids", unknown_id, context.key, key_name=context.key_name)


def _generated_key(context: ProbeContext, case: Any) -> PlannedRequest | None:
    place = current_contract().operation("get").key
    assert place is not None
    value = str((getattr(case, _CONTAINERS[place.place]) or {}).get(place.name, "")).removeprefix(place.prefix)
    if not value or value.strip() != value or value == context.secret:
        return None
    plain = value.isascii() and value.isprintable()
    key = Key(value, "invalid" if plain else "hostile", "a generated key")
    return context.anonymous("generated-keys", known_id(context.ids[0]), key)


class _Opinions:
    """Messages of Schemathesis's own checks on documented errors, as ``check: message``.

    Cached for equal responses.
    """

    def __init__(self) -> None:
        self._cache: dict[tuple[int, tuple[str, ...], bytes], tuple[str, ...]] = {}

    def __call__(self, case: Any, exchange: Exchange) -> tuple[str, ...]:
        response = exchange.response
        if response is None or exchange.failure is not None or not 400 <= response.status < 600:
            return ()
        if response.status not in current_contract().operation("get").documented_statuses or response.status == 429:
            return ()
        cache_key = response.status, tuple(response.header_values("content-type")), response.body
        if cache_key not in self._cache:
            self._cache[cache_key] = _second_opinion(case, exchange, response)
        return self._cache[cache_key]


def _second_opinion(case: Any, exchange: Exchange, response: Response) -> tuple[str, ...]:
    # The body is decoded already; its coding must not be undone twice.
    headers = [
        (name, value) for name, value in response.headers if name.lower() not in ("content-encoding", "content-length")
    ]
    converted = httpx.Response(
        response.status,
        headers=headers,
        content=response.body,
        request=httpx.Request(exchange.request.method, "http://target" + case.formatted_path),
    )
    converted.elapsed = _elapsed(exchange)
    try:
        case.validate_response(converted, checks=_checks())
    except BaseExceptionGroup as failures:
        return tuple(_format_failure(failure) for failure in failures.exceptions)
    return ()


def _elapsed(exchange: Exchange) -> Any:
    from datetime import timedelta

    return timedelta(seconds=max(0.0, exchange.ended - exchange.started))


def _format_failure(failure: BaseException) -> str:
    lines = [line.strip() for line in str(failure).splitlines() if line.strip()]
    return f"{type(failure).__name__}: {' '.join(lines)[:300]}"
