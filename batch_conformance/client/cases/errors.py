"""Cases for ``client.error.*`` and ``client.retry.*``: error statuses, with bodies as documented and not."""

from __future__ import annotations

from collections.abc import Iterator

from batch_conformance.client.cases.case import SHORT_DEADLINE, Ask, Case, Deck
from batch_conformance.client.stub.answers import Answer, error, json_body, text
from batch_conformance.generate.errors import OddBody, odd_bodies
from batch_conformance.judge.client.material import Refusal, Unfit, Valid, may_be_retried

_RETRY = ("client.retry.bounded", "client.retry.waits")
_ALL = ("client.auth.not-in-errors",)


#: Those that a documented server never sends, those that proxies send, and those that some clients take to be special.
_OTHERS = (403, 503, 400, 502, 402, 418, 405, 408, 409, 410, 422, 451, 499, 406, 413, 415, 425, 431, 504, 599)


def error_cases(deck: Deck) -> Iterator[Case]:
    """Statuses, messages, odd bodies and bodies that lie."""
    yield from _statuses(deck)
    yield from _messages(deck)
    # Few of 429 and 5xx: a client that retries them, as it may, takes seconds for each.
    for status, count in ((503, 1), (404, None), (500, 2), (401, 12), (403, 8)):
        for odd in odd_bodies(status)[:count]:
            yield odd_case(deck, status, odd)
    yield from _lies(deck)
    yield from _says_error(deck)
    yield from _retries(deck)


def _statuses(deck: Deck) -> Iterator[Case]:
    for status, message in ((401, "Unauthorized"), (404, "Batch not found")):
        clauses = (f"client.error.{status}", "client.retry.never-401-404", *_ALL)
        yield _refused(deck, f"a {status}", clauses, Refusal(status), error(status, message))
        yield _refused(
            deck,
            f"a {status} with an error code",
            clauses,
            Refusal(status),
            error(status, message, errorCode="no_such"),
        )
    for status, message in ((429, "too many from organisation 7781"), (500, "the archive does not respond")):
        yield _refused(
            deck,
            f"a {status}",
            (f"client.error.{status}", "client.error.message", *_RETRY, *_ALL),
            Refusal(status, (message,)),
            error(status, message),
        )
    for status in _OTHERS:
        more = _RETRY if may_be_retried(status) else ("client.request.single",)
        yield _refused(
            deck, f"a {status}", ("client.error.other-status", *more, *_ALL), Refusal(status),
            error(status, "not this time"),
        )  # fmt: skip


def _messages(deck: Deck) -> Iterator[Case]:
    clause = ("client.error.message", *_ALL)
    for status, words in ((401, "your key was revoked on Monday"), (404, "nothing here for organisation 7781"),
                          (400, "that id is not one of ours")):  # fmt: skip
        yield _refused(
            deck, f"a {status} with a message", clause, Refusal(status, (words,)), error(status, words)
        )
    for status, several in (
        (400, ["id must be longer than 3 characters", "id must start with batch"]),
        (404, ["no batch of that name", "no organisation of that name", "try another one"]),
        (401, ["one reason only"]),
    ):
        yield _refused(
            deck, f"a {status} with an array of {len(several)}", clause, Refusal(status, tuple(several)),
            error(status, several),
        )  # fmt: skip
    wide = "kein Schlüssel für die Gruppe 中文"
    yield _refused(deck, "a 403 with a message beyond ASCII", clause, Refusal(403, (wide,)), error(403, wide))
    words = "nobody may ask for that many"
    yield _refused(
        deck, "a 400 with a message and a code", clause, Refusal(400, (words,)),
        error(400, words, errorCode="limit_reached"),
    )  # fmt: skip
    long = "a long story: " + " ".join(f"step {number}" for number in range(12))
    yield _refused(deck, "a 403 with a long message", clause, Refusal(403, (long,)), error(403, long))


def odd_case(deck: Deck, status: int, odd: OddBody) -> Case:
    """An error status with a body that is not the documented one."""
    more = _RETRY if may_be_retried(status) else ()
    return _refused(
        deck, f"a {status} with {odd.what}", ("client.error.odd-body", *more, *_ALL), Refusal(status, body=odd.what),
        text(status, odd.body, odd.media_type),
    )  # fmt: skip


