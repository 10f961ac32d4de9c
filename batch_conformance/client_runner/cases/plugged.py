"""Lookup of an operation's hand-written client cases: module ``client_cases`` in its folder under ``operations``."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from batch_conformance.contract import current_contract
from batch_conformance.contract.reading import snake_name

if TYPE_CHECKING:
    from batch_conformance.client_runner.cases.case import Case, CaseFactory
    from batch_conformance.client_runner.cases.generated import Property


class OperationCases(Protocol):
    """Interface of an operation's module ``client_cases``.

    ``VARIED`` are the places that its cases vary, as long as no overlay changes them. Only Get Batch has ``THEMES`` and
    ``PROPERTIES``; the rest may be left out.
    """

    THEMES: Sequence[Callable[[CaseFactory], Iterator[Case]]]
    PROPERTIES: Sequence[Property]
    VARIED: Sequence[str]

    def draw_ordinary(self, chance: random.Random) -> Sequence[Mapping[str, Any]]:
        """Draw members of an ordinary value: groups of values by pointer, each of which is applied as a whole."""
        ...


def operation_cases(name: str) -> OperationCases:
    """Return the hand-written cases of an operation of the current contract. Raises ``NoSuchOperation``."""
    known = current_contract().operation(name).name
    # Folders are named after the contract without overlays; an overlay may change the operation's id.
    return _cases_in(snake_name(known))


@cache
def _cases_in(folder: str) -> OperationCases:
    # Imported by name: ``operations`` is a layer above this one.
    return cast("OperationCases", import_module(f"batch_conformance.operations.{folder}.client_cases"))


def varied_places(name: str) -> Sequence[str]:
    """Return the places that an operation's hand-written cases vary. Raises ``NoSuchOperation``."""
    return getattr(operation_cases(name), "VARIED", ())


def drawn_members(name: str) -> Callable[[random.Random], Sequence[Mapping[str, Any]]]:
    """Return the function that draws members of an operation's ordinary value. Raises ``NoSuchOperation``."""
    return getattr(operation_cases(name), "draw_ordinary", _nothing)


def _nothing(_: random.Random) -> Sequence[Mapping[str, Any]]:
    return ()
