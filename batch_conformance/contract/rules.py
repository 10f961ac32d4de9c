"""Rules that a JSON Schema cannot express: CEL under ``x-validations`` of any schema.

An entry has ``rule`` (CEL; ``self`` is the value of that schema, ``oldSelf`` the same place in an earlier
read of the entity), ``message`` or ``messageExpression`` (CEL that gives text), and optionally ``code``. A
rule that names ``oldSelf`` is a transition rule. The runtime, ``cel-expr-python``, is imported when a rule is
compiled.

Numbers: a place of type ``integer`` is an int (also ``5.0``), one of type ``number`` a double, any other an
int if it has no fraction. As everywhere in CEL, arithmetic does not mix the two, comparison does.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from batch_conformance.contract.cel_values import CelValues, in_doubles, inners, is_large
from batch_conformance.contract.places import within
from batch_conformance.contract.pointers import MISSING, join, read, split
from batch_conformance.contract.references import Document, Schema, pointer_of, resolve
from batch_conformance.contract.rule_list import (
    STEP,
    STRING,
    named_paths,
    path_steps,
    rule_code,
    unknown_path,
    wrong_form,
)
from batch_conformance.contract.schema import SchemaJudge, shown

#: Rules are not supported below these keywords, whose subschemas do not constrain a value by themselves.
_UNRULED = ("not", "if", "contains", "propertyNames", "unevaluatedProperties", "unevaluatedItems")
_NAMED = ("self", "oldSelf")
#: The runtime has no error codes; these texts mark its messages about wrong types.
_TYPE_ERRORS = ("No matching overloads", "no such overload", "Applying SELECT to non-message type")
_BAD_PATTERN = "invalid regular expression"
_LITERAL = re.compile(
    rf"(?P<path>(?:self|oldSelf)(?:{STEP})+)|{STRING}|(?<![\w.])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])"
)


class RuleError(ValueError):
    """A rule that cannot be used. The message is one line: the rule and the problem."""


class RuntimeMissing(RuleError):
    """The CEL runtime is not installed."""


@dataclass(frozen=True)
class Holds:
    """Outcome: the rule is true for the value."""


@dataclass(frozen=True)
class Broken:
    """Outcome: the rule is false for the value; ``values`` are those that it names, by path."""

    message: str
    values: tuple[tuple[str, str], ...]

    def shown(self) -> str:
        """Format the values as one line of evidence."""
        return ", ".join(f"{path} is {value}" for path, value in self.values)


@dataclass(frozen=True)
class Unevaluable:
    """Outcome: the rule cannot be evaluated: a member is missing or has another type. Never a pass.

    ``wrong_type``: an operand or the result has a type that the rule cannot use; ``malformed``: a regular expression
    in it is none; ``reason`` is for people.
    """

    reason: str
    wrong_type: bool = False
    malformed: bool = False


Outcome = Holds | Broken | Unevaluable


@dataclass(frozen=True)
class Rule:
    """One compiled rule. ``pointer`` is the place of its values, with ``*`` for items of arrays and maps.

    ``paths`` are the paths it names, as written (``self.a.b``); ``schema_pointer`` is that of its entry.
    """

    rule: str
    message: str
    code: str
    pointer: str
    schema_pointer: str
    paths: tuple[str, ...]
    transition: bool
    schema: Schema = field(repr=False, compare=False)
    _values: CelValues = field(repr=False, compare=False, hash=False)
    _program: Any = field(repr=False, compare=False, hash=False)
    _message_program: Any = field(repr=False, compare=False, hash=False, default=None)

    def __hash__(self) -> int:
        return hash((self.rule, self.pointer, self.schema_pointer))

    def evaluate(self, self_value: Any, old: Any = MISSING) -> Outcome:
        """Evaluate the rule for a value of its place; ``old`` is the value of the earlier read."""
        return self.evaluate_converted(self_value, self._values.convert(self_value, self.schema), old)

    def evaluate_converted(self, self_value: Any, converted: Any, old: Any = MISSING) -> Outcome:
        """Evaluate as :meth:`evaluate`, with the value converted already."""
        if self.transition and old is MISSING:
            return Unevaluable("there is no earlier value to compare with")
        data = self._data(converted, old)
        answer, reason = _run(self._program, data)
        if answer is None and is_large(data):
            # Integers overflowed. Rounded doubles can show that the rule holds, not that it is broken.
            rounded, _ = _run(self._program, in_doubles(data))
            answer = True if rounded is True else None
        if answer is True:
            return Holds()
        if answer is False:
            return Broken(self._message(data), self._named_values(self_value, old))
        if reason:
            return Unevaluable(reason, any(text in reason for text in _TYPE_ERRORS), _BAD_PATTERN in reason)
        return Unevaluable(f"it answers {shown(answer)}, neither true nor false", wrong_type=True)

    def holds(self, self_value: Any, old: Any = MISSING) -> bool | None:
        """Evaluate without evidence: true, false, or None if it cannot be evaluated."""
        if self.transition and old is MISSING:
            return None
        answer, _ = _run(self._program, self._data(self._values.convert(self_value, self.schema), old))
        return answer if isinstance(answer, bool) else None

    def _data(self, converted: Any, old: Any) -> dict[str, Any]:
        data = {"self": converted}
        if self.transition:
            data["oldSelf"] = self._values.convert(old, self.schema)
        return data

    def targets(self, root: str = "self") -> list[str]:
        """Return the pointers, relative to the rule's place, that it names below ``self`` or ``oldSelf``."""
        found = [path_steps(path) for path in self.paths if path == root or re.match(rf"{root}[.\[\s]", path)]
        return [join("", *steps) for steps in found]

    def looks_into(self, value: Any, before: Any) -> bool:
        """Whether it is only about members of a null."""
        nulls = [root for root, one in (("self", value), ("oldSelf", before)) if one is None]
        return any((named := self.targets(root)) and all(named) for root in nulls)

    def names_null(self, value: Any, before: Any) -> bool:
        """Whether a member that it names is null, or what that member would be in."""
        rows = ((value, self.targets()), (before, self.targets("oldSelf")))
        return any(read(one, above) is None for one, places in rows for place in places for above in _down_to(place))

    def literals(self) -> list[Any]:
        """Return the numbers and strings in the text of the rule."""
        found: list[Any] = []
        for match in _LITERAL.finditer(self.rule):
            text = match.group()
            if match["path"]:
                continue
            if not text[0].isdigit():
                found.append(text.lstrip("rRbB").strip("\"'"))
            else:
                found.append(float(text) if set(text) & set(".eE") else int(text))
        return found

    def _message(self, data: dict[str, Any]) -> str:
        if self._message_program is not None:
            answer, _ = _run(self._message_program, data)
            if isinstance(answer, str):
                return answer
        return self.message or f"{self.rule} is false"

    def _named_values(self, self_value: Any, old: Any) -> tuple[tuple[str, str], ...]:
        rows = []
        for path in self.paths:
            value = read(old if path.startswith("oldSelf") else self_value, join("", *path_steps(path)))
            rows.append((path, "missing" if value is MISSING else shown(value)))
        return tuple(rows)


