"""Bodies of List Batches responses in the documented shape: the entries, and the envelope around them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from batch_conformance.contract import cached_by_contract, current_contract
from batch_conformance.contract.entity import LIST, list_shape
from batch_conformance.contract.pointers import MISSING

if TYPE_CHECKING:
    from batch_conformance.generate.space import Space

#: Placeholder for the entries while the envelope is serialised.
_MARK = "the entries of the list"


def answer_of(entries: list[Any]) -> Any:
    """Return a body with these entries and a valid envelope; the entries themselves are not validated.

    Raises :class:`NotInContract` where the contract allows no such list.
    """
    shape = list_shape()
    if shape is None:
        return entries
    value = shape.with_entries(entries, _around())
    if not shape.allows(value) and shape.place:
        value = _space().repaired(value, shape.place)
    if value is MISSING or not shape.allows(value):
        from batch_conformance.generate.ordinary import NotInContract

        raise NotInContract(f"the contract allows no list of {len(entries)}")
    return value


def frame() -> tuple[bytes, bytes]:
    """Return the JSON before and after the entries of a list."""
    shape = list_shape()
    value = shape.with_entries([_MARK], _around()) if shape else [_MARK]
    before, _, after = json.dumps(value, ensure_ascii=False).partition(json.dumps(_MARK))
    return before.encode(), after.encode()


def around_of(entries: list[Any]) -> Any:
    """Return a body with these entries, whether or not the contract allows that many."""
    shape = list_shape()
    return shape.with_entries(entries, _around()) if shape else entries


def _around() -> Any:
    return json.loads(_around_as_text())


@cached_by_contract
def _space() -> Space:
    # Hypothesis is slow to import, and fixtures need it only for lists with an envelope.
    from batch_conformance.generate.space import Space

    shape, success = list_shape(), current_contract().operation(LIST).success
    assert shape is not None
    media = success.media_type if success else None
    return Space(shape.around, shape.document, list(media.examples.values()) if media else [], ruled=False)


@cached_by_contract
def _around_as_text() -> str:
    """Return a body of the documented shape, with any entries, as JSON text."""
    shape = list_shape()
    if shape is None or not shape.place:
        return "[]"
    space = _space()
    made = space.examples[0] if space.examples else space.builder.value([shape.around], full=True)
    return json.dumps(made if isinstance(made, dict) else {})
