"""Faults in status line and headers of successes: ``server.ok.*``."""

from __future__ import annotations

from collections.abc import Callable

from batch_conformance.mutants.server.base import fault_in_answer
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

DOCUMENTED = "server.error.documented-status"


def _good(change: Callable[[Answer], None], nth: int = 1) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    count = 0

    def apply(server: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
        nonlocal count
        if answer.status == 200:
            count += 1
            if count % nth == 0:
                change(answer)
        return answer

    return apply


def _status(status: int) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        answer.status = status

    return change


def _type(media_type: str | None) -> Callable[[Answer], None]:
    def change(answer: Answer) -> None:
        answer.media_type = media_type

    return change


def _failing(answer: Answer) -> None:
    answer.status = 500
    answer.body = {"message": "Internal server error", "statusCode": 500}


def _not_found(answer: Answer) -> None:
    answer.status = 404
    answer.body = {"message": "Batch not found", "statusCode": 404}


def _claims_brotli(answer: Answer) -> None:
    answer.headers = [*answer.headers, ("Content-Encoding", "br")]


def _accepted_until_completed(_: ReferenceServer, __: Asked, answer: Answer) -> Answer:
    if answer.status == 200 and answer.body["status"] != "COMPLETED":
        answer.status = 202
    return answer


for _code in (201, 202, 203, 206):
    fault_in_answer("server.ok.status", f"ok-{_code}", _good(_status(_code)),
                    also=[DOCUMENTED, "server.auth.header-name-case"])  # fmt: skip
fault_in_answer("server.ok.status", "ok-202-until-completed", _accepted_until_completed, also=[DOCUMENTED])
fault_in_answer("server.ok.status", "ok-500-every-7th", _good(_failing, 7), also=[DOCUMENTED])
fault_in_answer("server.ok.status", "ok-201-every-6th", _good(_status(201), 6), also=[DOCUMENTED])

fault_in_answer("server.ok.status", "ok-404-every-7th", _good(_not_found, 7))

for _name, _value in {
    "type-html": "text/html",
    "type-text": "text/plain; charset=utf-8",
    "type-missing": None,
    "type-text-json": "text/json",
    "type-vendor": "application/vnd.sync+json",
    "type-octets": "application/octet-stream",
    "type-json-seq": "application/json-seq",
    "type-x-json": "application/x-json",
    "type-problem": "application/problem+json",
    "type-javascript": "application/javascript",
    "type-two": "application/json, text/html",
}.items():
    fault_in_answer("server.ok.media-type", _name, _good(_type(_value)))
fault_in_answer("server.ok.media-type", "type-html-every-6th", _good(_type("text/html"), 6))
fault_in_answer("server.ok.json", "coding-that-is-none", _good(_claims_brotli))