def _down_to(place: str) -> Iterator[str]:
    """Yield the pointers of the whole value, of what a place is in, and of the place itself."""
    steps = split(place)
    yield from (join("", *steps[:depth]) for depth in range(len(steps) + 1))


def _run(program: Any, data: dict[str, Any]) -> tuple[Any, str]:
    """Run a program; return its result, or None and the error."""
    try:
        answer = program.eval(data=data)
        if answer.type().name() == "ERROR":
            return None, _one_line(str(answer.value()))
        return answer.plain_value(), ""
    except Exception as error:  # The runtime raises many kinds for values that it cannot take.
        return None, _one_line(str(error))


def _one_line(text: str) -> str:
    first = text.strip().split("\n")[0]
    return re.sub(r"^(?:[A-Z_]+: )?(?:ERROR: <input>:\d+:(\d+): )?", "", first).replace(" (in container '')", "")[:200]


@dataclass(frozen=True)
class Evaluation:
    """One rule at one place of a value, with its outcome."""

    rule: Rule
    pointer: str
    outcome: Outcome


class RuleSet:
    """All rules of a schema, evaluated where their schemas apply to a value. Raises :class:`RuleError`."""

    def __init__(self, schema: Schema, document: Document) -> None:
        self.schema = schema
        self.document = document
        self._by_schema: dict[int, list[Rule]] = {}
        self._judges: dict[int, SchemaJudge] = {}
        self._holding: dict[int, bool] = {}
        self.rules: list[Rule] = []
        self._values = CelValues(document)
        self._compile(schema, pointer_of(schema, document), "", schema)

    def evaluate(self, value: Any, old: Any = MISSING) -> list[Evaluation]:
        """Evaluate every rule wherever it applies; transition rules only if an earlier value is given.

        Rules that are only about members do not apply to a documented null, nor do rules that cannot be evaluated with
        a documented null in a member.
        """
        if not self.rules:
            return []
        found: dict[tuple[Rule, str], Evaluation] = {}
        converted: dict[tuple[int, str], Any] = {}
        for rule, pointer, inner in self._applying(self.schema, value, ""):
            if (rule.transition and old is MISSING) or (rule, pointer) in found:
                continue
            before = read(old, pointer) if rule.transition else MISSING
            if rule.looks_into(inner, before) and self._fits(rule.schema, None):
                continue
            key = (id(rule.schema), pointer)
            if key not in converted:
                converted[key] = self._values.convert(inner, rule.schema)
            outcome = rule.evaluate_converted(inner, converted[key], before)
            odd = isinstance(outcome, Unevaluable) and outcome.wrong_type
            if odd and rule.names_null(inner, before) and self._fits(rule.schema, inner):
                continue
            found[rule, pointer] = Evaluation(rule, pointer, outcome)
        return list(found.values())

    def broken(self, value: Any, old: Any = MISSING) -> list[Evaluation]:
        """Return the evaluations of broken rules."""
        return [one for one in self.evaluate(value, old) if isinstance(one.outcome, Broken)]

    def forget(self, code: str) -> None:
        """Remove the rules of one code."""
        self.rules = [rule for rule in self.rules if rule.code != code]
        for key, own in self._by_schema.items():
            self._by_schema[key] = [rule for rule in own if rule.code != code]
        self._holding.clear()

    def _compile(self, schema: Schema, where: str, pointer: str, scope: Schema) -> None:
        """Compile the rules of a schema and its subschemas; ``scope`` is the whole schema of the value."""
        if isinstance(schema, bool) or id(schema) in self._by_schema:
            return
        self._by_schema[id(schema)] = own = []
        if "x-validations" in schema:
            own += _compiled(schema, scope, self._values, join(where, "x-validations"), pointer)
            self.rules += own
        for key in _UNRULED:
            if _has_rules(schema.get(key)):
                raise RuleError(f"at {join(where, key)}: rules are not supported below {key}")
        for inner, below, to in _children(schema, self.document, where, pointer):
            self._compile(inner, below, to, scope if to == pointer else inner)

    def _holds_rules(self, schema: Schema, seen: tuple[int, ...] = ()) -> bool:
        if isinstance(schema, bool) or id(schema) in seen:
            return False
        if id(schema) not in self._holding:
            own = bool(self._by_schema.get(id(schema)))
            below = _children(schema, self.document, "", "")
            answer = own or any(self._holds_rules(inner, (*seen, id(schema))) for inner, _, _ in below)
            if seen and not answer:
                return False
            self._holding[id(schema)] = answer
        return self._holding[id(schema)]

    def _applying(self, schema: Schema, value: Any, pointer: str) -> Iterator[tuple[Rule, str, Any]]:
        if isinstance(schema, bool) or not self._holds_rules(schema):
            return
        for rule in self._by_schema.get(id(schema), ()):
            yield rule, pointer, value
        if "$ref" in schema:
            yield from self._applying(resolve(schema["$ref"], self.document)[0], value, pointer)
        for inner in (*schema.get("allOf", ()), *self._fitting(schema, value)):
            yield from self._applying(inner, value, pointer)
        rows = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, item in rows:
            for inner in inners(schema, key):
                yield from self._applying(inner, item, join(pointer, key))

    def _fitting(self, schema: dict[str, Any], value: Any) -> Iterator[Schema]:
        for inner in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            if self._holds_rules(inner) and self._fits(inner, value):
                yield inner
        if "if" in schema and any(key in schema for key in ("then", "else")):
            branch = schema.get("then" if self._fits(schema["if"], value) else "else", True)
            yield branch
        for name, inner in schema.get("dependentSchemas", {}).items():
            if isinstance(value, dict) and name in value:
                yield inner

    def _fits(self, schema: Schema, value: Any) -> bool:
        judge = self._judges.get(id(schema))
        if judge is None:
            judge = self._judges[id(schema)] = SchemaJudge(schema, self.document, trusted=True)
        return judge.is_valid(value)