def _lies(deck: Deck) -> Iterator[Case]:
    clause = ("client.error.status-line-wins", *_ALL)
    for status, claimed in (
        (404, 200),
        (404, 500),
        (401, 404),
        (403, 401),
        (500, 404),
        (401, 200),
        (404, 429),
        (400, 404),
    ):
        body = error(status, "as it says above", statusCode=claimed)
        told = Refusal(status, body=f"statusCode {claimed}", claimed=claimed)
        yield _refused(deck, f"a {status} whose body says {claimed}", clause, told, body)
    for status, code in ((403, "not_found"), (404, "unauthorized"), (400, "rate_limited")):
        told = Refusal(status, body=f"errorCode {code}")
        body = error(status, "as it says above", errorCode=code)
        yield _refused(deck, f"a {status} whose errorCode is {code}", clause, told, body)
    for status, written in ((404, "401"), (403, "404")):
        told = Refusal(status, body=f"statusCode {written} as text", claimed=int(written))
        body = error(status, "as it says above", statusCode=written)
        yield _refused(deck, f"a {status} whose body says {written}, as text", clause, told, body)
    for status in (404, 401):
        hidden = json_body({**deck.batch(), "message": "as it says above", "statusCode": status}, status)
        told = Refusal(status, body="a batch")
        yield _refused(deck, f"a {status} with a batch in its body", clause, told, hidden)
    for claimed in (404, 500):
        batch = deck.batch()
        told_as = {**batch, "statusCode": claimed, "message": "none"}
        yield Case(
            f"a 200 whose batch also says {claimed}",
            clause,
            (Ask(batch["id"], Valid(batch), (json_body(told_as),)),),
        )


def _says_error(deck: Deck) -> Iterator[Case]:
    for claimed in (404, 401):
        ask = Ask(deck.id(), Unfit(f"an error body that says {claimed}"), (error(claimed).of_status(200),))
        yield Case(
            f"a 200 with an error body that says {claimed}", ("client.error.status-line-wins", *_ALL), (ask,)
        )


def _retries(deck: Deck) -> Iterator[Case]:
    for status in (401, 404):
        told = Refusal(status, body="Retry-After")
        answer = error(status, "not now").with_header("Retry-After", "1")
        clause = ("client.retry.never-401-404", f"client.error.{status}", *_ALL)
        yield _refused(deck, f"a {status} with Retry-After: 1", clause, told, answer)
    clauses = ("client.retry.waits", "client.retry.bounded", *_ALL)
    # Many clients wait about a second of their own accord, a little more or less: only two seconds tell.
    for status, seconds, times in ((429, 2, 1), (503, 1, 2)):
        ask = deck.refusal(
            Refusal(status, retry_after=float(seconds)),
            error(status, "come back later").with_header("Retry-After", str(seconds)),
        )
        # Refusals, then the batch: what a client reports in the end depends on how often it retries.
        some = Ask(ask.batch_id, ask.told, (*ask.answers[:times], ask.answers[-1]))
        yield Case(f"a {status} with Retry-After: {seconds}", clauses, (some,), waits=True)
    for status in (503, 429):
        ask = deck.refusal(
            Refusal(status, retry_after=2.0),
            error(status, "come back later").with_header("Retry-After", "{2 s from now}"),
        )
        some = Ask(ask.batch_id, ask.told, (ask.answers[0], ask.answers[-1]))
        yield Case(f"a {status} with a date two seconds ahead as Retry-After", clauses, (some,), waits=True)
    for status, after, what in (
        (429, "3600", "3600"),
        (503, "86400", "86400"),
        (503, "{3600 s from now}", "a date an hour ahead"),
    ):
        # Dates are for the clause about waits: a client may trip over them in any form.
        first, second = _RETRY if after.isdecimal() else _RETRY[::-1]
        # Nobody can wait that long and keep the deadline: to give up, or to ask again earlier, are both right.
        answer = error(status, "not today").with_header("Retry-After", after)
        ask = deck.refusal(Refusal(status), answer, timeout_s=SHORT_DEADLINE)
        title = f"a {status} with Retry-After: {what}"
        yield Case(title, (first, second, *_ALL), (ask,), waits=True)
    yield _refused(
        deck, "429 again and again, with Retry-After: 0", ("client.retry.bounded", "client.retry.waits", *_ALL),
        Refusal(429, retry_after=0.0), error(429, "still not").with_header("Retry-After", "0"),
    )  # fmt: skip
    yield _refused(
        deck, "429 again and again", ("client.retry.bounded", "client.retry.waits", *_ALL), Refusal(429),
        error(429, "still not"),
    )  # fmt: skip


def _refused(deck: Deck, title: str, clauses: tuple[str, ...], told: Refusal, answer: Answer) -> Case:
    waits = may_be_retried(told.status)
    return Case(title, clauses, (deck.refusal(told, answer),), waits=waits)
