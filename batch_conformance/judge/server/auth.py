"""Clauses ``server.auth.*``: who may read, and what strangers learn."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from batch_conformance.contract.load import COUNTS, STATUSES
from batch_conformance.exchange import Exchange
from batch_conformance.judge.finding import Judgement
from batch_conformance.judge.server.likeness import differences
from batch_conformance.judge.server.record import SERVER_BENCH, Record

#: Shorter values turn up in any text by chance.
_TELLING = 8


def _refused(
    exchanges: Iterable[Exchange], judgement: Judgement, also: frozenset[int | None] = frozenset()
) -> None:
    for exchange in exchanges:
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
    if cold and warm and _all_refused(cold) and not any(exchange.status == 401 for exchange in warm):
        judgement.look(len(cold))
        judgement.remark("refused only until a valid key was used: see server.auth.every-request")
        return
    _refused(asked, judgement)


def _remembers(record: Record, judgement: Judgement) -> bool:
    """Whether the server lets strangers in just because a valid key came from here before; nothing else then shows."""
    unkeyed = [
        exchange for exchange in record.of("cold", "every-request") if exchange.intent.key_kind == "missing"
    ]
    cold = [exchange for exchange in unkeyed if exchange.intent.probe == "cold"]
    fresh = [exchange for exchange in unkeyed if exchange.intent.probe != "cold" and not exchange.reused]
    if cold and fresh and _all_refused(cold) and all(exchange.status == 200 for exchange in fresh):
        judgement.remark("this server remembers who came with a valid key: see server.auth.every-request")
        return True
    return False


def _all_refused(exchanges: Iterable[Exchange]) -> bool:
    return all(exchange.status == 401 for exchange in exchanges)


@SERVER_BENCH.judges_clause("server.auth.missing-key", needs=["cold", "unauthenticated", "lookup"])
def missing_key(record: Record, judgement: Judgement) -> None:
    """No key."""
    _unkeyed(record, judgement, "missing", "missing-key", "lookup")


@SERVER_BENCH.judges_clause("server.auth.empty-key", needs=["cold", "unauthenticated", "lookup"])
def empty_key(record: Record, judgement: Judgement) -> None:
    """An empty key."""
    _unkeyed(record, judgement, "empty", "empty-key", "lookup")


@SERVER_BENCH.judges_clause(
    "server.auth.invalid-key", needs=["cold", "invalid-keys", "lookup", "generated-keys", "hostile-keys"]
)
def invalid_key(record: Record, judgement: Judgement) -> None:
    """An unknown key."""
    _unkeyed(record, judgement, "invalid", "invalid-keys", "lookup", "generated-keys", "hostile-keys")


def _usual(record: Record, kind: str) -> frozenset[int | None]:
    """What plain requests of a kind get in place of a 401: those clauses have the blame for it already."""
    plain = record.of("missing-key", "invalid-keys", "cold")
    return frozenset(exchange.status for exchange in plain if exchange.intent.key_kind == kind) - {401}


def _near_misses(record: Record) -> frozenset[int | None]:
    """What keys near the valid one get in place of a 401."""
    return frozenset(exchange.status for exchange in record.of("near-keys")) - {401}


@SERVER_BENCH.judges_clause(
    "server.auth.near-key", needs=["near-keys", "invalid-keys", "cold", "every-request"]
)
def near_key(record: Record, judgement: Judgement) -> None:
    """A key one fault away from the valid one."""
    if not _remembers(record, judgement):
        _refused(record.of("near-keys"), judgement, also=_usual(record, "invalid"))


@SERVER_BENCH.judges_clause(
    "server.auth.hostile-key",
    needs=["hostile-keys", "generated-keys", "invalid-keys", "near-keys", "cold", "every-request"],
)
def hostile_key(record: Record, judgement: Judgement) -> None:
    """A key that trips parsers; the HTTP layer may refuse it before the API does."""
    if not _remembers(record, judgement):
        hostile = [
            exchange
            for exchange in record.of("hostile-keys", "generated-keys")
            if exchange.intent.key_kind == "hostile"
        ]
        below = frozenset({400, 431})
        usual = below | _usual(record, "invalid")
        # The valid key and more of it is first of all a near miss.
        more = [exchange for exchange in hostile if _holds_valid(record, exchange)]
        _refused([exchange for exchange in hostile if exchange not in more], judgement, also=usual)
        _refused(more, judgement, also=usual | _near_misses(record))


def _holds_valid(record: Record, exchange: Exchange) -> bool:
    sent = exchange.request.header_values("x-api-key")
    return bool(record.secrets) and any(record.secrets[0] in value for value in sent)


@SERVER_BENCH.judges_clause(
    "server.auth.wrong-place", needs=["wrong-place", "unauthenticated", "cold", "every-request"]
)
def wrong_place(record: Record, judgement: Judgement) -> None:
    """The valid key, elsewhere."""
    if not _remembers(record, judgement):
        # The request that names a single place is the better proof.
        _refused(sorted(record.of("wrong-place"), key=lambda exchange: exchange.intent.label.count(",")), judgement,
                 also=_usual(record, "missing"))  # fmt: skip


@SERVER_BENCH.judges_clause("server.auth.header-name-case", needs=["header-case", "reads"])
def header_name_case(record: Record, judgement: Judgement) -> None:
    """The valid key under another spelling of the header's name; what ordinary reads suffer too is not the name's."""
    usual = {exchange.status for exchange in record.reads} - {401, 403}
    for exchange in record.of("header-case"):
        judgement.look()
        if exchange.status != 200 and exchange.status not in usual:
            judgement.blame(
                exchange,
                exchange.intent.label,
                expected="200, as under any spelling",
                actual=exchange.outcome(),
            )


@SERVER_BENCH.judges_clause("server.auth.before-lookup", needs=["lookup"])
def before_lookup(record: Record, judgement: Judgement) -> None:
    """Known and unknown ids get the same refusal."""
    for kind in ("missing", "invalid", "empty", "near"):
        rows = [exchange for exchange in record.of("lookup") if exchange.intent.key_kind == kind]
        known = [exchange for exchange in rows if exchange.intent.id_kind == "known"]
        unknown = [exchange for exchange in rows if exchange.intent.id_kind == "unknown"]
        # What lets strangers in altogether is another clause's matter.
        if not known or not unknown or any((exchange.status or 0) < 400 for exchange in known):
            continue
        judgement.look(len(rows))
        for name, ours, theirs in differences(known, unknown):
            judgement.blame(
                unknown[0],
                f"with {known[0].intent.label.partition(',')[0]}, {name} tells a known id from an unknown one",
                expected=f"the same for both: {ours} for a known id",
                actual=f"{theirs} for an unknown id",
            )
    if not judgement.looked_at:
        judgement.remark("no refusal of a known id to compare with")


@SERVER_BENCH.judges_clause(
    "server.auth.every-request", needs=["cold", "every-request", "unauthenticated", "after-all"]
)
def every_request(record: Record, judgement: Judgement) -> None:
    """What is refused on its own is refused after a valid key, too."""
    for kind in ("missing", "empty", "invalid"):
        base = [
            exchange
            for exchange in record.of("cold", "missing-key", "empty-key", "invalid-keys")
            if exchange.intent.key_kind == kind
        ]
        cold = [exchange for exchange in base if exchange.intent.probe == "cold"]
        if not _all_refused(cold or base[:1]):
            judgement.remark(f"a request with {base[0].intent.label} is not refused to begin with")
            continue
        # Another refusal than 401 is one all the same, and has been blamed where it comes first.
        usual = _usual(record, kind)
        for exchange in record.of("every-request"):
            if exchange.intent.key_kind != kind:
                continue
            judgement.look()
            if exchange.status != 401 and exchange.status not in usual:
                judgement.blame(exchange, exchange.intent.label, expected="401", actual=exchange.outcome())


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


@SERVER_BENCH.judges_clause(
    "server.auth.revoked-key", needs=["revoked-key", "invalid-keys", "cold", "every-request"]
)
def revoked_key(record: Record, judgement: Judgement) -> None:
    """A key that was valid once is no key any more."""
    if not _remembers(record, judgement):
        _refused(record.of("revoked-key"), judgement, also=_usual(record, "invalid"))
    if not judgement.looked_at and not judgement.note:
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
