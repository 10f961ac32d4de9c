"""List Batches as the second operation: servers without it, without batches, or without Get Batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.open import open_adapter
from batch_conformance.client_runner.session import judge_client
from batch_conformance.operations.get_batch.store import STATES, Batch
from batch_conformance.operations.list_batches.handler import Lister, Rows
from batch_conformance.operations.stored import Store
from batch_conformance.reference.client import adapter, async_adapter, hello
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.target import embedded_target
from batch_conformance.server_runner.session import judge_server
from batch_conformance.testing import BatchStub, assert_conforms
from tests.support.judging import red


def judged(app: ReferenceServer, *, ids: bool = True, **options: Any) -> RunResult:
    """Test a server whose batches are given or discovered."""
    from dataclasses import replace

    with embedded_target(app) as target:
        return judge_server(target if ids else replace(target, batch_ids=(), stager=None), **options)


def verdicts(run: RunResult, theme: str) -> set[str]:
    """Return the verdicts on the clauses with this prefix."""
    return {result.verdict for result in run.results if result.clause.id.startswith(theme)}


class _WithoutList(ReferenceServer):
    def list_batches(self, asked: Asked) -> Answer:
        return self.not_found(asked)


def test_a_server_without_the_list_fails_with_a_hint() -> None:
    """The hint tells how to test Get Batch alone, which passes."""
    run = judged(_WithoutList(), profile="quick")
    assert run.verdict == "fail"
    (hint,) = run.hints
    assert hint == "GET /v2/batch is answered with 404: for a server without it, say --batch-operations get"
    broken = next(result for result in run.results if result.clause.id == "server.ok.status")
    assert broken.operations == {"get": "pass", "list": "fail"}
    assert verdicts(run, "server.list.") == {"not-exercised"}
    assert judged(_WithoutList(), profile="quick", operations=("get",)).verdict == "pass"


def test_an_empty_organisation_leaves_get_not_exercised() -> None:
    """The list is checked as far as possible without batches."""
    run = judged(ReferenceServer(Store()), ids=False)
    assert not run.error
    assert run.verdict == "pass"
    by_id = {result.clause.id: result for result in run.results}
    assert by_id["server.list.array"].verdict == "pass"
    assert by_id["server.notfound.unknown-id"].verdict == "not-exercised"
    assert "no batch" in by_id["server.notfound.unknown-id"].reason
    # A server may ignore its filters there: each pass says that no batch could show it.
    filters = ("status", "created-after", "created-before", "crossed-dates", "bad-filter")
    unseen = {name: by_id[f"server.list.{name}"].limits for name in filters}
    assert unseen == dict.fromkeys(filters, ("there was no batch that could have come all the same",))
    assert run.requests <= 80


def _list_of(change: Callable[[list[Any]], Any]) -> ReferenceServer:
    """Return a server with a changed list, with and without filters."""

    class Faulty(ReferenceServer):
        def list_batches(self, asked: Asked) -> Answer:
            answer = super().list_batches(asked)
            if answer.status == 200:
                answer.body = change(answer.body)
            return answer

    return Faulty()


@pytest.mark.parametrize(
    ("change", "clause"),
    [
        (lambda rows: {"data": rows}, "server.list.array"),
        (lambda rows: [{"batch": row} for row in rows], "server.body.object"),
        (lambda rows: [{**row, "id": None} for row in rows], "server.body.id"),
        (lambda rows: [{**row, "id": 7} for row in rows], "server.body.id"),
        (lambda rows: [{**row, "id": {"$oid": row["id"]}} for row in rows], "server.body.id"),
    ],
    ids=["wrapped", "entries wrapped", "without ids", "numbers", "objects"],
)
def test_a_list_that_names_no_batch_is_checked_by_itself(change: Callable[[list[Any]], Any], clause: str) -> None:
    """If ids are to be discovered, the clause that is broken is red, and Get Batch is not exercised."""
    run = judged(_list_of(change), ids=False, profile="quick")
    assert not run.error
    assert red(run) == {clause}
    by_id = {result.clause.id: result for result in run.results}
    assert by_id["server.notfound.unknown-id"].verdict == "not-exercised"
    reason = by_id["server.notfound.unknown-id"].reason
    assert reason.startswith("no batch was discovered: GET /v2/batch was answered with 200 and an ")


def test_a_page_without_known_ids_is_seen_by_what_filters_find() -> None:
    """Batches that only a filtered response has are missing from the list."""

    class Page(Lister):
        def answer(self, rows: Rows, query: bytes) -> list[Any]:
            return super().answer(rows, query)[:3]

    app = ReferenceServer()
    app.lister = Page()
    assert red(judged(app, ids=False, operations=("list",))) == {"server.list.complete"}


def test_a_list_alone_without_filtered_batches_limits_what_complete_saw() -> None:
    """Only the ids of the list itself are known."""

    class Nothing(Lister):
        def answer(self, rows: Rows, query: bytes) -> list[Any]:
            return [] if query else super().answer(rows, query)

    app = ReferenceServer()
    app.lister = Nothing()
    run = judged(app, ids=False, operations=("list",))
    complete = next(result for result in run.results if result.clause.id == "server.list.complete")
    assert complete.verdict == "pass"
    assert complete.limits == ("no batch was looked for but those that the list itself had named",)


def test_a_status_that_differs_for_good_is_a_limit_of_quick_and_red_by_default() -> None:
    """Quick does not read the batch again after the list, so that it may have moved on."""
    ahead = _list_of(
        lambda rows: [{**row, "status": "PROCESSING"} if row["status"] == "PENDING" else row for row in rows]
    )
    quick, default = (judged(ahead, profile=profile, ids=False) for profile in ("quick", "default"))
    (limits,) = (result.limits for result in quick.results if result.clause.id == "server.list.agrees")
    assert [limit for limit in limits if limit.startswith("a status that differs was taken for a step forward")]
    assert "server.list.agrees" in red(default)


def test_filters_that_the_batches_cannot_show_are_a_limit() -> None:
    """If all batches have one status, it does not show whether the filters apply together."""
    rows = [Batch(f"batch_{at}", f"2024-01-1{at}T10:30:00Z", [STATES["completed"]]) for at in range(1, 4)]
    run = judged(ReferenceServer(Store({row.id: row for row in rows})))
    together = next(result for result in run.results if result.clause.id == "server.list.together")
    assert together.verdict == "pass"
    assert "no batch could show whether status counts beside created_after" in together.limits
    assert "no batch could show whether created_after counts beside status" not in together.limits


def test_the_list_alone_sends_no_other_request() -> None:
    """No batch is read, and no method but GET and HEAD is used."""
    run = judged(ReferenceServer(), operations=("list",))
    assert run.verdict == "pass"
    sent = {(row.request.method, row.request.url.partition("?")[0].rpartition("/")[2]) for row in run.exchanges}
    # With a trailing slash: a guard may compare paths literally.
    assert sent == {("GET", "batch"), ("GET", ""), ("HEAD", "batch")}
    assert run.requests <= 80


@pytest.mark.parametrize(("profile", "most"), [("quick", 100), ("default", 330)])
def test_the_list_adds_a_bounded_number_of_requests(profile: str, most: int) -> None:
    """No request of Get Batch is left out for it."""
    run = judged(ReferenceServer(), profile=profile)
    assert run.verdict == "pass"
    assert run.requests <= most == run.budget
    assert not [limit for result in run.results for limit in result.limits if "budget" in limit]


def test_a_client_without_the_list_gets_no_list_calls() -> None:
    """Its clauses are not exercised, and the verdict is that of a full run."""

    def get_only(request: dict[str, Any]) -> dict[str, Any]:
        assert request["op"] == "get_batch"
        return adapter(request)

    get_only.hello = {**hello("get only"), "operations": ["get_batch"]}  # type: ignore[attr-defined]
    client = open_adapter(get_only, spec="python:test:get_only", transport="loopback")
    run = judge_client(client, profile="quick")
    client.close()
    assert run.verdict == "pass"
    assert verdicts(run, "client.list.") == {"not-exercised"}
    assert {result.reason for result in run.results if result.clause.theme == "list"} == {
        "the client does not offer list_batches"
    }


@pytest.mark.parametrize("function", [adapter, async_adapter], ids=["sync", "async"])
def test_a_client_with_the_list_alone_is_tested_with_it(function: Any) -> None:
    """The first trial call is a list call too."""

    def list_only(request: dict[str, Any]) -> Any:
        assert request["op"] == "list_batches"
        return function(request)

    list_only.hello = {**hello("list only"), "operations": ["list_batches"]}  # type: ignore[attr-defined]
    client = open_adapter(list_only, spec="python:test:list_only", transport="loopback")
    run = judge_client(client, profile="quick")
    client.close()
    assert run.verdict == "pass"
    assert verdicts(run, "client.list.") == {"pass"}


def test_a_recorded_list_is_checked_by_its_own_clauses() -> None:
    """A recorded list is checked as a list and entry by entry."""
    import httpx

    with BatchStub() as stub:
        stub.list("batch_a", "batch_b")
        listed = httpx.get(f"{stub.url}/v2/batch?status=COMPLETED", headers={"x-api-key": "k"}, trust_env=False)
        assert_conforms(listed)
        stub.list({"id": "batch_a"})
        broken = [httpx.get(f"{stub.url}/v2/batch", headers={"x-api-key": "k"}, trust_env=False) for _ in range(2)]
    with pytest.raises(AssertionError, match=r"server\.body\.metrics"):
        assert_conforms(broken[-1])


class _Underscored(ReferenceServer):
    """Takes the key of the list from x_api_key, too, as servers do that get headers as CGI variables."""

    def authenticate(self, asked: Asked) -> bool:
        there = asked.path.endswith(b"/batch") and any(map(self.is_key, asked.header(b"x_api_key")))
        return there or super().authenticate(asked)


def test_the_header_that_a_list_takes_the_key_from_is_named() -> None:
    """All names of a place are sent at once; the one that was accepted is sought then."""
    run = judged(_Underscored())
    (broken,) = [result for result in run.results if result.verdict == "fail"]
    assert broken.clause.id == "server.auth.wrong-place"
    assert broken.findings[0].message.endswith("in another header (x_api_key)")
