"""Which operations a run is about, and a clause's result put together from those on each of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.verdict import ClauseResult
from batch_conformance.contract import Clause, current_contract

#: The operations that the suite can judge, in the order of judging, each with its name in the driver protocol.
JUDGED: Mapping[str, str] = {"get": "get_batch", "list": "list_batches"}
NOT_ASKED_FOR = "not asked for"
NO_KEY = "the contract asks for no key"
NO_OPERATION = "the contract has no operation"
#: The theme of the clauses about keys.
_ABOUT_KEYS = "auth"

T = TypeVar("T")


class UnknownOperations(ValueError):
    """A list of operations with one that cannot be judged. The message is one line for the user."""


def known_operations() -> tuple[str, ...]:
    """The operations of the contract in use that the suite can judge."""
    return tuple(name for name in JUDGED if name in current_contract().operations)


def read_operations(text: str) -> tuple[str, ...]:
    """The operations of a list such as ``get,list``, each once. Raises :class:`UnknownOperations`."""
    told = {name.strip() for name in text.split(",")}
    known = known_operations()
    for name in sorted(told - set(known)):
        why = (
            f"the contract in use has no operation {name!r}" if name in JUDGED else f"unknown operation {name!r}"
        )
        hint = f"give {' or '.join(known)}, or several with commas" if known else "none is left that can be judged"
        raise UnknownOperations(f"{why}: {hint} (--batch-operations)")
    return tuple(name for name in known if name in told)


def operations_of_run(asked: Sequence[str] | None, offered: Iterable[str] | None = None) -> tuple[str, ...]:
    """The operations to judge: those asked for, else all that can be.

    ``offered`` are a client's own, as its hello names them; None for a server, which is asked for all.
    """
    known = known_operations() if asked is None else tuple(name for name in known_operations() if name in asked)
    return known if offered is None else tuple(name for name in known if JUDGED[name] in offered)


def of_clause(clause: Clause, operations: Iterable[str]) -> tuple[str, ...]:
    """Those of the operations for which a clause holds: one about keys holds where the contract asks for one."""
    known = current_contract().operations
    return tuple(
        name
        for name in operations
        if name in clause.operations
        and not (clause.theme == _ABOUT_KEYS and name in known and known[name].key is None)
    )


def unasked(clause: Clause, asked: Sequence[str] | None) -> ClauseResult:
    """The result on a clause that holds for no operation of the run: it does not keep the run from being a full one."""
    known = current_contract().operations
    if not any(name in known for name in clause.operations):
        return ClauseResult(clause, "not-exercised", f"{NO_OPERATION} {' or '.join(clause.operations)}")
    wanted = clause.operations if asked is None else tuple(name for name in asked if name in clause.operations)
    if wanted and not of_clause(clause, wanted):
        return ClauseResult(clause, "not-exercised", NO_KEY)
    reason = NOT_ASKED_FOR if not wanted else f"the client does not offer {' or '.join(map(_of_driver, wanted))}"
    return ClauseResult(clause, "not-exercised", reason)


def _of_driver(operation: str) -> str:
    return JUDGED.get(operation, operation)


def title_of(operation: str) -> str:
    """The name of an operation for people, as "List Batches"."""
    return _of_driver(operation).replace("_", " ").title()


def merged(clause: str, parts: Mapping[str, CheckResult]) -> CheckResult:
    """The results on each operation as one, which keeps them as its ``parts``."""
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
        # Why one operation says nothing is no reason for what another one shows.
        whole.note("" if broken else part.reason)
        for limit in part.limits:
            everywhere = all(limit in other.limits for other in observed)
            whole.limit(limit if everywhere else f"{title_of(operation)}: {limit}")
        for other, count in part.explained.items():
            whole.set_aside(other, count)
        for why, count in part.unjudged.items():
            whole.leave_unjudged(why, count)
    return whole
