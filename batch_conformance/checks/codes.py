"""The codes of findings, for programs (messages are for people). One word each, with its meaning.

A violated JSON Schema keyword is its own code, and so is the code of a violated rule of the contract.
"""

from __future__ import annotations

from batch_conformance.contract import current_contract
from batch_conformance.contract.clause_list import known_rules
from batch_conformance.contract.places import ASSERTIONS

#: Codes of the suite's own checks.
CODES: dict[str, str] = {
    "admitted": "a request without a valid key was accepted",
    "allow": "a 405 does not say which methods are allowed",
    "challenge": "a 401 does not say how to authenticate",
    "changed": "what must stay the same did not",
    "closed": "undocumented members were refused",
    "crash": "a client crashed, hung, or broke the driver protocol",
    "coding": "a body has a content coding that was not requested",
    "cut-off": "a body did not arrive completely",
    "differs": "two responses contradict each other about one batch",
    "disclosed": "a response discloses something its recipient must not learn",
    "echo": "a response is about another id than the requested one",
    "encoding": "an id is not sent as one path segment, encoded once",
    "header": "a header is missing, or is not what is documented",
    "internals": "an error discloses the server's internals",
    "key": "a request carries another key than the one given",
    "kind": "a client reports an error as one of another kind",
    "known-failure": "an entry of the known-failures file is wrong",
    "leaked": "the API key is in a place where it must not be",
    "left-out": "an entry that must be in a list is not there",
    "lost": "a documented member did not reach the caller",
    "media-type": "a body is of another media type than documented",
    "message": "the server's error message did not reach the caller",
    "no-request": "a client sent no request where it had to",
    "not-exercised": "a required clause was not exercised",
    "not-found": "a missing resource was not answered with not found",
    "not-json": "a body is not JSON",
    "order": "entries of a list are not in the documented order",
    "refused": "a valid key, request or batch was refused",
    "renamed": "a value unknown to the client was replaced by another",
    "repeated-name": "an object has two members with the same name",
    "request": "a request is not the documented one",
    "retried": "a client retried where it must not, or too often",
    "retry-after": "Retry-After is missing or unusable",
    "shape": "a response is not the documented object, but wraps or replaces it",
    "stale": "a call returned the response of another one",
    "status": "a status is not documented, or not the expected one",
    "status-member": "a body names another status than the status line",
    "taken": "an invalid response was accepted as valid",
    "timeout": "a call did not end in time",
    "told-apart": "responses differ that must be the same",
    "too-soon": "a client retried too early",
    "twice": "an entry is in one list twice",
    "unasked": "something was sent that was not requested",
    "went-back": "a status went back in its lifecycle",
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
