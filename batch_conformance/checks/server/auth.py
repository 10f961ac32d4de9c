"""Checks of ``server.auth.*``: access only with a valid key, and no disclosure to others."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server.oracle import Feature, distinguishing_features, noise
from batch_conformance.checks.server.record import SERVER_CHECKS, Record, is_form_check, known_and_unknown
from batch_conformance.checks.server.telling import telling_names, telling_values
from batch_conformance.checks.server.unauthenticated import (
    EVERY_REQUEST,
    FIRST_BLAMED,
    Carried,
    admission,
    all_refused,
    carried_over,
    is_carried_over,
    is_let_in,
    keyed_before,
    read_of,
    report_admitted,
    usual,
)
from batch_conformance.contract import current_contract
from batch_conformance.contract.statuses import (
    either_status,
    refusals,
    undocumented_refusals,
)
from batch_conformance.http import Exchange
from batch_conformance.http.key_values import key_values
from batch_conformance.http.sensitive import TELLING

_INVALID = FIRST_BLAMED["invalid"]
#: Probes that show whether a request is admitted for its own key or because of an earlier valid one.
_CARRY_OVER_PROBES = ("invalid-keys", "before-first-auth", "auth-per-request", "id-enumeration")
#: Statuses with which the HTTP layer may refuse a hostile key.
_HTTP_LAYER = frozenset({400, 413, 414, 431})


def _expect_refusal(
    exchanges: Iterable[Exchange],
    record: Record,
    result: CheckResult,
    *,
    aside: Mapping[str, Collection[int | None]] | None = None,
    also: Collection[int | None] = (),
) -> None:
    """Report each exchange whose status is neither a refusal nor in ``also``.

    ``aside`` maps a clause to the statuses that it reports already. Requests admitted because of an earlier
    valid key are reported by server.auth.every-request.
    """
    carried, proper = carried_over(record), refusals(record.operation)
    for exchange in exchanges:
        clause = next((clause for clause, statuses in (aside or {}).items() if exchange.status in statuses), "")
        # Where every request is admitted, a refusal by the HTTP layer says nothing about keys.
        if not clause and exchange.status in also:
            clause = next((clause for clause, statuses in (aside or {}).items() if 200 in statuses), "")
        if is_carried_over(exchange, record, carried):
            result.set_aside(EVERY_REQUEST)
        elif clause:
            result.set_aside(clause)
        elif exchange.status in undocumented_refusals(record.operation):
            result.set_aside("server.error.documented-status")
        else:
            result.observe()
            if exchange.status not in proper and exchange.status not in also:
                result.fail(
                    exchange,
                    read_of(exchange),
                    code=admission(exchange),
                    expected=either_status(proper),
                    actual=exchange.outcome(),
                )


def _expect_refusal_of_kind(record: Record, result: CheckResult, kind: str, *probes: str) -> None:
    """Report admitted requests with a kind of key, unless only an earlier valid key can explain them.

    A server that refuses such requests before any valid key was used, and admits them after, remembers keys:
    server.auth.every-request reports that.
    """
    requests = [
        exchange
        for exchange in record.of("before-first-auth", *probes)
        if exchange.intent.key_kind == kind and exchange.intent.id_kind == "known"
    ]
    before_first_auth = [exchange for exchange in requests if exchange.intent.probe == "before-first-auth"]
    later = [exchange for exchange in requests if exchange.intent.probe != "before-first-auth"]
    refused = any(exchange.status in refusals(record.operation) for exchange in later)
    if before_first_auth and later and all_refused(before_first_auth) and not refused:
        result.observe(len(before_first_auth))
        result.set_aside(EVERY_REQUEST, len(later))
        return
    _expect_refusal(requests, record, result)


@SERVER_CHECKS.check("server.auth.missing-key", needs=["unauthenticated", *_CARRY_OVER_PROBES])
def missing_key(record: Record, result: CheckResult) -> None:
    """Check that requests without a key are refused, with HEAD and odd spellings of the path, too."""
    _expect_refusal_of_kind(record, result, "missing", "missing-key", "id-enumeration")
    report_admitted(record, result)


@SERVER_CHECKS.check("server.auth.empty-key", needs=["unauthenticated", *_CARRY_OVER_PROBES])
def empty_key(record: Record, result: CheckResult) -> None:
    """Check that an empty key is refused."""
    _expect_refusal_of_kind(record, result, "empty", "empty-key", "id-enumeration")


@SERVER_CHECKS.check("server.auth.invalid-key", needs=["generated-keys", "hostile-keys", *_CARRY_OVER_PROBES])
def invalid_key(record: Record, result: CheckResult) -> None:
    """Check that an unknown key is refused."""
    probes = ("invalid-keys", "id-enumeration", "generated-keys", "hostile-keys")
    _expect_refusal_of_kind(record, result, "invalid", *probes)


def _statuses_of_near_keys(record: Record) -> frozenset[int | None]:
    """Return the statuses, other than refusals, that near keys get."""
    return frozenset(exchange.status for exchange in record.of("near-keys")) - refusals(record.operation)


@SERVER_CHECKS.check("server.auth.near-key", needs=["near-keys", *_CARRY_OVER_PROBES])
def near_key(record: Record, result: CheckResult) -> None:
    """Check that a variant of the valid key is refused."""
    _expect_refusal(record.of("near-keys"), record, result, aside={_INVALID: usual(record, "invalid")})


@SERVER_CHECKS.check(
    "server.auth.hostile-key", needs=["hostile-keys", "generated-keys", "near-keys", *_CARRY_OVER_PROBES]
)
def hostile_key(record: Record, result: CheckResult) -> None:
    """Check that a hostile key is refused; the HTTP layer may do so before the API does."""
    hostile = [
        exchange for exchange in record.of("hostile-keys", "generated-keys") if exchange.intent.key_kind == "hostile"
    ]
    # A key that contains the valid one is a near key in the first place.
    extended = [exchange for exchange in hostile if _holds_valid(record, exchange)]
    others = [exchange for exchange in hostile if exchange not in extended]
    aside = {_INVALID: usual(record, "invalid") - _HTTP_LAYER}
    _expect_refusal(others, record, result, aside=aside, also=_HTTP_LAYER)
    aside["server.auth.near-key"] = _statuses_of_near_keys(record) - _HTTP_LAYER
    _expect_refusal(extended, record, result, aside=aside, also=_HTTP_LAYER)


def _holds_valid(record: Record, exchange: Exchange) -> bool:
    sent = key_values(exchange.request, current_contract().operation(record.operation).key)
    return bool(record.secrets) and any(record.secrets[0] in value for value in sent)


@SERVER_CHECKS.check("server.auth.wrong-place", needs=["wrong-place", "unauthenticated", *_CARRY_OVER_PROBES])
def wrong_place(record: Record, result: CheckResult) -> None:
    """Check that the valid key is refused in any other place than the documented one."""
    # Requests with the key in a single place first: they are the better evidence.
    requests = sorted(record.of("wrong-place"), key=lambda exchange: exchange.intent.places)
    _expect_refusal(requests, record, result, aside={FIRST_BLAMED["missing"]: usual(record, "missing")})


@SERVER_CHECKS.check("server.auth.header-name-case", needs=["header-case", "reads"])
def header_name_case(record: Record, result: CheckResult) -> None:
    """Check that the case of the key header's name does not matter.

    Statuses that ordinary reads get as well are left to server.ok.status.
    """
    usual_statuses = {exchange.status for exchange in record.reads} - {200, 401, 403} - refusals(record.operation)
    for exchange in record.of("header-case"):
        if exchange.status in usual_statuses:
            result.set_aside("server.ok.status")
            continue
        result.observe()
        if exchange.status != 200:
            result.fail(
                exchange,
                exchange.intent.label,
                code="refused",
                expected="200, as under any spelling",
                actual=exchange.outcome(),
            )


@SERVER_CHECKS.check("server.auth.before-lookup", needs=["id-enumeration", "conditional", "reads", *_CARRY_OVER_PROBES])
def before_lookup(record: Record, result: CheckResult) -> None:
    """Check that known and unknown ids get the same refusal."""
    carried_by, noisy = carried_over(record), noise(record.of("id-enumeration"))
    for kind in FIRST_BLAMED:
        rows = [
            exchange
            for exchange in record.of("id-enumeration")
            if exchange.intent.key_kind == kind and not is_form_check(exchange, record)
        ]
        known, unknown = known_and_unknown(rows)
        if not known or not unknown:
            continue
        if any((exchange.status or 0) < 400 for exchange in known):
            # Admitted requests are reported by other clauses.
            carried = any(is_carried_over(exchange, record, carried_by) for exchange in known)
            result.set_aside(EVERY_REQUEST if carried else FIRST_BLAMED[kind], len(rows))
            continue
        result.observe(len(rows))
        for name, ours, theirs in distinguishing_features(known, unknown, noisy):
            result.fail(
                unknown[0],
                f"with {known[0].intent.label}, {name} tells a known id from an unknown one",
                code="disclosed",
                expected=f"the same for both: {ours} for a known id",
                actual=f"{theirs} for an unknown id",
                prelude=known[:1],
            )
    _compare_conditional(record, result, carried_by, noisy)
    if not result.observations:
        result.note("no refusal of a known id to compare with")


def _compare_conditional(record: Record, result: CheckResult, carried_by: Carried, noisy: Collection[Feature]) -> None:
    """Compare what HEAD and conditional requests get for known and for unknown ids."""
    alike: dict[tuple[str, tuple[tuple[str, str], ...]], list[Exchange]] = {}
    for exchange in record.of("conditional"):
        alike.setdefault((exchange.request.method, exchange.request.headers), []).append(exchange)
    let_in_anyway = any((status or 0) < 400 for status in usual(record, "missing"))
    for rows in alike.values():
        carried = any(is_carried_over(exchange, record, carried_by) for exchange in rows)
        if carried or let_in_anyway:
            result.set_aside(EVERY_REQUEST if carried else FIRST_BLAMED["missing"], len(rows))
            continue
        if all(exchange.status is None for exchange in rows):
            result.limit(f"no answer came to {rows[0].intent.label}")
            continue
        known, unknown = known_and_unknown(rows)
        result.observe(len(rows))
        for name, ours, theirs in distinguishing_features(known, unknown, noisy) if known and unknown else ():
            result.fail(
                known[0],
                f"with {known[0].intent.label}, {name} tells a known id from an unknown one",
                code="disclosed",
                expected=f"the same for both: {theirs} for an unknown id",
                actual=f"{ours} for a known id",
                prelude=unknown[:1],
            )


@SERVER_CHECKS.check(
    EVERY_REQUEST,
    needs=[
        "before-first-auth",
        "auth-per-request",
        "unauthenticated",
        "keyless-on-authed-connection",
        "id-enumeration",
        "burst",
    ],
)
def auth_per_request(record: Record, result: CheckResult) -> None:
    """Check that a request that is refused alone is also refused after, and beside, one with a valid key."""
    carried = carried_over(record)
    _expect_refusal_in_burst(record, result)
    for kind in ("missing", "empty", "invalid"):
        requests = [exchange for exchange in record.of("auth-per-request") if exchange.intent.key_kind == kind]
        if not requests:
            result.limit(f"{_KEY_WORDS[kind]} was not tried after a valid one")
            continue
        alone = [
            exchange
            for exchange in record.of("before-first-auth", "missing-key", "empty-key", "invalid-keys")
            if exchange.intent.key_kind == kind
        ]
        first = [exchange for exchange in alone if exchange.intent.probe == "before-first-auth"] or alone[:1]
        if carried != "cache" and any((exchange.status or 0) < 400 for exchange in first):
            result.set_aside(FIRST_BLAMED[kind], len(requests))
            continue
        # Any 4xx is a refusal here, and a 5xx that is usual: the clause for the kind of key reports it.
        proper = {*range(400, 500), *(status for status in usual(record, kind) if (status or 0) >= 500)}
        for exchange in requests:
            result.observe()
            if exchange.status not in proper:
                _report_memory(exchange, record, result, carried)


def _expect_refusal_in_burst(record: Record, result: CheckResult) -> None:
    """Report requests with an unknown key that are admitted while others with the valid key are under way."""
    admitted_alone = any(map(is_let_in, record.of("invalid-keys")))
    for exchange in record.of("burst-unknown-key"):
        if exchange.status is None:
            continue
        if is_let_in(exchange) and admitted_alone:
            result.set_aside(_INVALID)
            continue
        result.observe()
        # Other clauses check which error it is.
        if is_let_in(exchange):
            result.fail(
                exchange,
                exchange.intent.label,
                code=admission(exchange),
                expected=either_status(refusals(record.operation)),
                actual=exchange.outcome(),
                prelude=record.good[-1:],
            )


_KEY_WORDS = {"missing": "no key", "empty": "an empty key", "invalid": "an unknown key"}
_CARRIED_WORDS = {
    "": "",
    "caller": ": this server remembers who came with a valid key",
    "cache": ": what the valid key was given is handed to whoever asks for the same URL, as by a cache in front "
    "that leaves the key out of account",
}


def _report_memory(exchange: Exchange, record: Record, result: CheckResult, carried: Carried) -> None:
    cached = carried == "cache" and is_carried_over(exchange, record, carried)
    label = exchange.intent.label
    if carried == "caller" or cached:
        # The connection plays no part then.
        label = f"{_KEY_WORDS[exchange.intent.key_kind]}, after a read with the valid key{_CARRIED_WORDS[carried]}"
    result.fail(
        exchange,
        label,
        code=admission(exchange),
        expected=either_status(refusals(record.operation)),
        actual=exchange.outcome(),
        prelude=keyed_before(exchange, record, same_url=cached),
    )


@SERVER_CHECKS.check("server.auth.revoked-key", needs=["revoked-key", *_CARRY_OVER_PROBES])
def revoked_key(record: Record, result: CheckResult) -> None:
    """Check that a revoked key is refused."""
    requests = record.of("revoked-key")
    _expect_refusal(requests, record, result, aside={_INVALID: usual(record, "invalid")})
    if not requests:
        result.note("no revoked key was given (--batch-revoked-key-env)")


@SERVER_CHECKS.check(
    "server.auth.no-disclosure",
    needs=["unauthenticated", "invalid-keys", "near-keys", "wrong-place", "id-enumeration"],
)
def no_disclosure(record: Record, result: CheckResult) -> None:
    """Check that refusals hold neither data of a batch nor a key."""
    known = {value for _, batch in record.batches for value in telling_values(batch, record.operation)}
    proper = refusals(record.operation)
    place = current_contract().operation(record.operation).key
    for exchange in record.answered:
        if exchange.status not in proper or exchange.response is None:
            continue
        result.observe()
        text = exchange.response.body.decode("utf-8", "surrogateescape")
        if exchange.response.json.ok:
            # Search the decoded text as well, since escapes hide values.
            text += "\n" + json.dumps(exchange.response.json.value, ensure_ascii=False)
        names = sorted(set(telling_names(exchange.response.json.value, record.operation)))
        body = f"the body of a {exchange.status} holds"
        if names:
            result.fail(
                exchange, f"{body} fields of a batch", code="disclosed", expected="none", actual=", ".join(names)
            )
        elif any(value in text for value in known):
            result.fail(exchange, f"{body} values of a batch", code="disclosed", expected="none", actual=text[:200])
        if "?" in exchange.request.url and (
            exchange.intent.probe == "wrong-place" or (place is not None and place.place == "query")
        ):
            continue  # many servers repeat the URL, here with the key in it, in an error
        sent = key_values(exchange.request, place)
        if any(len(secret) >= TELLING and secret in text for secret in (*record.secrets[:1], *sent)):
            result.fail(exchange, f"{body} a key", code="leaked", expected="no key", actual=text[:200])
    if not result.observations:
        result.note(f"no {either_status(proper)} was seen")


@SERVER_CHECKS.check("server.auth.challenge", needs=["unauthenticated", "invalid-keys"])
def challenge(record: Record, result: CheckResult) -> None:
    """Check that a 401 has a WWW-Authenticate header."""
    for exchange in record.answered:
        if exchange.status == 401 and exchange.response is not None:
            result.observe()
            if not any(value.strip() for value in exchange.response.header_values("www-authenticate")):
                result.fail(
                    exchange,
                    "a 401 without a challenge",
                    code="header",
                    expected="a WWW-Authenticate header",
                    actual="none",
                )
    if not result.observations:
        result.note("no 401 was seen")