def _has_rules(schema: Any) -> bool:
    return isinstance(schema, dict) and ("x-validations" in schema or any(map(_has_rules, schema.values())))


def _children(schema: dict[str, Any], document: Document, where: str, pointer: str) -> list[tuple[Schema, str, str]]:
    rows = [(inner, below, to) for inner, below, to, _ in within(schema, where, pointer)]
    if "$ref" in schema:
        rows.append((*resolve(schema["$ref"], document), pointer))
    return rows


def _environment(names: tuple[str, ...]) -> Any:
    try:
        from cel_expr_python import cel
        from cel_expr_python.ext import ext_math, ext_strings
    except ImportError:
        raise RuntimeMissing("rules (x-validations) need the CEL runtime: pip install cel-expr-python") from None
    return cel.NewEnv(
        variables=dict.fromkeys(names, cel.Type.DYN),
        extensions=[ext_strings.ExtStrings(), ext_math.ExtMath()],
    )


def _compiled(schema: dict[str, Any], scope: Schema, values: CelValues, where: str, pointer: str) -> list[Rule]:
    rows = schema["x-validations"]
    if not isinstance(rows, list):
        raise RuleError(f"at {where}: a list of rules is meant")
    compiled = (_rule(row, scope, values, join(where, at), pointer) for at, row in enumerate(rows))
    # A rule about members that an overlay removed is ignored, even if a server still sends them.
    return [rule for rule in compiled if not unknown_path(rule.rule, scope, values.document)]


