"""Generation of documented error bodies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from batch_conformance.contract import Contract
from batch_conformance.contract.entity import judge_of
from batch_conformance.contract.leaves import documented
from batch_conformance.contract.operation import MediaType, Operation
from batch_conformance.contract.pointers import MISSING
from batch_conformance.generate.ordinary import NotInContract
from batch_conformance.generate.space import Space


class ErrorBodies:
    """The bodies of one error status of an operation.

    A status without a documented body gets the body of another error: clients must also handle errors of
    gateways.
    """

    def __init__(self, contract: Contract, operation: str, status: int) -> None:
        media = error_media_type(contract.operation(operation), status)
        own = contract.operation(operation).answer(status)
        self._is_bodiless = own is not None and own.media_type is None
        examples = [*media.examples.values()] if media else []
        judge = judge_of(media, contract) if media else None
        # Rules about errors bind servers only: a client must read any error.
        self._space = Space(
            media.schema if media else True, contract.document.content, examples, ruled=False, judge=judge
        )
        plain = self._space.examples[0] if self._space.examples else self._space.builder.value([self._space.schema])
        made = MISSING if plain is MISSING else self._space.repaired(plain)
        self._base: dict[str, Any] = made if isinstance(made, dict) else {}

    def saying(self, members: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body with these documented members, and ``more``. Raises :class:`NotInContract`."""
        body = {**self._base, **members}
        known = documented([*self._space.applying(self._space.schema, body)])
        if self._is_bodiless or not set(members) <= set(known) or not self._space.is_valid(body):
            raise NotInContract(f"the contract has no error that tells {', '.join(members)}")
        return {**body, **more}

    def holding(self, wanted: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body with those of ``wishes`` that the contract allows, and all of ``more``."""
        body = self._base
        for name, value in wanted.items():
            made = {**body, name: value}
            body = made if self._space.is_valid(made) else body
        return {**body, **more}


def error_media_type(operation: Operation, status: int) -> MediaType | None:
    """Return the documented body of a status; without one there, that of the first error that has one."""
    keys = [key for key in sorted(operation.answers) if not key.startswith(("1", "2", "3"))]
    rows = [operation.answer(status), *(operation.answers[key] for key in keys)]
    return next((row.media_type for row in rows if row is not None and row.media_type is not None), None)
