"""The clauses that recordings can exercise, and the facts that each needs."""

from __future__ import annotations

from collections.abc import Mapping

from batch_conformance.contract import current_contract
from batch_conformance.contract.clause_list import HEADER, RULE, known_rules
from batch_conformance.recorded.recording import Fact

#: The reason why other clauses are not exercised.
LIVE = "needs requests sent for the purpose, which no recording holds: judge the server itself with suites/server"

_BODY: frozenset[Fact] = frozenset({"body"})
_ORDERED: frozenset[Fact] = frozenset({"order", "body"})
#: Facts needed by the clauses with these prefixes, which depend on the contract in use.
_THEMES: Mapping[str, frozenset[Fact]] = {
    "server.body.": _BODY,
    HEADER: frozenset({"status", "headers"}),
    "server.poll.": _ORDERED,
}
_SINGLE: Mapping[str, frozenset[Fact]] = {
    "server.ok.status": frozenset({"status", "target"}),
    "server.ok.media-type": frozenset({"headers"}),
    "server.ok.json": frozenset({"text"}),
    "server.ok.unique-names": _BODY,
    "server.auth.no-disclosure": _BODY,
    "server.auth.challenge": frozenset({"status", "headers"}),
    "server.error.body": _BODY,
    "server.error.status-agrees": frozenset({"status", "body"}),
    "server.error.media-type": frozenset({"headers", "body"}),
    "server.error.documented-status": frozenset({"status", "target"}),
    "server.error.no-internals": _BODY,
    "server.rate.429": _BODY,
    "server.list.array": _BODY,
    "server.list.newest-first": _BODY,
    "server.list.once": _BODY,
}


def recorded_needs() -> dict[str, frozenset[Fact]]:
    """Return the facts that a recording must have, by clause of the contract in use.

    Clauses about rejected keys and ids are missing: a recording does not tell which one was rejected, so they
    would pass without having been exercised.
    """
    found = {}
    of_one_answer = {f"rule:{rule.code}" for rule in known_rules(current_contract()) if not rule.transition}
    for clause in current_contract().of_side("server"):
        theme = next((facts for prefix, facts in _THEMES.items() if clause.id.startswith(prefix)), None)
        if clause.id.startswith(RULE):
            theme = _ORDERED if of_one_answer.isdisjoint(clause.covers) else _BODY
        facts = _SINGLE.get(clause.id, theme)
        if facts is not None:
            found[clause.id] = facts
    return found


#: Names of the facts for messages.
WORDS: Mapping[Fact, str] = {
    "status": "the status",
    "headers": "the answer's headers",
    "body": "the answer's body",
    "text": "the body as it was sent",
    "order": "when they came",
    "target": "the request",
}
#: Prefixes of the clauses about errors; the others are about successes.
_ABOUT_ERRORS = ("server.auth.", "server.error.", "server.rate.")


def is_about(clause: str, status: int) -> bool:
    """Whether a clause applies to responses of this status."""
    if clause == "server.error.documented-status" or clause.startswith(HEADER):
        return True
    return (status >= 400) == clause.startswith(_ABOUT_ERRORS)
