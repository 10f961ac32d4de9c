"""Reading and applying OpenAPI Overlays (version 1.0).

An ``update`` merges objects member by member, appends to arrays, and replaces any other value; ``remove``
removes the selected values. Actions are applied in order.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batch_conformance.contract.document import (
    AppliedOverlay,
    ContractDocument,
    ContractError,
    RuleCheck,
    refreshed,
)
from batch_conformance.contract.reading import contract_of
from batch_conformance.contract.text_format import NotReadable, read_text
from batch_conformance.contract.validity import problems

_VERSION = re.compile(r"1\.0\.\d+")
_MEMBERS = frozenset({"overlay", "info", "extends", "actions"})
_ACTION_MEMBERS = frozenset({"target", "description", "update", "remove"})
_HELP = "see https://spec.openapis.org/overlay/v1.0.0.html"


class OverlayError(ContractError):
    """An overlay that cannot be applied. The message is one line: file, action, problem, remedy."""


@dataclass(frozen=True)
class Action:
    """One action; ``number`` counts from 1, ``update`` is None for a removal."""

    number: int
    target: str
    update: Any
    remove: bool

    def __str__(self) -> str:
        return f"action {self.number} ({self.target})"


@dataclass(frozen=True)
class Overlay:
    """A parsed overlay: file name, ``info.title``, SHA-256 of the file, actions."""

    name: str
    title: str
    sha256: str
    actions: tuple[Action, ...]


def applied(document: ContractDocument, file: Path, check_rule: RuleCheck | None = None) -> ContractDocument:
    """Return the document with one overlay applied. Raises :class:`OverlayError`."""
    overlay = read_overlay(file)
    steps = [document.content]
    for action in overlay.actions:
        try:
            steps.append(_after(action, steps[-1]))
        except _Problem as error:
            raise OverlayError(f"{overlay.name}: {action}: {error}") from None
    # A source that was removed and added again has its copies follow it, too.
    refreshed(steps[-1], document.content)
    found = next(all_problems(steps[-1], check_rule), None)
    if found is not None:
        action = overlay.actions[_causing_action(steps, found, check_rule)]
        raise OverlayError(
            f"{overlay.name}: {action}: the result is no valid contract: {found}; correct the action, "
            "python -m batch_conformance.contract prints what it applies to"
        )
    mark = AppliedOverlay(overlay.title, overlay.sha256, file)
    return ContractDocument(steps[-1], (*document.overlays, mark))


def all_problems(content: dict[str, Any], check_rule: RuleCheck | None = None) -> Iterator[str]:
    """Yield the reasons why a document cannot be used as a contract, one line each: place and problem."""
    # Imported here: only needed for overlays, and expensive.
    from batch_conformance.contract.problems import contract_problems

    found = list(problems(content, check_rule))
    if not found:
        # Only a valid document can be read as a contract.
        try:
            found = list(contract_problems(contract_of(ContractDocument(content))))
        except (KeyError, TypeError, AttributeError):
            found = ["a reference leads to something of another kind than what stands in its place"]
    yield from found


def _causing_action(steps: list[dict[str, Any]], found: str, check_rule: RuleCheck | None) -> int:
    """Return the index of the action that introduced a problem that is still present at the end."""
    first = len(steps) - 1
    while first > 1 and found in set(all_problems(steps[first - 1], check_rule)):
        first -= 1
    return first - 1


def read_overlay(file: Path) -> Overlay:
    """Read an overlay, YAML or JSON. Raises :class:`OverlayError`."""
    name = _name(file)
    try:
        raw = file.read_bytes()
        value = read_text(raw.decode("utf-8-sig"))
    except OSError as error:
        raise OverlayError(f"{name}: cannot be read ({error.strerror or error}); check the path") from None
    except UnicodeDecodeError:
        raise OverlayError(f"{name}: is no text in UTF-8; give an overlay as YAML or JSON") from None
    except NotReadable as error:
        problem = "is neither YAML nor JSON" if error.malformed else "cannot be read as JSON values"
        raise OverlayError(f"{name}: {problem}: {error}; correct it there") from None
    try:
        title = _checked(value)
        actions = tuple(_actions(value["actions"]))
    except _Problem as error:
        raise OverlayError(f"{name}: {error}; {_HELP}") from None
    return Overlay(name, title, hashlib.sha256(raw).hexdigest(), actions)


class _Problem(Exception):
    """A problem with an overlay, without its file or action."""


def _name(file: Path) -> str:
    """Return the path of a file, relative to the current folder where possible."""
    try:
        return str(file.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(file)


def _checked(value: Any) -> str:
    """Check the top level of an overlay and return its title."""
    if not isinstance(value, dict) or "overlay" not in value:
        is_openapi = isinstance(value, dict) and ("openapi" in value or "swagger" in value)
        problem = "is an OpenAPI document" if is_openapi else "has no member 'overlay'"
        raise _Problem(f"is not an overlay: {problem}; begin it with overlay: 1.0.0, info and actions")
    version = value["overlay"]
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise _Problem(f"overlay version {_formatted(version)} is not supported: write overlay: 1.0.0")
    unknown = _unknown(value, _MEMBERS)
    if unknown:
        raise _Problem(f"unknown member {unknown!r}: known are {', '.join(sorted(_MEMBERS))}")
    info = value.get("info")
    if not isinstance(info, dict):
        raise _Problem("has no info: give it a title and a version")
    for member in ("title", "version"):
        # YAML reads a version such as 1.0 as a number; accept it.
        kinds = (str,) if member == "title" else (str, int, float)
        if not isinstance(info.get(member), kinds) or not str(info[member]).strip():
            raise _Problem(f"has no info.{member}: give it one, as text")
    actions = value.get("actions")
    if not isinstance(actions, list) or not actions:
        raise _Problem("has no actions: list at least one")
    return str(info["title"])


def _actions(rows: list[Any]) -> Iterator[Action]:
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not isinstance(row.get("target"), str):
            raise _Problem(f"action {number}: has no target: give it a JSONPath")
        action = Action(number, row["target"], row.get("update"), row.get("remove") is True)
        unknown = _unknown(row, _ACTION_MEMBERS)
        if unknown:
            raise _Problem(f"{action}: unknown member {unknown!r}: known are target, update, remove, description")
        if not isinstance(row.get("remove", False), bool):
            raise _Problem(f"{action}: remove is {_formatted(row['remove'])}: write true, or leave it out")
        if not action.remove and "update" not in row:
            raise _Problem(f"{action}: neither updates nor removes anything: give it update, or remove: true")
        _query(action)
        yield action


def _unknown(value: dict[str, Any], known: frozenset[str]) -> str | None:
    return next((name for name in value if name not in known and not name.startswith("x-")), None)


def _query(action: Action) -> Any:
    """Compile the target as an RFC 9535 JSONPath."""
    from jsonpath import JSONPathEnvironment
    from jsonpath.exceptions import JSONPathError

    if not action.target.startswith("$"):
        raise _Problem(f"{action}: the target is no JSONPath (RFC 9535): it begins with $; correct it")
    try:
        return JSONPathEnvironment(strict=True).compile(action.target)
    except (JSONPathError, RecursionError, ValueError) as error:
        raise _Problem(f"{action}: the target is no JSONPath (RFC 9535): {_line(error)}; correct it") from None


def _matches(action: Action, content: dict[str, Any]) -> list[tuple[str | int, ...]]:
    """Return the places that the target selects."""
    from jsonpath.exceptions import JSONPathError

    try:
        return [tuple(node.parts) for node in _query(action).finditer(content)]
    except (JSONPathError, RecursionError, ValueError) as error:
        raise _Problem(f"the target cannot be looked for: {_line(error)}; correct it") from None


def _after(action: Action, before: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of the document with one action applied."""
    content = copy.deepcopy(before)
    found = _matches(action, content)
    if not found:
        raise _Problem(
            "the target matches nothing; python -m batch_conformance.contract prints what it is looked for in"
        )
    # Last first, so that a removal does not shift the index of another one.
    places = sorted(set(found), key=lambda parts: [_order(part) for part in parts])
    for parts in reversed(places) if action.remove else places:
        _change(action, content, parts)
    refreshed(content, before)
    return content


