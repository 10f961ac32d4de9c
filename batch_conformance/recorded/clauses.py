"""Which clauses a recording can put to the test, and what it has to tell for that."""

from __future__ import annotations

from collections.abc import Mapping

from batch_conformance.contract import load_contract
from batch_conformance.recorded.recording import Fact

#: Why the others stay open.
LIVE = "needs requests sent for the purpose, which no recording holds: judge the server itself with suites/server"

_BODY: frozenset[Fact] = frozenset({"body"})
#: What a recording has to tell, clause by clause. A clause that a recording could only ever keep, since nobody knows
#: which key or id was refused, is not here: it would pass without having been put to the test.
NEEDS: Mapping[str, frozenset[Fact]] = {
    "server.ok.status": frozenset({"status", "target"}),
    "server.ok.media-type": frozenset({"headers"}),
    "server.ok.json": frozenset({"text"}),
    "server.ok.unique-names": _BODY,
    **{clause: _BODY for clause in load_contract().clauses if clause.startswith("server.body.")},
    "server.auth.no-disclosure": _BODY,
    "server.auth.challenge": frozenset({"status", "headers"}),
    "server.error.body": _BODY,
    "server.error.status-agrees": frozenset({"status", "body"}),
    "server.error.media-type": frozenset({"headers", "body"}),
    "server.error.documented-status": frozenset({"status", "target"}),
    "server.error.no-internals": _BODY,
    **{
        clause: frozenset({"order", "body"})
        for clause in load_contract().clauses
        if clause.startswith("server.poll.")
    },
    "server.rate.429": _BODY,
    "server.list.array": _BODY,
    "server.list.newest-first": _BODY,
    "server.list.once": _BODY,
}

#: What is missing, in words.
WORDS: Mapping[Fact, str] = {
    "status": "the status",
    "headers": "the answer's headers",
    "body": "the answer's body",
    "text": "the body as it was sent",
    "order": "when they came",
    "target": "the request",
}
#: Clauses about refusals; the others are about batches, but for documented-status, which is about all.
_ABOUT_ERRORS = ("server.auth.", "server.error.", "server.rate.")


def is_about(clause: str, status: int) -> bool:
    """Whether an answer of this status is what the clause is about."""
    if clause == "server.error.documented-status":
        return True
    return (status >= 400) == clause.startswith(_ABOUT_ERRORS)
