"""The operations of a run, and the merging of a clause's results on each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.verdict import NOT_TRIED, ClauseResult
from batch_conformance.contract import Clause, current_contract
from batch_conformance.contract.reading import OPERATION_IDS, snake_name, written_operations

#: Operations that the suite can test, in order, with their names in the driver protocol.
JUDGED: Mapping[str, str] = {name: snake_name(name) for name in OPERATION_IDS}
NOT_ASKED_FOR = "not asked for"
NO_KEY = "the contract asks for no key"
NO_OPERATION = "the contract has no operation"
#: The theme of the clauses about keys.
_ABOUT_KEYS = "auth"

T = TypeVar("T")


class UnknownOperations(ValueError):
    """A list of operations with one that cannot be tested. The message is one line for the user."""


def known_operations() -> tuple[str, ...]:
    """Return the operations of the contract in use that the suite can test."""
    return tuple(name for name in JUDGED if name in current_contract().operations)


def read_operations(text: str) -> tuple[str, ...]:
    """Parse a list such as ``get,list``, without duplicates. Raises :class:`UnknownOperations`."""
    requested = {name.strip() for name in text.split(",")}
    known = known_operations()
    for name in sorted(requested - set(known)):
        why = f"the contract in use has no operation {name!r}" if name in JUDGED else f"unknown operation {name!r}"
        hint = f"give {' or '.join(known)}, or several with commas" if known else "none is left that can be judged"
        raise UnknownOperations(f"{why}: {hint} (--batch-operations)")
    return tuple(name for name in known if name in requested)


def operations_of_run(asked: Sequence[str] | None, offered: Iterable[str] | None = None) -> tuple[str, ...]:
    """Return the operations to test: those requested, else all that can be tested.

    ``offered`` are the ones a client names in its hello; None for a server, where all are tested.
    """
    known = known_operations() if asked is None else tuple(name for name in known_operations() if name in asked)
    return known if offered is None else tuple(name for name in known if JUDGED[name] in offered)


def of_clause(clause: Clause, operations: Iterable[str]) -> tuple[str, ...]:
    """Return the operations to which a clause applies.

    One about keys applies where the contract has a key.
    """
    known = current_contract().operations
    return tuple(
        name
        for name in operations
        if name in clause.operations and not (clause.theme == _ABOUT_KEYS and name in known and known[name].key is None)
    )


def unasked(clause: Clause, asked: Sequence[str] | None) -> ClauseResult:
    """Return the result of a clause that applies to no operation of the run. The run is still a full one."""
    known = current_contract().operations
    if not any(name in known for name in clause.operations):
        return ClauseResult(clause, "not-exercised", f"{NO_OPERATION} {' or '.join(clause.operations)}")
    wanted = clause.operations if asked is None else tuple(name for name in asked if name in clause.operations)
    if wanted and not of_clause(clause, wanted):
        return ClauseResult(clause, "not-exercised", NO_KEY)
    reason = NOT_ASKED_FOR if not wanted else f"the client does not offer {' or '.join(map(_driver_name, wanted))}"
    return ClauseResult(clause, "not-exercised", reason)


def untested_hints() -> list[str]:
    """Return a line for the user about the operations of the contract that the suite has no tests for, if any."""
    contract = current_contract()
    tested = {(row.method, row.path) for row in contract.operations.values()}
    found = [(method.upper(), path) for path, method, _ in written_operations(contract.document.content)]
    rows = [f"{method} {path}" for method, path in found if (method, path) not in tested]
    return [f"not tested: {', '.join(rows)}, which the contract has and the suite has no tests for"] if rows else []


def _driver_name(operation: str) -> str:
    return JUDGED.get(operation, operation)


def title_of(operation: str) -> str:
    """Return the display name of an operation, e.g. "List Batches"."""
    return _driver_name(operation).replace("_", " ").title()


def merged(clause: str, parts: Mapping[str, CheckResult]) -> CheckResult:
    """Merge the results on each operation into one, which keeps them as its ``parts``."""
    if len(parts) == 1:
        (result,) = parts.values()
        result.parts = dict(parts)
        return result
    whole = CheckResult(clause, parts=dict(parts))
    broken = any(part.findings for part in parts.values())
    observed = [part for part in parts.values() if part.observations]
    for operation, part in parts.items():
        whole.observe(part.observations)
        whole.findings += part.findings
        # Why one operation was not exercised is no reason for another one's failure, and a limit of its pass.
        if observed and not part.observations and not (part.explained or part.unjudged or part.findings):
            whole.limit(f"{title_of(operation)}: {part.reason or NOT_TRIED}")
        else:
            whole.note("" if broken else part.reason)
        for limit in part.limits:
            everywhere = all(limit in other.limits for other in observed)
            whole.limit(limit if everywhere else f"{title_of(operation)}: {limit}")
        for other, count in part.explained.items():
            whole.set_aside(other, count)
        for why, count in part.unjudged.items():
            whole.leave_unjudged(why, count)
    return whole