def _order(part: str | int) -> tuple[int, int, str]:
    return (0, part, "") if isinstance(part, int) else (1, 0, part)


def _change(action: Action, content: dict[str, Any], parts: tuple[str | int, ...]) -> None:
    holder: Any = None
    value: Any = content
    try:
        for part in parts:
            holder, value = value, value[part]
    except (KeyError, IndexError, TypeError):
        # The action has already replaced the parent of this place.
        return
    if action.remove:
        if not parts:
            raise _Problem("the whole document cannot be removed; select a part of it")
        del holder[parts[-1]]
    elif isinstance(value, dict):
        if not isinstance(action.update, dict):
            raise _Problem(f"the target is an object, the update {_kind(action.update)}; give an object to merge")
        _merge(value, action.update)
    elif isinstance(value, list):
        entries = action.update if isinstance(action.update, list) else [action.update]
        value.extend(copy.deepcopy(entries))
    else:
        holder[parts[-1]] = copy.deepcopy(action.update)


def _merge(value: dict[str, Any], update: dict[str, Any]) -> None:
    for name, item in update.items():
        known = value.get(name)
        if isinstance(known, dict) and isinstance(item, dict):
            _merge(known, item)
        elif isinstance(known, list) and isinstance(item, list):
            known.extend(copy.deepcopy(item))
        else:
            value[name] = copy.deepcopy(item)


def _kind(value: Any) -> str:
    if value is None:
        return "is null"
    names = {bool: "a boolean", str: "a string", list: "an array", int: "a number", float: "a number"}
    return f"is {names[type(value)]}"


def _formatted(value: Any) -> str:
    return repr(value) if len(repr(value)) <= 60 else repr(value)[:59] + "…"


def _line(error: BaseException) -> str:
    """Return the first line of an error message, shortened."""
    message = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return " ".join(message.split())[:200]
