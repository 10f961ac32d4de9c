"""Clauses ``server.auth.*``: who may read, and what strangers learn."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from batch_conformance.contract.load import COUNTS, STATUSES
from batch_conformance.exchange import Exchange
from batch_conformance.judge.finding import Judgement
from batch_conformance.judge.server.likeness import differences
from batch_conformance.judge.server.record import SERVER_BENCH, Record, is_form_check
from batch_conformance.judge.server.strangers import (
    EVERY_REQUEST,
    FIRST_BLAMED,
    Carried,
    all_refused,
    carried_over,
    is_carried_over,
    keyed_before,
    usual,
)

_INVALID = FIRST_BLAMED["invalid"]
#: What shows whether a stranger is let in by his own key or by an earlier valid one.
_AFTERWARDS = ("invalid-keys", "cold", "every-request", "lookup")
#: Shorter values turn up in any text by chance.
_TELLING = 8


_HTTP_LAYER = frozenset({400, 431})


def _refused(
    exchanges: Iterable[Exchange],
    record: Record,
    judgement: Judgement,
    *,
    aside: Mapping[str, Collection[int | None]] | None = None,
    also: Collection[int | None] = (),
) -> None:
    """Blame each exchange that is not a 401, nor one of the statuses in ``also``.

    ``aside`` maps a clause to the statuses that it answers for. What strangers owe to an earlier valid key is
    server.auth.every-request's matter.
    """
    how = carried_over(record)
    for exchange in exchanges:
        account = next(
            (clause for clause, statuses in (aside or {}).items() if exchange.status in statuses), ""
        )
        # Where everybody is let in, what the HTTP layer refuses says nothing of keys.
        if not account and exchange.status in also:
            account = next((clause for clause, statuses in (aside or {}).items() if 200 in statuses), "")
        if is_carried_over(exchange, record, how):
            judgement.set_aside(EVERY_REQUEST)
        elif account:
            judgement.set_aside(account)
        else:
            judgement.look()
            if exchange.status != 401 and exchange.status not in also:
                judgement.blame(
                    exchange,
                    f"a read of a known batch with {exchange.intent.label}",
                    expected="401",
                    actual=exchange.outcome(),
                )


def _unkeyed(record: Record, judgement: Judgement, kind: str, *probes: str) -> None:
    """Blame what a stranger's key opened, unless only an earlier valid key can explain it.

    A server that refuses before any valid key was used and admits everyone after remembers keys: that is
    server.auth.every-request, not this.
    """
    asked = [
        exchange
        for exchange in record.of("cold", *probes)
        if exchange.intent.key_kind == kind and exchange.intent.id_kind == "known"
    ]
    cold = [exchange for exchange in asked if exchange.intent.probe == "cold"]
    warm = [exchange for exchange in asked if exchange.intent.probe != "cold"]
    if cold and warm and all_refused(cold) and not any(exchange.status == 401 for exchange in warm):
        judgement.look(len(cold))
        judgement.set_aside(EVERY_REQUEST, len(warm))
        return
    _refused(asked, record, judgement)


@SERVER_BENCH.judges_clause("server.auth.missing-key", needs=["unauthenticated", *_AFTERWARDS])
def missing_key(record: Record, judgement: Judgement) -> None:
    """No key."""
    _unkeyed(record, judgement, "missing", "missing-key", "lookup")


@SERVER_BENCH.judges_clause("server.auth.empty-key", needs=["unauthenticated", *_AFTERWARDS])
def empty_key(record: Record, judgement: Judgement) -> None:
    """An empty key."""
    _unkeyed(record, judgement, "empty", "empty-key", "lookup")


@SERVER_BENCH.judges_clause("server.auth.invalid-key", needs=["generated-keys", "hostile-keys", *_AFTERWARDS])
def invalid_key(record: Record, judgement: Judgement) -> None:
    """An unknown key."""
    _unkeyed(record, judgement, "invalid", "invalid-keys", "lookup", "generated-keys", "hostile-keys")


def _near_misses(record: Record) -> frozenset[int | None]:
    """What keys near the valid one get in place of a 401."""
    return frozenset(exchange.status for exchange in record.of("near-keys")) - {401}


@SERVER_BENCH.judges_clause("server.auth.near-key", needs=["near-keys", *_AFTERWARDS])
def near_key(record: Record, judgement: Judgement) -> None:
    """A key one fault away from the valid one."""
    _refused(record.of("near-keys"), record, judgement, aside={_INVALID: usual(record, "invalid")})


@SERVER_BENCH.judges_clause(
    "server.auth.hostile-key", needs=["hostile-keys", "generated-keys", "near-keys", *_AFTERWARDS]
)
def hostile_key(record: Record, judgement: Judgement) -> None:
    """A key that trips parsers; the HTTP layer may refuse it before the API does."""
    hostile = [
        exchange
        for exchange in record.of("hostile-keys", "generated-keys")
        if exchange.intent.key_kind == "hostile"
    ]
    # The valid key and more of it is first of all a near miss.
    more = [exchange for exchange in hostile if _holds_valid(record, exchange)]
    others = [exchange for exchange in hostile if exchange not in more]
    aside = {_INVALID: usual(record, "invalid") - _HTTP_LAYER}
    _refused(others, record, judgement, aside=aside, also=_HTTP_LAYER)
    aside["server.auth.near-key"] = _near_misses(record) - _HTTP_LAYER
    _refused(more, record, judgement, aside=aside, also=_HTTP_LAYER)


def _holds_valid(record: Record, exchange: Exchange) -> bool:
    sent = exchange.request.header_values("x-api-key")
    return bool(record.secrets) and any(record.secrets[0] in value for value in sent)


@SERVER_BENCH.judges_clause("server.auth.wrong-place", needs=["wrong-place", "unauthenticated", *_AFTERWARDS])
def wrong_place(record: Record, judgement: Judgement) -> None:
    """The valid key, elsewhere."""
    # The request that names a single place is the better proof.
    asked = sorted(record.of("wrong-place"), key=lambda exchange: exchange.intent.label.count(","))
    _refused(asked, record, judgement, aside={FIRST_BLAMED["missing"]: usual(record, "missing")})


@SERVER_BENCH.judges_clause("server.auth.header-name-case", needs=["header-case", "reads"])
def header_name_case(record: Record, judgement: Judgement) -> None:
    """The valid key under another spelling of the header's name; what ordinary reads suffer too is not the name's."""
    as_ever = {exchange.status for exchange in record.reads} - {200, 401, 403}
    for exchange in record.of("header-case"):
        if exchange.status in as_ever:
            judgement.set_aside("server.ok.status")
            continue
        judgement.look()
        if exchange.status != 200:
            judgement.blame(
                exchange,
                exchange.intent.label,
                expected="200, as under any spelling",
                actual=exchange.outcome(),
            )


@SERVER_BENCH.judges_clause(
    "server.auth.before-lookup", needs=["lookup", "conditional", "reads", *_AFTERWARDS]
)
def before_lookup(record: Record, judgement: Judgement) -> None:
    """Known and unknown ids get the same refusal."""
    how = carried_over(record)
    for kind in FIRST_BLAMED:
        rows = [
            exchange
            for exchange in record.of("lookup")
            if exchange.intent.key_kind == kind and not is_form_check(exchange, record)
        ]
        known = [exchange for exchange in rows if exchange.intent.id_kind == "known"]
        unknown = [exchange for exchange in rows if exchange.intent.id_kind == "unknown"]
        if not known or not unknown:
            continue
        if any((exchange.status or 0) < 400 for exchange in known):
            # What lets strangers in altogether is another clause's matter.
            carried = any(is_carried_over(exchange, record, how) for exchange in known)
            judgement.set_aside(EVERY_REQUEST if carried else FIRST_BLAMED[kind], len(rows))
            continue
        judgement.look(len(rows))
        for name, ours, theirs in differences(known, unknown):
            judgement.blame(
                unknown[0],
                f"with {known[0].intent.label.partition(',')[0]}, {name} tells a known id from an unknown one",
                expected=f"the same for both: {ours} for a known id",
                actual=f"{theirs} for an unknown id",
                prelude=known[:1],
            )
    _conditions(record, judgement, how)
    if not judgement.looked_at:
        judgement.remark("no refusal of a known id to compare with")


def _conditions(record: Record, judgement: Judgement, how: Carried) -> None:
    """HEAD, and GET under a condition: the status alone tells enough."""
    asked: dict[str, list[Exchange]] = {}
    for exchange in record.of("conditional"):
        asked.setdefault(exchange.intent.label, []).append(exchange)
    open_to_all = any((status or 0) < 400 for status in usual(record, "missing"))
    for label, rows in asked.items():
        carried = any(is_carried_over(exchange, record, how) for exchange in rows)
        if carried or open_to_all:
            judgement.set_aside(EVERY_REQUEST if carried else FIRST_BLAMED["missing"], len(rows))
            continue
        known = [exchange for exchange in rows if exchange.intent.id_kind == "known"]
        unknown = [exchange for exchange in rows if exchange.intent.id_kind == "unknown"]
        judgement.look(len(rows))
        ours, theirs = ({exchange.status for exchange in group} for group in (known, unknown))
        # An answer that both get at times is chance.
        if known and unknown and ours.isdisjoint(theirs):
            judgement.blame(
                known[0],
                f"with {label}, the status tells a known id from an unknown one",
                expected=f"the same for both: {unknown[0].outcome()} for an unknown id",
                actual=f"{known[0].outcome()} for a known id",
                prelude=unknown[:1],
            )


@SERVER_BENCH.judges_clause(
    EVERY_REQUEST, needs=["cold", "every-request", "unauthenticated", "after-all", "lookup"]
)
def every_request(record: Record, judgement: Judgement) -> None:
    """What is refused on its own is refused after a valid key, too."""
    how = carried_over(record)
    for kind in ("missing", "empty", "invalid"):
        asked = [exchange for exchange in record.of("every-request") if exchange.intent.key_kind == kind]
        if not asked:
            judgement.limit(f"{_KINDS[kind]} was not tried after a valid one")
            continue
        base = [
            exchange
            for exchange in record.of("cold", "missing-key", "empty-key", "invalid-keys")
            if exchange.intent.key_kind == kind
        ]
        first = [exchange for exchange in base if exchange.intent.probe == "cold"] or base[:1]
        if how != "cache" and any((exchange.status or 0) < 400 for exchange in first):
            judgement.set_aside(FIRST_BLAMED[kind], len(asked))
            continue
        # Another refusal than 401 is one all the same, and has been blamed where it comes first.
        refusals = {401, *(status for status in usual(record, kind) if (status or 0) >= 400)}
        for exchange in asked:
            judgement.look()
            if exchange.status not in refusals:
                _blame_memory(exchange, record, judgement, how)


_KINDS = {"missing": "no key", "empty": "an empty key", "invalid": "an unknown key"}
_HOW = {
    "": "",
    "caller": ": this server remembers who came with a valid key",
    "cache": ": what the valid key was given is handed to whoever asks for the same URL, as by a cache in front "
    "that leaves the key out of account",
}


def _blame_memory(exchange: Exchange, record: Record, judgement: Judgement, how: Carried) -> None:
    cached = how == "cache" and is_carried_over(exchange, record, how)
    label = exchange.intent.label
    if how == "caller" or cached:
        # The connection has no part in it, then.
        label = f"{_KINDS[exchange.intent.key_kind]}, after a read with the valid key{_HOW[how]}"
    judgement.blame(
        exchange,
        label,
        expected="401",
        actual=exchange.outcome(),
        prelude=keyed_before(exchange, record, same_url=cached),
    )


@SERVER_BENCH.judges_clause("server.auth.other-org", needs=["other-org"])
def other_org(record: Record, judgement: Judgement) -> None:
    """Another organisation's batch is as good as none."""
    for exchange in record.of("other-org"):
        judgement.look()
        if exchange.status != 404:
            judgement.blame(
                exchange, f"a read with {exchange.intent.label}", expected="404", actual=exchange.outcome()
            )
    if not judgement.looked_at:
        judgement.remark("no second organisation's key was given (--batch-other-key-env)")


