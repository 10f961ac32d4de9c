"""Finds what an operation brings along for clients: ``client_cases`` in its folder under ``operations``."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from batch_conformance.contract import current_contract
from batch_conformance.contract.reading import OPERATION_IDS

if TYPE_CHECKING:
    from batch_conformance.client_runner.cases.case import Case, CaseFactory
    from batch_conformance.client_runner.cases.generated import Property


class OperationCases(Protocol):
    """What ``client_cases`` of an operation holds.

    ``ordinary`` draws members of an ordinary value: groups of values by pointer, each of which goes in as a whole.
    ``VARIED`` are the places of which its cases take care, as long as they are as in the contract without overlays.
    """

    THEMES: Sequence[Callable[[CaseFactory], Iterator[Case]]]
    PROPERTIES: Sequence[Property]
    VARIED: Sequence[str]

    def ordinary(self, chance: random.Random) -> Sequence[Mapping[str, Any]]:
        """Members of an ordinary value, by pointer."""
        ...


def operation_cases(name: str) -> OperationCases:
    """The hand-written cases of an operation of the contract in use. Raises ``NoSuchOperation``."""
    known = current_contract().operation(name).name
    # An overlay may call it otherwise; folders are named after the contract without overlays.
    return _cases_in(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", OPERATION_IDS[known]).lower())


@cache
def _cases_in(folder: str) -> OperationCases:
    # By name, since operations stand above this layer: each is one folder that nothing below knows of.
    return cast("OperationCases", import_module(f"batch_conformance.operations.{folder}.client_cases"))
