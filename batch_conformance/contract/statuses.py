"""Statuses and bodies of an operation's error answers, as documented in the current contract.

Sources: the documented answers of the operation; RFC 9110, 15.5 for the meaning of 401, 403, 404 and 410.
"""

from __future__ import annotations

from collections.abc import Iterable

from batch_conformance.contract.clause_list import place_of_status
from batch_conformance.contract.current import cached_by_contract, current_contract
from batch_conformance.contract.entity import Entity
from batch_conformance.contract.load import load_contract
from batch_conformance.contract.operation import Operation
from batch_conformance.contract.references import followed

#: Status of a rate limiter, which does not depend on the request.
_LIMITED = 429
_CLIENT_ERRORS = range(400, 500)


@cached_by_contract
def refusals(operation: str) -> frozenset[int]:
    """Return the statuses for a request without a valid key: documented 401 and 403, else any documented 4xx.

    Without any, 401, by its meaning in HTTP.
    """
    known = current_contract().operation(operation)
    return _documented(known, (401, 403)) or _others(known, ()) or frozenset({401})


@cached_by_contract
def absences(operation: str) -> frozenset[int]:
    """Return the statuses for an unknown batch: 404 if documented, else other documented 4xx.

    A documented 410 is one, unless 404 is documented by itself and not by ``4XX`` or ``default`` only.
    """
    known = current_contract().operation(operation)
    if "410" in known.answers and "404" not in known.answers:
        return _documented(known, (404, 410))
    others = _others(known, (401, 403)) or _others(known, ())
    return _documented(known, (404,)) or others or frozenset({404})


@cached_by_contract
def undocumented_refusals(operation: str) -> frozenset[int]:
    """Return 401 and 403 if neither is documented: such answers are only reported as undocumented."""
    known = current_contract().operation(operation)
    return frozenset() if _documented(known, (401, 403)) else frozenset({401, 403})


@cached_by_contract
def undocumented_absences(operation: str) -> frozenset[int]:
    """Return 404 if it is not documented."""
    known = current_contract().operation(operation)
    return frozenset() if known.documents(404) else frozenset({404})


def _documented(operation: Operation, statuses: Iterable[int]) -> frozenset[int]:
    return frozenset(status for status in statuses if operation.documents(status))


def _others(operation: Operation, excluded: Iterable[int]) -> frozenset[int]:
    left_out = {_LIMITED, *excluded}
    return frozenset(status for status in _CLIENT_ERRORS if status not in left_out and operation.documents(status))


def either_status(statuses: Iterable[int]) -> str:
    """Format statuses as a choice: ``401 or 403``; ``an error from 400 to 499`` for more than four."""
    rows = sorted(statuses)
    return " or ".join(map(str, rows)) if len(rows) <= 4 else f"an error from {rows[0]} to {rows[-1]}"


@cached_by_contract
def status_member(operation: str) -> str:
    """Return the member of error bodies that repeats the status; empty where errors have none."""
    errors = error_body(operation)
    places = filter(None, map(place_of_status, load_contract().clauses))
    return next((place[1:] for place in places if errors and errors.has(place)), "")


@cached_by_contract
def error_body(operation: str) -> Entity | None:
    """Return the entity of the documented error bodies; None where no error has one."""
    contract = current_contract()
    known = contract.operation(operation)
    for key in sorted(known.answers):
        media = known.answers[key].media_type
        if key[:1] in ("4", "5", "d") and media is not None:
            schema, pointer = followed(media.schema, media.pointer, contract.document.content)
            return Entity(known, contract.document.content, schema, pointer, "")
    return None
