"""The contract as one OpenAPI 3.1 document: the fragment with its schemas bundled, overlays applied.

Source of facts: ``contracts/openapi.yaml`` and the files it refers to. No reference leaves the document.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from batch_conformance.contract.root import contract_root
from batch_conformance.contract.shipped import SHIPPED
from batch_conformance.contract.text_format import NotReadable, read_text

#: Members of a schema file that must not be bundled: they would change the base of references.
_FILE_MEMBERS = ("$schema", "$id")
#: Marks a copy of a schema; the value is the reference to the original.
COPY_OF = "x-copy-of"
#: Message for a reference to an anchor.
NO_POINTER = "is no JSON pointer; anchors are not supported, write #/components/schemas/NAME"
#: Number of slashes in a reference to a whole component.
_COMPONENT_DEPTH = 3
#: Returns the error of one ``x-validations`` rule as one line; None for a valid rule.
RuleCheck = Callable[[Any], str | None]


class ContractError(ValueError):
    """A contract that cannot be used. The message is one line: the file and what is wrong."""


@dataclass(frozen=True)
class AppliedOverlay:
    """An overlay that was applied to a document: its ``info.title``, the SHA-256 of its file, and the file."""

    title: str
    sha256: str
    file: Path | None = None


@dataclass(frozen=True)
class ContractDocument:
    """One OpenAPI 3.1 document. ``content`` is plain JSON values and must not be changed.

    ``sha256`` is the digest of the content as compact JSON, members in their order.
    """

    content: dict[str, Any]
    overlays: tuple[AppliedOverlay, ...] = ()

    @property
    def sha256(self) -> str:
        """The SHA-256 of the content, overlays applied."""
        text = json.dumps(self.content, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8")).hexdigest()

    @property
    def schemas(self) -> dict[str, Any]:
        """``components.schemas``, by name."""
        schemas: dict[str, Any] = self.content.get("components", {}).get("schemas", {})
        return schemas

    def resolve(self, value: Any) -> Any:
        """Follow a reference object, also through further references; return any other value as it is.

        Raises ``KeyError`` for a broken or circular reference.
        """
        seen: set[str] = set()
        while isinstance(value, dict) and isinstance(value.get("$ref"), str):
            if value["$ref"] in seen:
                raise KeyError(value["$ref"])
            seen.add(value["$ref"])
            value = at_pointer(self.content, value["$ref"])
        return value


def load_document(overlays: Sequence[Path] = (), check_rule: RuleCheck | None = None) -> ContractDocument:
    """Bundle the contract and apply overlays to it, in order.

    ``check_rule`` additionally checks each rule under ``x-validations``. Raises ``OverlayError`` with a
    one-line message for an overlay that cannot be applied or whose result is not a valid contract.
    """
    base = ContractDocument(copy.deepcopy(_bundled(contract_root())))
    if not overlays:
        return base
    # Imported here: only runs with overlays need it.
    from batch_conformance.contract.overlay import applied

    for file in overlays:
        base = applied(base, file, check_rule)
    return base


def refreshed(content: dict[str, Any], before: dict[str, Any]) -> None:
    """Update the copies of changed schemas in ``content``, unless a copy was changed itself.

    ``before`` is the document before the change. Copies exist because many tools only follow references to
    whole components.
    """
    for place, copied in _copies(before):
        reference = copied[COPY_OF]
        with suppress(KeyError):
            own, source = at_pointer(content, place), at_pointer(content, reference)
            followed = _copy(at_pointer(before, reference), reference) == copied
            if followed and own == copied and isinstance(source, dict):
                own.clear()
                own.update(_copy(source, reference))


def _copies(value: Any, place: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict) and isinstance(value.get(COPY_OF), str):
        yield place, value
    elif isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _copies(item, place + pointer(name))


def _copy(schema: dict[str, Any], reference: str) -> dict[str, Any]:
    members = {name: item for name, item in schema.items() if not name.startswith("x-")}
    return {**copy.deepcopy(members), COPY_OF: reference}


@cache
def _bundled(root: Path) -> dict[str, Any]:
    content = bundle(root / "contracts" / "openapi.yaml")
    if ContractDocument(content).sha256 != SHIPPED:
        # The shipped document is known to be valid; for another one, import and run the validation.
        from batch_conformance.contract.validity import problems

        refuse_files(problems(content))
    return content


def refuse_files(problems: Iterator[str]) -> None:
    """Raise :class:`ContractError` for the first problem of the contract's files, if there is any."""
    wrong = next(problems, None)
    if wrong is not None:
        raise ContractError(f"contracts/openapi.yaml, with its schemas: {wrong}; correct it there")


