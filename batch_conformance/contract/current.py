"""The contract in use: that of the files, unless a run was told to use another one (``--batch-overlay``).

Nothing is set at import. The plugin says once, at configure time, which contract counts; tests use
:func:`contract_in_use`, which puts back what was there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache, wraps
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar, cast

from batch_conformance.contract.document import RuleCheck, load_document
from batch_conformance.contract.operation import Contract
from batch_conformance.contract.reading import contract_of

P = ParamSpec("P")
T = TypeVar("T")

_CONTRACTS_KEPT = 4

_in_use: Contract | None = None


@cache
def base_contract() -> Contract:
    """The contract of the files, without overlays."""
    return contract_of(load_document())


def load_with_overlays(overlays: Sequence[Path], check_rule: RuleCheck | None = None) -> Contract:
    """The contract with these overlays applied, in order. Raises ``OverlayError`` with one line."""
    return contract_of(load_document(overlays, check_rule)) if overlays else base_contract()


def current_contract() -> Contract:
    """The contract in use."""
    return _in_use or base_contract()


def use_contract(contract: Contract | None) -> None:
    """Use this contract from now on, in this process; None for that of the files."""
    global _in_use
    _in_use = contract


class Cached(Protocol[P, T]):
    """A function that keeps what it returned, and the one behind it."""

    __wrapped__: Callable[P, T]

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> T:
        """Call it, or hand on what it returned for the same arguments."""
        ...


def cached_by_contract(function: Callable[P, T]) -> Cached[P, T]:
    """Keep what a function returned, for its arguments and the contract in use: for the last few contracts."""
    by_contract: dict[str, Callable[P, T]] = {}

    @wraps(function)
    def cached(*arguments: P.args, **named: P.kwargs) -> T:
        sha256 = current_contract().sha256
        kept = by_contract.get(sha256)
        if kept is None:
            kept = by_contract.setdefault(sha256, cast("Callable[P, T]", lru_cache(maxsize=4096)(function)))
            # A process that judges by many contracts, as the tests do, must not hold on to them all.
            for other in list(by_contract)[:-_CONTRACTS_KEPT]:
                if other != base_contract().sha256:
                    by_contract.pop(other, None)
        return kept(*arguments, **named)

    return cast("Cached[P, T]", cached)


@contextmanager
def contract_in_use(contract: Contract) -> Iterator[Contract]:
    """Use a contract for as long as the block lasts."""
    before = _in_use
    use_contract(contract)
    try:
        yield contract
    finally:
        use_contract(before)
