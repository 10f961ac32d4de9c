"""Documented statuses and media types of an operation, by the current contract."""

from __future__ import annotations

from typing import Any

from batch_conformance.contract import Answer, MediaType, cached_by_contract, current_contract
from batch_conformance.contract.media_types import with_ranges
from batch_conformance.contract.pointers import split
from batch_conformance.contract.references import followed
from batch_conformance.contract.rule_list import beside, parts

_SUCCESS = 200
_CLIENT_ERRORS = range(400, 500)
#: Statuses of a refusal, and of a missing resource, in HTTP itself (RFC 9110, 15.5).
_REFUSALS = (401, 403)
_NOTHING_THERE = (404, 410)


@cached_by_contract
def documents(operation: str, status: int) -> bool:
    """Whether a status is documented: by itself, in a range or by ``default``."""
    return current_contract().operation(operation).documents(status)


@cached_by_contract
def success_statuses(operation: str) -> tuple[int, ...]:
    """Return the documented 2xx statuses, including ranges; 200 if there are none."""
    keys = [key for key in current_contract().operation(operation).answers if key.startswith("2")]
    one_by_one = tuple(sorted(int(key) for key in keys if key.isdecimal()))
    return one_by_one + ((*range(200, 300),) if "2XX" in keys else ()) or (_SUCCESS,)


def is_success(status: int | None, operation: str) -> bool:
    """Whether a status is a documented success."""
    return status in success_statuses(operation)


def either(statuses: tuple[int, ...]) -> str:
    """Return statuses as a choice in words, at most four."""
    return " or ".join(map(str, statuses[:4]))


def documented_keys(operation: str) -> list[str]:
    """Return the sorted keys of the documented responses: statuses, ranges, ``default``."""
    return sorted(current_contract().operation(operation).answers)


@cached_by_contract
def answer_for(operation: str, status: int) -> Answer | None:
    """Return what is documented for an error status.

    For an undocumented status, it is what all documented errors have in common, or None.
    """
    found = current_contract().operation(operation)
    answer = found.answer(status)
    if answer is not None:
        return answer
    rows = [row for key, row in sorted(found.answers.items()) if key[:1] in ("4", "5", "d") and row.media_types]
    return rows[0] if len({_form(row) for row in rows}) == 1 else None


def _form(answer: Answer) -> tuple[tuple[str, str], ...]:
    """Return the media types of a response, each with the pointer that its schema resolves to."""
    content = current_contract().document.content
    return tuple(
        (name, followed(media.schema, media.pointer, content)[1]) for name, media in answer.media_types.items()
    )


@cached_by_contract
def documented_error(operation: str, status: int, media: str | None) -> MediaType | None:
    """Return what an error's body is validated by; None if no body or none in JSON is documented."""
    answer = answer_for(operation, status)
    found = None if answer is None else answer.body_of(media) or answer.media_type
    return found if found is not None and _is_json_type(found.name.partition(";")[0].strip()) else None


@cached_by_contract
def has_member(operation: str, status: int, pointer: str) -> bool:
    """Whether the documented body of an error has a member."""
    media = documented_error(operation, status, None)
    if media is None or not pointer:
        return False
    document = current_contract().document.content
    nodes: list[Any] = [media.schema]
    for part in split(pointer):
        nodes = [inner for node in nodes for inner in parts(node, document, part)]
    return bool(nodes)


@cached_by_contract
def error_members(operation: str) -> frozenset[str]:
    """Return the names of the members of all documented error bodies."""
    contract = current_contract()
    rows = [row for row in contract.operation(operation).answers.values() if row.key[:1] in ("4", "5", "d")]
    schemas = [media.schema for row in rows for media in row.media_types.values()]
    layers = (layer for schema in schemas for layer in beside(schema, contract.document.content))
    return frozenset(name for layer in layers for name in layer.get("properties", ()))


@cached_by_contract
def success_media(operation: str) -> tuple[str, ...]:
    """Return the documented media types of success responses."""
    return _names(current_contract().operation(operation).success)


def error_media(operation: str, status: int) -> tuple[str, ...]:
    """Return the documented media types of an error status."""
    return _names(answer_for(operation, status))


def _names(answer: Answer | None) -> tuple[str, ...]:
    return tuple(name.partition(";")[0].strip().lower() for name in answer.media_types) if answer else ()


def fits(media: str | None, documented: tuple[str, ...]) -> bool:
    """Whether a media type is documented, also by a range such as ``application/*``."""
    return media is not None and not set(with_ranges(media)).isdisjoint(documented)


def is_json(operation: str, media: str | None) -> bool:
    """Whether a success body should be JSON: unless it has a documented media type that is not."""
    return media is None or not fits(media, success_media(operation)) or _is_json_type(media)


def _is_json_type(media: str) -> bool:
    subtype = media.partition("/")[2]
    return subtype in ("json", "*") or subtype.endswith("+json")
