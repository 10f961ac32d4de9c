"""The codes of findings, for programs (messages are for people). One word each, with its meaning.

A violated JSON Schema keyword is its own code, and so is the code of a violated rule of the contract.
"""

from __future__ import annotations

from batch_conformance.contract import current_contract
from batch_conformance.contract.clause_list import known_rules
from batch_conformance.contract.places import ASSERTIONS

#: Codes of the suite's own checks.
CODES: dict[str, str] = {
    "admitted": "somebody got in who must not",
    "allow": "a 405 does not say which methods are allowed",
    "challenge": "a 401 does not say how to authenticate",
    "changed": "what must stay the same did not",
    "closed": "members beyond the documented ones were refused",
    "crash": "a client crashed, hung, or broke the driver protocol",
    "coding": "a body came in a coding that was not asked for",
    "cut-off": "a body did not arrive whole",
    "differs": "two answers tell different things of one batch",
    "disclosed": "an answer tells what its reader must not learn",
    "echo": "an answer is about another id than the one asked for",
    "encoding": "an id is not sent as one path segment, encoded once",
    "header": "a header is missing, or is not what is documented",
    "internals": "an error tells of the server's inside",
    "key": "a request carries another key than the one given",
    "kind": "a client reports an error as one of another kind",
    "known-failure": "an entry of the known-failures file is wrong",
    "leaked": "the API key stands where it must not",
    "left-out": "an entry that must be in a list is not there",
    "lost": "a documented member did not reach the caller",
    "media-type": "a body is of another media type than documented",
    "message": "what the server says of an error did not reach the caller",
    "no-request": "a client sent no request where it had to",
    "not-exercised": "a clause that was required was not put to the test",
    "not-found": "what does not exist was answered otherwise than with not found",
    "not-json": "a body is not JSON",
    "order": "entries of a list are not in the order promised",
    "refused": "somebody, or something valid, was refused that must not be",
    "renamed": "a value that a client does not know was given another name",
    "repeated-name": "an object has two members of one name",
    "request": "a request is not the documented one",
    "retried": "a client asked again where, or more often than, it may",
    "retry-after": "nothing, or nothing usable, says when to come back",
    "shape": "an answer is not the object that is documented, but something around it or beside it",
    "stale": "a call saw the answer of another one",
    "status": "a status that is not documented, or not the one promised",
    "status-member": "a body tells another status than the status line",
    "taken": "what is no answer was taken for one",
    "timeout": "a call did not end in time",
    "told-apart": "answers differ that must be the same",
    "too-soon": "a client asked again before it may",
    "twice": "an entry stands in one list twice",
    "unasked": "something came, or was sent, that was not asked for",
    "went-back": "a status moved against its order",
}
#: Codes of the schema validator.
KEYWORDS = frozenset(ASSERTIONS) | {
    "required", "dependentRequired", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "items",
    "false", "depth",
}  # fmt: skip


def known_codes() -> frozenset[str]:
    """Return all codes a finding may have: this table, schema keywords, and the contract's rules."""
    return KEYWORDS.union(CODES, (rule.code for rule in known_rules(current_contract())))


def check_code(code: str) -> str:
    """Return the code if a finding may have it. Raises ``ValueError`` otherwise."""
    if code in CODES or code in KEYWORDS or code in known_codes():
        return code
    raise ValueError(f"{code!r} is no code of a finding: add it to {__name__}, with its meaning")
