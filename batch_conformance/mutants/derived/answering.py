"""Servers that change responses of one status, and the changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from batch_conformance.reference.server import Answer, Asked, ReferenceServer, operation_of


def with_header(answer: Answer, name: str, value: str | None) -> Answer:
    """Return the response with a header replaced, or without it."""
    rest = [row for row in answer.headers if row[0].lower() != name.lower()]
    answer.headers = rest if value is None else [*rest, (name, value)]
    return answer


class _Changed(ReferenceServer):
    """Changes its responses of one status."""

    status = 0
    operation_name = ""

    @staticmethod
    def change(answer: Answer) -> Answer:
        """Return the response to send instead."""
        return answer

    def answer(self, asked: Asked) -> Answer:
        answer = super().answer(asked)
        other = self.operation_name and operation_of(asked).name != self.operation_name
        return answer if other or answer.status != self.status else self.change(answer)


def answering(status: int, change: Callable[[Answer], Answer], operation: str = "") -> ReferenceServer:
    """Return a server that changes its responses of one status, of one operation if it is named."""
    members = {"status": status, "operation_name": operation, "change": staticmethod(change)}
    kind: type[_Changed] = type("Changed", (_Changed,), members)
    return kind()


def with_fault(answer: Answer, faulty: Any, base: Any) -> Answer:
    """Return the response with the faulty body; members without a fault keep the response's own values."""
    body, own = faulty, answer.body
    if isinstance(faulty, dict) and isinstance(base, dict) and isinstance(own, dict):
        intact = {name for name, item in faulty.items() if name in base and base[name] == item}
        body = {name: own.get(name, item) if name in intact else item for name, item in faulty.items()}
    return with_body(answer, body)


def with_body(answer: Answer, body: Any) -> Answer:
    """Return the response with another body."""
    return Answer(answer.status, body, answer.headers, answer.media_type)


def as_text(answer: Answer) -> Answer:
    """Return the response as text/plain."""
    return Answer(answer.status, answer.content(), answer.headers, "text/plain")


def with_status(answer: Answer, status: int) -> Answer:
    """Return the response with another status, also where the body repeats it."""
    body = answer.body
    if isinstance(body, dict):
        body = {name: status if item == answer.status else item for name, item in body.items()}
    return Answer(status, body, answer.headers, answer.media_type)