def read_file(file: Path) -> Any:
    """Read a contract file, YAML or JSON, as JSON values. Raises :class:`ContractError`."""
    name = "/".join(file.parts[-2:])
    try:
        return read_text(file.read_text("utf-8"))
    except OSError as error:
        raise ContractError(f"{name}: cannot be read ({error.strerror or error})") from None
    except (NotReadable, UnicodeDecodeError) as error:
        raise ContractError(f"{name}: {' '.join(str(error).split())}; correct it there") from None


def bundle(file: Path) -> dict[str, Any]:
    """Bundle an OpenAPI file and the schema files that its ``components.schemas`` refer to into one document.

    Raises :class:`ContractError` for a file that cannot be read, and for a reference to a file not listed
    there.
    """
    document: dict[str, Any] = read_file(file)
    schemas: dict[str, Any] = document["components"]["schemas"]
    files = {
        PurePosixPath(schema["$ref"]).name: name
        for name, schema in schemas.items()
        if isinstance(schema, dict) and not str(schema.get("$ref", "#")).startswith("#")
    }
    for name in files.values():
        content = read_file(file.parent / schemas[name]["$ref"])
        for member in _FILE_MEMBERS:
            content.pop(member, None)
        _point_into(content, files, name)
        schemas[name] = content
    _point_into(document, files, None)
    for holder in list(_holders(document["paths"])):
        reference = holder["$ref"]
        if reference.startswith("#/components/schemas/") and reference.count("/") > _COMPONENT_DEPTH:
            place = copy.deepcopy(at_pointer(document, reference))
            holder.clear()
            holder.update(_copy(place, reference))
    return document


def _point_into(value: Any, files: dict[str, str], own: str | None) -> None:
    """Rewrite references to files, and references within a schema file, as references into the document."""
    for holder in _holders(value):
        target, _, pointer = holder["$ref"].partition("#")
        if pointer and not pointer.startswith("/"):
            raise ContractError(f"the reference {holder['$ref']!r} {NO_POINTER}")
        if target:
            name = files.get(PurePosixPath(target).name)
            if name is None:
                raise ContractError(
                    f"the reference {holder['$ref']!r} leads to a file that has no name: "
                    "list it under components.schemas of contracts/openapi.yaml"
                )
        elif own is not None and not pointer.startswith("/components/"):
            name = own
        else:
            continue
        holder["$ref"] = f"#/components/schemas/{name}{pointer.rstrip('/')}"


def _holders(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value
        for item in value.values():
            yield from _holders(item)
    elif isinstance(value, list):
        for item in value:
            yield from _holders(item)


def references(value: Any) -> list[str]:
    """Return all ``$ref`` values of a document, in order."""
    return [holder["$ref"] for holder in _holders(value)]


def at_pointer(document: Any, reference: str) -> Any:
    """Return the value at a reference like ``#/components/schemas/Batch`` (RFC 6901). Raises ``KeyError``."""
    if not reference.startswith("#") or reference[1:2] not in ("", "/"):
        raise KeyError(reference)
    value = document
    for part in unquote(reference[1:]).split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            raise KeyError(reference)
    return value


def pointer(*parts: str | int) -> str:
    """Return the JSON pointer of names and indexes."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)
