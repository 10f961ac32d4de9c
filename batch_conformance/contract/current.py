"""The current contract: the one in the files, unless a run uses overlays (``--batch-overlay``).

Nothing is set at import. The plugin sets the contract once, at configure time; tests use
:func:`contract_in_use`, which restores the previous one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache, wraps
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar, cast

from batch_conformance.contract.document import ContractError, RuleCheck, load_document, refuse_files
from batch_conformance.contract.load import load_contract
from batch_conformance.contract.operation import Contract
from batch_conformance.contract.reading import contract_of

P = ParamSpec("P")
T = TypeVar("T")

_MAX_CACHED_CONTRACTS = 4

_in_use: Contract | None = None


@cache
def base_contract() -> Contract:
    """Return the contract of the files, without overlays."""
    return contract_of(load_document())


def load_with_overlays(overlays: Sequence[Path], check_rule: RuleCheck | None = None) -> Contract:
    """Return the contract with these overlays applied in order.

    Raises ``ContractError``, one line, for clauses, files or overlays that cannot be used.
    """
    load_contract()
    if overlays:
        try:
            return contract_of(load_document(overlays, check_rule))
        except RecursionError:
            names = ", ".join(map(str, overlays))
            raise ContractError(f"{names}: the result nests too deeply to be read; flatten its schemas") from None
    contract = base_contract()
    if contract.edited:
        # Imported here: the shipped contract is known to have no problems.
        from batch_conformance.contract.problems import contract_problems

        refuse_files(contract_problems(contract))
    return contract


def current_contract() -> Contract:
    """Return the current contract."""
    return _in_use or base_contract()


def use_contract(contract: Contract | None) -> None:
    """Set the current contract of this process; None for the one in the files."""
    global _in_use
    _in_use = contract


class Cached(Protocol[P, T]):
    """A cached function; ``__wrapped__`` is the uncached one."""

    __wrapped__: Callable[P, T]

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> T:
        """Return the cached result for these arguments, or compute it."""
        ...


def cached_by_contract(function: Callable[P, T]) -> Cached[P, T]:
    """Cache results of a function by its arguments and the current contract, for the last few contracts."""
    by_contract: dict[str, Callable[P, T]] = {}

    @wraps(function)
    def cached(*arguments: P.args, **named: P.kwargs) -> T:
        sha256 = current_contract().sha256
        memoized = by_contract.get(sha256)
        if memoized is None:
            memoized = by_contract.setdefault(sha256, cast("Callable[P, T]", lru_cache(maxsize=4096)(function)))
            # Bounded, since a process may use many contracts, as the tests do.
            for other in list(by_contract)[:-_MAX_CACHED_CONTRACTS]:
                if other != base_contract().sha256:
                    by_contract.pop(other, None)
        return memoized(*arguments, **named)

    return cast("Cached[P, T]", cached)


@contextmanager
def contract_in_use(contract: Contract) -> Iterator[Contract]:
    """Use a contract within a ``with`` block."""
    before = _in_use
    use_contract(contract)
    try:
        yield contract
    finally:
        use_contract(before)
