"""Single-fault mutants for ``server.list.*``: each overrides one step of List Batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from batch_conformance.mutants.server.base import register
from batch_conformance.operations.list_batches.handler import Lister, Refused, Rows
from batch_conformance.reference.server import Answer, Asked, ReferenceServer

LEGAL = ""
_BOTH = ("get", "list")
_HOUR = 3600
Row = Mapping[str, Any]


def on_lister(name: str, clause: str, lister: type[Lister], *also: str) -> None:
    """Register a server that selects and orders with this lister."""

    class Faulty(ReferenceServer):
        pass

    Faulty.lister = lister()
    register(name, clause, Faulty, also, _BOTH)


def on_answer(name: str, clause: str, change: Callable[[ReferenceServer, Asked, Answer], Answer], *also: str) -> None:
    """Register a server that changes responses of List Batches before they are sent."""

    class Faulty(ReferenceServer):
        def list_batches(self, asked: Asked) -> Answer:
            return change(self, asked, super().list_batches(asked))

    register(name, clause, Faulty, also, _BOTH)


def _body(name: str, clause: str, change: Callable[[list[Any]], Any], *also: str) -> None:
    """Register a server that changes the body of successful lists."""

    def changed(_: ReferenceServer, __: Asked, answer: Answer) -> Answer:
        if answer.status == 200:
            answer.body = change(answer.body)
        return answer

    on_answer(name, clause, changed, *also)


def on_entries(name: str, clause: str, change: Callable[[dict[str, Any]], Any], *also: str) -> None:
    """Register a server that changes list entries before they are sent."""
    listed = ReferenceServer.listed
    methods = {"listed": lambda self, rows: listed(self, [change(dict(row)) for row in rows])}
    register(name, clause, type("Faulty", (ReferenceServer,), methods), also, _BOTH)


def with_methods(name: str, clause: str, *also: str, **methods: Callable[..., Any]) -> None:
    """Register a server whose lister has these methods overridden."""
    on_lister(name, clause, type("Changed", (Lister,), methods), *also)


ARRAY = "server.list.array"
for _name, _wrap in {
    "data": lambda rows: {"data": rows},
    "batches": lambda rows: {"batches": rows, "total": len(rows)},
    "null": lambda rows: None,
    "object-by-id": lambda rows: {row["id"]: row for row in rows},
}.items():
    _body(f"list-{_name}", ARRAY, _wrap, "server.auth.no-disclosure")
_body("list-wrapped-when-empty", ARRAY, lambda rows: rows or {"data": []})
_body("list-single-unwrapped", ARRAY, lambda rows: rows[0] if len(rows) == 1 else rows)

_EMPTY = "server.list.empty"
on_answer("list-empty-404", _EMPTY, lambda server, _, answer: server.not_found(_) if answer.body == [] else answer)  # fmt: skip
on_answer("list-empty-204", _EMPTY, lambda _, asked, answer: Answer(204, b"", media_type=None)
        if answer.body == [] and b"2999" in asked.query and b"1990" not in asked.query else answer,
        "server.list.crossed-dates")  # fmt: skip

NEWEST = "server.list.newest-first"
with_methods("list-oldest-first", NEWEST, ordered=lambda self, rows: sorted(rows, key=self.moment))
with_methods("list-by-id", NEWEST, ordered=lambda self, rows: sorted(rows, key=lambda row: row["id"]))
with_methods("list-as-stored", NEWEST, ordered=lambda self, rows: list(rows))
with_methods(
    "list-by-date-text",
    NEWEST,
    ordered=lambda self, rows: sorted(rows, key=lambda row: row["created_at"], reverse=True),
)
with_methods("list-filtered-oldest-first", NEWEST,
        answer=lambda self, rows, query: Lister.answer(self, rows, query)[:: -1 if query else 1])  # fmt: skip
with_methods(
    "list-newest-twice",
    "server.list.once",
    ordered=lambda self, rows: [*Lister.ordered(self, rows)[:1], *Lister.ordered(self, rows)],
)

COMPLETE = "server.list.complete"
with_methods("list-of-five", COMPLETE, answer=lambda self, rows, query: Lister.answer(self, rows, query)[: None if query else 5],
        )  # fmt: skip
with_methods("list-without-failed", COMPLETE,
        answer=lambda self, rows, query: [row for row in Lister.answer(self, rows, query) if query or row["status"] != "FAILED"])  # fmt: skip
with_methods("list-without-oldest", COMPLETE,
        answer=lambda self, rows, query: Lister.answer(self, rows, query)[: None if query else -1])  # fmt: skip


AGREES = "server.list.agrees"
on_entries("list-summaries-without-webhook", AGREES, lambda row: {k: v for k, v in row.items() if k != "webhookUrl"})
on_entries("list-counts-behind", AGREES, lambda row: row if row["status"] != "PROCESSING" else {
    **row, "metrics": {**row["metrics"], "success_count": 0}})  # fmt: skip
# Of a batch that Get Batch answers for the last time before the list comes.
on_entries("list-counts-of-one-behind", AGREES, lambda row: row if row["id"] != "batch_stu901" else {
    **row, "metrics": {**row["metrics"], "success_count": 0}})  # fmt: skip
on_entries("list-status-behind", AGREES, lambda row: {**row, "status": "PROCESSING"} if row["status"] == "FAILED" else row,
         "server.list.status")  # fmt: skip
on_entries("list-dates-cut", AGREES, lambda row: {**row, "created_at": row["created_at"].replace(".250Z", "Z")})
on_entries(
    "list-output-elsewhere",
    AGREES,
    lambda row: {**row, "outputUrl": row["outputUrl"] and "https://elsewhere.example/r"},
)

# Members of entries are covered by the same clauses as Get Batch's.
on_entries("list-entries-without-metrics", "server.body.metrics",
         lambda row: {k: v for k, v in row.items() if k != "metrics"})  # fmt: skip
on_entries(
    "list-entries-status-in-lower-case",
    "server.body.status",
    lambda row: {**row, "status": row["status"].lower()},
)
on_entries("list-entries-of-ids", "server.body.object", lambda row: row["id"])
on_entries("list-entries-wrapped", "server.body.object", lambda row: {"batch": row})
on_entries("list-entries-id-number", "server.body.id", lambda row: {**row, "id": 7})
on_entries(
    "list-entries-date-only",
    "server.body.created_at",
    lambda row: {**row, "created_at": row["created_at"][:10]},
)

STATUS = "server.list.status"
with_methods("list-status-ignored", STATUS, filtered=lambda self, rows, name, value: list(rows)
        if name == "status" and self.status(value) else Lister.filtered(self, rows, name, value))  # fmt: skip
with_methods("list-status-completed-only", STATUS, filtered=lambda self, rows, name, value: [
    row for row in rows if row["status"] in (self.status(value), "COMPLETED")] if name == "status"
    else Lister.filtered(self, rows, name, value))  # fmt: skip
with_methods("list-status-first-only", STATUS, filtered=lambda self, rows, name, value:
        Lister.filtered(self, rows, name, value)[:1] if name == "status" else Lister.filtered(self, rows, name, value))  # fmt: skip
with_methods("list-status-inverted", STATUS, filtered=lambda self, rows, name, value: [
    row for row in rows if row["status"] != self.status(value)] if name == "status"
    else Lister.filtered(self, rows, name, value))  # fmt: skip

AFTER, BEFORE = "server.list.created-after", "server.list.created-before"
with_methods("list-after-ignored", AFTER, after=lambda self, rows, bound: list(rows))
with_methods("list-before-ignored", BEFORE, before=lambda self, rows, bound: list(rows))
with_methods("list-after-is-before", AFTER, after=lambda self, rows, bound: Lister.before(self, rows, bound))
with_methods("list-before-is-after", BEFORE, before=lambda self, rows, bound: Lister.after(self, rows, bound))
with_methods(
    "list-after-by-day",
    AFTER,
    after=lambda self, rows, bound: Lister.after(self, rows, bound // 86400 * 86400),
)
with_methods(
    "list-before-by-day",
    BEFORE,
    before=lambda self, rows, bound: Lister.before(self, rows, bound // 86400 * 86400),
)
with_methods(
    "list-after-by-the-hour",
    AFTER,
    after=lambda self, rows, bound: Lister.after(self, rows, bound // _HOUR * _HOUR),
)

TOGETHER = "server.list.together"


class _LastFilter(Lister):
    """Applies the last filter of a query only."""

    def parameters(self, query: bytes) -> list[tuple[str, str]]:
        return super().parameters(query)[-1:]


class _Either(Lister):
    """Lists batches that match any of the filters."""

    def answer(self, rows: Rows, query: bytes) -> list[Row]:
        asked = self.parameters(query)
        fitting = [row for name, value in asked for row in self.filtered(rows, name, value)]
        return self.ordered([row for row in rows if row in fitting] if asked else rows)


class _OneDate(Lister):
    """Ignores created_before where both dates are given."""

    def parameters(self, query: bytes) -> list[tuple[str, str]]:
        asked = super().parameters(query)
        both = {"created_after", "created_before"} <= {name for name, _ in asked}
        return [pair for pair in asked if not both or pair[0] != "created_before"]


class _StatusAlone(Lister):
    """Ignores status where a date is given."""

    def parameters(self, query: bytes) -> list[tuple[str, str]]:
        asked = super().parameters(query)
        dated = any(name.startswith("created") for name, _ in asked)
        return [pair for pair in asked if not dated or pair[0] != "status"]


on_lister("list-last-filter-only", TOGETHER, _LastFilter, "server.list.crossed-dates")
on_lister("list-either-filter", TOGETHER, _Either, "server.list.crossed-dates")
on_lister("list-one-date-only", TOGETHER, _OneDate, "server.list.crossed-dates")
on_lister("list-status-without-dates-only", TOGETHER, _StatusAlone)

OFFSET = "server.list.offset"


def _bound(change: Callable[[str], str]) -> Callable[[Lister, str, str], Fraction]:
    return lambda self, name, value: Lister.bound(self, name, value if name == "created_at" else change(value))


def _refuse_offsets(value: str) -> str:
    if not value.endswith("Z"):
        raise Refused("a date must end with Z")
    return value


with_methods(
    "list-offset-ignored",
    OFFSET,
    bound=_bound(lambda value: value[:19] + "Z" if value[-6:-5] in ("+", "-") else value),
)
with_methods("list-offset-turned-round", OFFSET, bound=_bound(
    lambda value: value[:-6] + value[-6].translate({43: 45, 45: 43}) + value[-5:] if value[-6:-5] in ("+", "-") else value))  # fmt: skip
with_methods(
    "list-offset-refused",
    OFFSET,
    bound=_bound(lambda value: _refuse_offsets(value) if value[:1] == "2" else value),
)

CROSSED = "server.list.crossed-dates"


class _Crossed(Lister):
    """Ignores both dates where they are crossed."""

    def answer(self, rows: Rows, query: bytes) -> list[Row]:
        asked = dict(self.parameters(query))
        low, high = (
            self.bound("", asked.get(name, "1970-01-01T00:00:00Z")) for name in ("created_after", "created_before")
        )
        both = {"created_after", "created_before"} <= asked.keys()
        return self.ordered(self.crossed(rows, low, high)) if both and low > high else super().answer(rows, query)

    def crossed(self, rows: Rows, low: Fraction, high: Fraction) -> list[Row]:
        return list(rows)


on_lister("list-crossed-ignored", CROSSED, _Crossed)
on_lister("list-crossed-swapped", CROSSED, type("_Swapped", (_Crossed,), {
    "crossed": lambda self, rows, low, high: self.after(self.before(rows, low), high)}))  # fmt: skip
on_lister("list-crossed-after", CROSSED, type("_After", (_Crossed,), {
    "crossed": lambda self, rows, low, high: self.after(rows, low)}))  # fmt: skip
on_lister("list-crossed-before", CROSSED, type("_Before", (_Crossed,), {
    "crossed": lambda self, rows, low, high: self.before(rows, high)}))  # fmt: skip

BAD, BAD_400 = "server.list.bad-filter", "server.list.bad-filter-400"


class _Lenient(Lister):
    """Ignores filters that cannot be applied."""

    def filtered(self, rows: Rows, name: str, value: str) -> list[Row]:
        try:
            return super().filtered(rows, name, value)
        except Refused:
            return self.instead(rows, name)

    def instead(self, rows: Rows, name: str) -> list[Row]:
        """Return the batches for a filter that cannot be applied."""
        return list(rows)


class _BadStatusIgnored(_Lenient):
    def instead(self, rows: Rows, name: str) -> list[Row]:
        if name != "status":
            raise Refused("no date")
        return list(rows)


class _BadDateIgnored(_Lenient):
    def instead(self, rows: Rows, name: str) -> list[Row]:
        if name == "status":
            raise Refused("no status")
        return list(rows)


class EmptyInstead(_Lenient):
    """Returns an empty list for a filter that cannot be applied."""

    def instead(self, rows: Rows, name: str) -> list[Row]:
        return []


on_lister("list-bad-filters-ignored", BAD, _Lenient)
on_lister("list-bad-status-ignored", BAD, _BadStatusIgnored)
on_lister("list-bad-date-ignored", BAD, _BadDateIgnored)
with_methods(
    "list-bad-date-is-now",
    BAD,
    BAD_400,
    bound=_bound(
        lambda value: value if value[:4].isdigit() and len(value) > 18 and value[5:7] < "13" else "2024-01-15T13:30:00Z"
    ),
)
on_lister("list-bad-filter-empty", BAD_400, EmptyInstead)
on_answer(
    "list-bad-filter-404",
    BAD_400,
    lambda server, asked, answer: server.not_found(asked) if answer.status == 400 else answer,
)


def _on_400(status: int) -> Callable[[ReferenceServer, Asked, Answer], Answer]:
    return lambda server, _, answer: server.error(status, "Internal server error") if answer.status == 400 else answer


on_answer("list-bad-filter-500", "server.error.documented-status", _on_400(500))
on_answer("list-bad-filter-html", "server.error.body", lambda _, __, answer: Answer(400, b"<h1>Bad Request</h1>", media_type="application/json")
        if answer.status == 400 else answer)  # fmt: skip


class _AllOrganisations(ReferenceServer):
    def list_batches(self, asked: Asked) -> Answer:
        rows = [batch.peek() for batch in self.store.batches.values()]
        try:
            return Answer(200, self.lister.answer(rows, asked.query))
        except Refused as refused:
            return self.error(400, [str(refused)])


register("list-of-everybody", "server.list.other-org", _AllOrganisations, operations=_BOTH)


def _admitting(name: str, clause: str, admits: Callable[[ReferenceServer, list[bytes]], bool], *also: str) -> None:
    """Register a server that admits keys for the list that it refuses for a batch."""

    class Open(ReferenceServer):
        def authenticate(self, asked: Asked) -> bool:
            values = asked.header(b"x-api-key")
            return super().authenticate(asked) or (
                asked.segment is None and asked.method == "GET" and admits(self, values)
            )

    register(name, clause, Open, also, _BOTH)


_admitting(
    "list-without-key",
    "server.auth.missing-key",
    lambda _, values: not values,
    "server.auth.wrong-place",
    "server.auth.every-request",
)
_admitting(
    "list-with-empty-key",
    "server.auth.empty-key",
    lambda _, values: values == [b""],
    "server.auth.every-request",
)
_admitting("list-with-key-prefix", "server.auth.near-key",
        lambda server, values: any(key.startswith(value) and len(value) > 8 for value in values for key in server.keys))  # fmt: skip
on_answer("list-type-html", "server.ok.media-type", lambda _, __, answer: Answer(answer.status, answer.body, answer.headers, "text/html")
        if answer.status == 200 else answer)  # fmt: skip
on_answer("list-unknown-parameter-500", "server.error.documented-status",
        lambda server, asked, answer: server.error(500, "no") if asked.query.startswith(b"unknown") else answer)  # fmt: skip
on_answer(
    "list-missing",
    "server.ok.status",
    lambda server, asked, _: server.not_found(asked),
    "server.error.documented-status",
)