def _rule(row: Any, schema: Schema, values: CelValues, where: str, pointer: str) -> Rule:
    text = _text(row, where)
    paths = named_paths(text)
    transition = any(path.startswith("oldSelf") for path in paths)
    names = _NAMED if transition else ("self",)
    message = row.get("messageExpression")
    return Rule(
        rule=text,
        message=row.get("message", ""),
        code=rule_code(row),
        pointer=pointer,
        schema_pointer=where,
        paths=paths,
        transition=transition,
        schema=schema,
        _values=values,
        _program=_program(text, names, "BOOL", where),
        _message_program=None if message is None else _program(message, names, "STRING", where),
    )


def _text(row: Any, where: str) -> str:
    wrong = wrong_form(row)
    if wrong:
        raise RuleError(f"at {where}: {wrong}")
    return str(row["rule"])


def _program(text: str, names: tuple[str, ...], kind: str, where: str) -> Any:
    environment = _environment(names)
    try:
        program = environment.compile(text)
    except Exception as error:  # The runtime has no exceptions of its own.
        raise RuleError(f"at {where}: {shown(text)}: {_one_line(str(error))}") from None
    answer = program.return_type().name()
    if answer not in (kind, "DYN"):
        raise RuleError(f"at {where}: {shown(text)}: it answers {answer.lower()}, not {kind.lower()}")
    return program