@SERVER_BENCH.judges_clause("server.auth.revoked-key", needs=["revoked-key", *_AFTERWARDS])
def revoked_key(record: Record, judgement: Judgement) -> None:
    """A key that was valid once is no key any more."""
    asked = record.of("revoked-key")
    _refused(asked, record, judgement, aside={_INVALID: usual(record, "invalid")})
    if not asked:
        judgement.remark("no revoked key was given (--batch-revoked-key-env)")


@SERVER_BENCH.judges_clause(
    "server.auth.no-disclosure",
    needs=["unauthenticated", "invalid-keys", "near-keys", "wrong-place", "lookup"],
)
def no_disclosure(record: Record, judgement: Judgement) -> None:
    """A 401 gives away neither batch nor key."""
    known = {
        value
        for _, batch in record.batches
        for value in (batch.get("created_at"), batch.get("outputUrl"), batch.get("webhookUrl"))
        if isinstance(value, str) and len(value) >= _TELLING
    }
    for exchange in record.answered:
        if exchange.status != 401 or exchange.response is None:
            continue
        judgement.look()
        text = exchange.response.body.decode("utf-8", "surrogateescape")
        if exchange.response.json.ok:
            # As a reader of the JSON sees it, too: escapes hide nothing.
            text += "\n" + json.dumps(exchange.response.json.value, ensure_ascii=False)
        names = sorted(set(_batch_members(exchange.response.json.value)))
        if names:
            judgement.blame(
                exchange,
                "the body of a 401 holds fields of a batch",
                expected="none",
                actual=", ".join(names),
            )
        elif any(value in text for value in known):
            judgement.blame(
                exchange, "the body of a 401 holds values of a batch", expected="none", actual=text[:200]
            )
        if exchange.intent.probe == "wrong-place" and "?" in exchange.request.url:
            continue  # the key stands in the very path that many servers repeat in an error
        sent = exchange.request.header_values("x-api-key")
        told = [
            secret for secret in (*record.secrets[:1], *sent) if len(secret) >= _TELLING and secret in text
        ]
        if told:
            judgement.blame(exchange, "the body of a 401 holds a key", expected="no key", actual=text[:200])
    if not judgement.looked_at:
        judgement.remark("no 401 was seen")


def _batch_members(value: Any) -> Iterable[str]:
    """Names of a batch's members anywhere in a JSON value; ``status`` only with a batch's status in it."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if name in ("created_at", "metrics", "outputUrl", "webhookUrl", *COUNTS) or (
                name == "status" and item in STATUSES
            ):
                yield name
            yield from _batch_members(item)
    elif isinstance(value, list):
        for item in value:
            yield from _batch_members(item)


@SERVER_BENCH.judges_clause("server.auth.challenge", needs=["unauthenticated", "invalid-keys"])
def challenge(record: Record, judgement: Judgement) -> None:
    """A 401 names its challenge."""
    for exchange in record.answered:
        if exchange.status == 401 and exchange.response is not None:
            judgement.look()
            if not any(value.strip() for value in exchange.response.header_values("www-authenticate")):
                judgement.blame(
                    exchange, "a 401 without a challenge", expected="a WWW-Authenticate header", actual="none"
                )
    if not judgement.looked_at:
        judgement.remark("no 401 was seen")
