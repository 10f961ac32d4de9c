"""Cases for ``client.reject.*``: a 200 that holds no batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from batch_conformance.client.cases.case import Ask, Case, Deck
from batch_conformance.client.stub.answers import Answer, empty, html, json_body, text
from batch_conformance.generate.batches import near_valid
from batch_conformance.judge.client.material import Unfit


def reject_cases(deck: Deck) -> Iterator[Case]:
    """No JSON, no object, and objects with one member wrong."""
    whole = json.dumps(deck.batch())
    not_json: list[tuple[str, Answer]] = [
        ("an HTML page", html()),
        ("an HTML page that claims to be JSON", html().as_type("application/json")),
        ("no body", empty()),
        ("no body and no media type", Answer(200)),
        ("white space", text(200, " \r\n ")),
        ("JSON cut off before the last brace", text(200, whole[:-1])),
        ("JSON cut off in the middle", text(200, whole[: len(whole) // 2])),
        ("JSON cut off after the first member", text(200, whole[: whole.index(",")])),
        ("JSON cut off behind a comma", text(200, whole[: whole.rindex(",") + 1])),
        ("an opening brace", text(200, "{")),
        ("a comma before the last brace", text(200, whole[:-1] + ",}")),
        ("a batch with a comment in it", text(200, whole.replace(",", ", /* none */", 1))),
        ("a batch and more behind it", text(200, whole + " and more")),
        ("two batches, one behind the other", text(200, whole + whole)),
        ("plain text", text(200, "OK", "text/plain")),
        ("plain text that claims to be JSON", text(200, "COMPLETED")),
        ("quotes of the wrong kind", text(200, whole.replace('"', "'"))),
        ("a form", text(200, "id=batch_1&status=COMPLETED", "application/x-www-form-urlencoded")),
    ]
    for what, answer in not_json:
        yield unfit_case(deck, what, "client.reject.not-json", answer)
    not_object: list[tuple[str, Any]] = [
        ("null", None),
        ("an empty array", []),
        ("an array with the batch in it", [deck.batch()]),
        ("a string", "COMPLETED"),
        ("a string that holds the batch as JSON", whole),
        ("a number", 200),
        ("true", True),
        ("false", False),
        ("zero", 0),
        ("an array of pairs", [["id", "batch_1"], ["status", "COMPLETED"]]),
        ("an empty string", ""),
    ]
    for what, value in not_object:
        yield unfit_case(deck, what, "client.reject.not-object", json_body(value))
    for row in near_valid(deck.batch("{id}")):
        yield unfit_case(deck, row.what, "client.reject.wrong-types", json_body(row.batch))


def unfit_case(deck: Deck, what: str, clause: str, answer: Answer) -> Case:
    """A 200 that is an error all the same; ``{id}`` in its body becomes the id that is asked for."""
    batch_id = deck.id()
    told = answer.with_body(answer.body.replace(b"{id}", batch_id.encode()))
    return Case(
        f"a 200 with {what}", (clause, "client.auth.not-in-errors"), (Ask(batch_id, Unfit(what), (told,)),)
    )
