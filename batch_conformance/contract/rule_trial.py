"""Trial of rules: each is compiled and evaluated on sample values of the types that its schema names.

The values need not be valid: whether a rule can be evaluated depends on types and on which members are
present.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from typing import Any

from batch_conformance.contract.cel_values import parts
from batch_conformance.contract.current import base_contract
from batch_conformance.contract.entity import Entity, entities
from batch_conformance.contract.formats import FORMATS
from batch_conformance.contract.operation import Contract
from batch_conformance.contract.references import Document, Schema, types_of
from batch_conformance.contract.rule_list import STRING, layers
from batch_conformance.contract.rules import Rule, RuleError, RuleSet, RuntimeMissing, Unevaluable

_CONSTANT = re.compile(rf"\b(?:timestamp|duration)\(\s*{STRING}\s*\)")
_TRIES = 24
_DEEPEST = 6
_TYPES = ("string", "integer", "object", "array", "boolean", "number", "null")
_BY_KEYWORD = {"properties": "object", "items": "array", "prefixItems": "array", "pattern": "string"}


def rule_problems(contract: Contract) -> Iterator[str]:
    """Yield the rules that do not compile or cannot be evaluated on any value, as one-line messages.

    Yields nothing for the contract without overlays, nor without a CEL runtime.
    """
    for entity in entities(contract, errors=True):
        if not entity.stated_rules or _is_unchanged(entity, contract):
            continue
        try:
            rules = entity.rules.rules
        except RuntimeMissing:
            return
        except RuleError as error:
            yield str(error).removeprefix("at ")
            continue
        for rule in rules:
            problem = type_error(rule, entity.document) or _bad_constant(rule)
            if problem:
                place = f"{rule.schema_pointer}: the rule {rule.rule!r}"
                yield f"{place} cannot be evaluated on any value of its schema: {problem}"


def _bad_constant(rule: Rule) -> str:
    """Return why a time or duration that is written in a rule is none; empty if all are."""
    for call in _CONSTANT.finditer(rule.rule):
        alone = {"x-validations": [{"rule": f"{call.group()} == {call.group()}", "message": "constant"}]}
        (one,) = RuleSet(alone, {}).evaluate({})
        if isinstance(one.outcome, Unevaluable):
            return f"{call.group()}: {one.outcome.reason}"
    return ""


def _is_unchanged(entity: Entity, contract: Contract) -> bool:
    base = base_contract()
    # Rules of edited files have not been tried before.
    return (
        not base.edited
        and contract.document.schemas == base.document.schemas
        and any((one.pointer, one.schema) == (entity.pointer, entity.schema) for one in entities(base, errors=True))
    )


def type_error(rule: Rule, document: Document) -> str:
    """Return the type error, or the malformed pattern, of a rule on sample values; empty if one can be evaluated."""
    error = ""
    values = [_Sampler(document, number).value([rule.schema]) for number in range(_TRIES)]
    for value, other in zip(values, [*values[1:], values[0]], strict=True):
        for old in (value, other) if rule.transition else (value,):
            outcome = rule.evaluate(value, old)
            if not isinstance(outcome, Unevaluable):
                return ""
            if (outcome.wrong_type or outcome.malformed) and not error:
                error = outcome.reason
    return error


class _Sampler:
    """Makes a sample value of a schema, varied by ``number``."""

    def __init__(self, document: Document, number: int) -> None:
        self._document = document
        self._number = number
        self._chance = random.Random(number)

    def value(self, schemas: Sequence[Schema], depth: int = 0) -> Any:
        """Return a value of the types that the schemas of one place name, with most members present."""
        rows = [row for schema in schemas for row in layers(schema, self._document)]
        found = [layer for layer, _ in rows]
        for name in ("const", "enum", "examples"):
            given = [layer[name] for layer in found if name in layer]
            listed = given if name == "const" else [one for row in given for one in row]
            if listed:
                return self._one(listed)
        kind = self._one(_types(rows))
        if kind == "object":
            return self._object(found, depth)
        if kind == "array":
            items = parts(found, 0)
            return [self.value(items, depth + 1)] if depth < _DEEPEST else []
        if kind == "string":
            formats = [FORMATS[layer["format"]] for layer in found if layer.get("format") in FORMATS]
            texts = [text for one in formats for _, text in one.valid if isinstance(text, str)]
            return self._one(texts or ["text"])
        least = max((layer["minimum"] for layer in found if "minimum" in layer), default=1)
        number = int(least) + self._number
        return {"integer": number, "number": number + 0.5, "boolean": self._number % 2 == 0}.get(kind)

    def _object(self, found: Sequence[dict[str, Any]], depth: int) -> dict[str, Any]:
        required = [name for layer in found for name in layer.get("required", ())]
        optional = [name for layer in found for name in layer.get("properties", ())]
        if self._number % 4 == 3:
            optional = [name for name in optional if self._chance.random() < 0.5]
        names = dict.fromkeys([*required, *(optional if depth < _DEEPEST else ())])
        if not names and any(isinstance(layer.get("additionalProperties"), dict) for layer in found):
            names = {"key": None}
        if depth > 2 * _DEEPEST:
            return {}
        return {name: self.value(parts(found, name), depth + 1) for name in names}

    def _one(self, options: Sequence[Any]) -> Any:
        """Return one option: each in turn for the first numbers, then a random one."""
        if self._number < _TRIES // 2:
            return options[self._number % len(options)]
        return self._chance.choice(options)


def _types(rows: Sequence[tuple[dict[str, Any], bool]]) -> list[str]:
    """Return the types that a value may have: those allowed by all layers, else named by any branch."""
    stated = [(types_of(layer), maybe) for layer, maybe in rows if "type" in layer]
    unconditional = [kinds for kinds, maybe in stated if not maybe]
    if unconditional:
        common = [kind for kind in unconditional[0] if all(_allows(kinds, kind) for kinds in unconditional)]
        return common or unconditional[0]
    named = [kind for kinds, _ in stated for kind in kinds]
    named = named or [_BY_KEYWORD[name] for layer, _ in rows for name in layer if name in _BY_KEYWORD]
    return list(dict.fromkeys(named)) or list(_TYPES)


def _allows(kinds: Sequence[str], kind: str) -> bool:
    return kind in kinds or (kind == "integer" and "number" in kinds)
