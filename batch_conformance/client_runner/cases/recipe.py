"""Replay recipe of a case, for reports: its calls and the stub's responses as JSON data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from itertools import groupby
from typing import Any

from batch_conformance.checks.by_operation import JUDGED
from batch_conformance.client_runner.cases.case import Case
from batch_conformance.client_runner.stub.answers import StubResponse
from batch_conformance.contract import current_contract
from batch_conformance.http import Redactor
from batch_conformance.http.recipe import NotRepeatable, Piece, text_from, text_recipe

#: Returns the secret for the kind and name of a piece.
Secret = Callable[[str, str], str]


def case_recipe(case: object, secrets: Mapping[str, Piece], redactor: Redactor) -> dict[str, Any] | None:
    """Return the calls of a case with their responses as JSON data; None for a case that cannot be replayed."""
    if not isinstance(case, Case):
        return None

    def pieces(text: str) -> list[Piece]:
        return text_recipe(text, secrets, redactor)

    def answers(responses: Sequence[StubResponse]) -> list[dict[str, Any]]:
        rows = [(answer, sum(1 for _ in same)) for answer, same in groupby(responses)]
        return [{"times": times, **_answer(answer, pieces)} for answer, times in rows]

    try:
        recipe: dict[str, Any] = {
            "calls": [
                {
                    "batch_id": pieces(step.batch_id),
                    "operation": step.operation or case.operation,
                    "arguments": [[name, value if value is None else pieces(value)] for name, value in step.arguments],
                    "timeout_s": step.timeout_s,
                    "answers": answers(step.answers),
                }
                for step in case.asks
            ]
        }
        if case.elsewhere:
            recipe["elsewhere"] = answers(case.elsewhere)
    except NotRepeatable:
        return None
    if case.together:
        recipe["together"] = True
    if case.base_path:
        recipe["base_path"] = case.base_path
    return recipe


def _answer(answer: StubResponse, pieces: Callable[[str], list[Piece]]) -> dict[str, Any]:
    """Return the fields of a response that differ from their defaults."""
    members: dict[str, Any] = {}
    for field in fields(StubResponse):
        value = getattr(answer, field.name)
        if value == field.default and field.default is not MISSING:
            continue
        if isinstance(value, bytes):
            members[field.name] = pieces(value.decode("utf-8", "surrogateescape"))
        elif field.name == "headers":
            members[field.name] = [[pieces(name), pieces(text)] for name, text in value]
        else:
            members[field.name] = pieces(value) if isinstance(value, str) and field.name == "reason" else value
    return members


@dataclass(frozen=True)
class CallToReplay:
    """One call to replay; ``answers`` are sent one a request, the last one repeatedly."""

    operation: str
    batch_id: str
    arguments: tuple[tuple[str, str], ...]
    timeout_s: float
    answers: tuple[Mapping[str, Any], ...]

    @property
    def words(self) -> str:
        """The call as its driver operation, with the arguments that are given."""
        named = [("batch_id", self.batch_id)] if current_contract().operation(self.operation).id_parameter else []
        given = ", ".join(f"{name}={value!r}" for name, value in (*named, *self.arguments))
        return f"{JUDGED[self.operation]}({given})"


def calls_from(recipe: Mapping[str, Any]) -> list[CallToReplay]:
    """Return the calls of a recipe. Raises ``ValueError``, ``KeyError`` or ``TypeError`` for a malformed one."""
    return [
        CallToReplay(
            # Reports of earlier versions have neither.
            call.get("operation", "get"),
            text_from(call["batch_id"], _no_secret),
            tuple(
                (name, text_from(value, _no_secret)) for name, value in call.get("arguments", ()) if value is not None
            ),
            float(call["timeout_s"]),
            tuple(repeated(call["answers"])),
        )
        for call in recipe["calls"]
    ]


def repeated(answers: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield each response ``times`` times."""
    for answer in answers:
        yield from [answer] * int(answer.get("times", 1))


def answer_from(recipe: Mapping[str, Any], secret: Secret) -> StubResponse:
    """Return the response of a recipe. Raises ``ValueError``, ``KeyError`` or ``TypeError`` for a malformed one."""
    given: dict[str, Any] = {}
    for field in fields(StubResponse):
        if field.name not in recipe:
            continue
        value = recipe[field.name]
        if field.name in ("body", "raw"):
            value = text_from(value, secret).encode("utf-8", "surrogateescape")
        elif field.name == "headers":
            value = tuple((text_from(name, secret), text_from(text, secret)) for name, text in value)
        elif field.name == "reason":
            value = text_from(value, secret)
        given[field.name] = value
    return StubResponse(**given)


def _no_secret(kind: str, name: str) -> str:
    raise ValueError(f"an id that holds a secret ({kind} {name})")
