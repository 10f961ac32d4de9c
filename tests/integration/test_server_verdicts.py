"""Verdicts that are easy to get wrong: observations set aside, limits of a pass, the clause to blame."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable

import pytest

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.result import RunResult
from batch_conformance.checks.verdict import ClauseResult
from batch_conformance.contract import load_contract
from batch_conformance.http import curl_lines
from batch_conformance.mutants.server import server_mutants
from batch_conformance.operations.get_batch.store import Batch, State
from batch_conformance.operations.stored import Store, StoredBatch
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.reference.target import embedded_target
from batch_conformance.server_runner.session import judge_server

AUTH = "server.auth."


def judged(app: ReferenceServer, profile: str = "default") -> dict[str, ClauseResult]:
    """Return the results of a run by clause."""
    with embedded_target(app) as target:
        run = judge_server(target, profile=profile, operations=("get",))
    assert not run.error
    return {result.clause.id: result for result in run.results}


class AdmitsAnyone(ReferenceServer):
    """Requires a key, but accepts any."""

    def authenticate(self, asked: Asked) -> bool:
        """Whether there is anything in the header."""
        return bool(b"".join(asked.header(b"x-api-key")))


class AsksForNothing(ReferenceServer):
    """Has authentication switched off."""

    def authenticate(self, asked: Asked) -> bool:  # noqa: ARG002
        """Accept every request."""
        return True


class AdmitsAnyoneBehindAProxy(AdmitsAnyone):
    """The same, with an HTTP layer that refuses long and non-ASCII keys."""

    def answer(self, asked: Asked) -> Answer:
        """Return a 400 for such keys."""
        key = b"".join(asked.header(b"x-api-key"))
        return super().answer(asked) if key.isascii() and len(key) < 999 else Answer(400, b"", [], None)


@pytest.mark.parametrize(
    ("app", "clauses", "account"),
    [
        (AdmitsAnyone, ["near-key", "hostile-key", "revoked-key"], "invalid-key"),
        (AdmitsAnyoneBehindAProxy, ["near-key", "hostile-key", "revoked-key"], "invalid-key"),
        (AsksForNothing, ["near-key", "hostile-key", "revoked-key"], "invalid-key"),
        (AsksForNothing, ["wrong-place"], "missing-key"),
        (AsksForNothing, ["every-request", "before-lookup"], "missing-key"),
    ],
)
def test_clauses_that_depend_on_a_broken_one_are_not_exercised(
    app: Callable[[], ReferenceServer], clauses: list[str], account: str
) -> None:
    """Broken authentication is red once; the clauses that depend on it are not exercised, and name it."""
    results = judged(app())
    assert results[AUTH + account].verdict == "fail"
    for name in clauses:
        assert results[AUTH + name].verdict == "not-exercised", name
        assert AUTH + account in results[AUTH + name].reason


def test_one_accepted_key_does_not_excuse_near_keys() -> None:
    """An accepted unknown key explains itself only, not accepted near keys."""

    class Both(ReferenceServer):
        def is_key(self, value: bytes) -> bool:
            return value == b"test" or super().is_key(value) or super().is_key(value[:-1])

    results = judged(Both())
    assert results["server.auth.invalid-key"].verdict == "fail"
    assert results["server.auth.near-key"].verdict == "fail"


class Everything(ReferenceServer):
    """Returns a made-up batch for any id."""

    def look_up(self, segment: bytes) -> Batch | None:
        """Return a made-up batch."""
        return Batch(segment.decode("latin-1"), "2020-02-02T02:02:02Z", [State("COMPLETED", 1, 1)])


def test_found_unknown_ids_excuse_near_and_hostile_ids() -> None:
    """If every id is found, hostile ids show nothing of their own."""
    results = judged(Everything())
    assert results["server.notfound.unknown-id"].verdict == "fail"
    assert results["server.notfound.hostile-id"].verdict == "not-exercised"
    assert "server.notfound.unknown-id" in results["server.notfound.hostile-id"].reason


class BrokenBatches(ReferenceServer):
    """Returns batches without counts."""

    def found(self, batch: StoredBatch, asked: Asked) -> Answer:  # noqa: ARG002
        """Return the batch with null for metrics."""
        return Answer(200, {**batch.read(), "metrics": None})


def test_missing_counts_are_not_compared() -> None:
    """The clauses that need counts are not exercised."""
    results = judged(BrokenBatches())
    for name in (
        "body.metrics-sum",
        "body.completed-none-pending",
        "body.completed-adds-up",
        "poll.counts-grow",
    ):
        assert results[f"server.{name}"].verdict == "not-exercised", name
        assert "server.body.metrics" in results[f"server.{name}"].reason


def _one(state: State, value: str = "batch_abc123") -> ReferenceServer:
    return ReferenceServer(Store({value: Batch(value, "2024-01-15T10:30:00Z", [state])}))


def test_a_pass_says_what_it_did_not_see() -> None:
    """A single PENDING batch that never changes gives nearly all passes limits."""
    results = judged(_one(State("PENDING", 5)))
    limits = {clause: result.limits for clause, result in results.items() if result.limits}
    assert limits["server.body.outputUrl"] == ("no COMPLETED batch was seen",)
    assert limits["server.body.status"] == ("no batch was seen in JOBS_CREATED, PROCESSING, COMPLETED, FAILED",)
    assert limits["server.body.webhookUrl"] == ("no batch had a webhookUrl",)
    assert limits["server.body.id"] == ("only one batch was read: a mix-up with another could not show",)
    assert limits["server.poll.forward-only"] == ("no batch changed its status between two reads",)
    assert limits["server.poll.counts-grow"] == (
        "none of metrics.success_count, metrics.failed_count changed between two reads",
    )
    assert limits["server.poll.identity"] == ("no batch changed its status between two reads",)
    assert limits["server.poll.webhook-stable"] == ("no batch had a webhookUrl",)
    final = judged(_one(State("COMPLETED", 1, 1)))["server.poll.final"]
    assert final.limits == ("no FAILED batch was read again",)


def test_the_reference_server_leaves_no_limit() -> None:
    """All states were seen."""
    results = judged(ReferenceServer())
    assert {clause: result.limits for clause, result in results.items() if result.limits} == {}


def test_mixed_up_batches_break_one_clause_with_both_requests() -> None:
    """The clause on ids is broken, those on reads over time are not, and the evidence names the other request."""
    results = judged(server_mutants()["answers-with-another-batch"].build())
    assert [clause for clause, result in results.items() if result.verdict == "fail"] == ["server.body.id"]
    finding = results["server.body.id"].findings[0]
    assert "another batch's" in finding.message
    assert finding.prelude
    assert finding.exchange
    assert finding.prelude[0].intent.id != finding.exchange.intent.id


@pytest.mark.parametrize(
    ("change", "clause", "excerpt"),
    [
        ({"outputUrl": None}, "outputUrl", "expected a string, got null"),
        ({"outputUrl": ["x"]}, "outputUrl", "expected a string, got an array"),
        ({"webhookUrl": 7}, "webhookUrl", "expected a string or null, got the number 7"),
        ({"created_at": 5}, "created_at", "expected a string, got the number 5"),
        ({"id": None}, "id", "expected a string, got null"),
        ({"metrics": "x"}, "metrics", 'expected an object, got the string "x"'),
        ({"status": "DONE"}, "status", 'got the string "DONE"'),
        ({"metrics": {"total_generations": 1}}, "metrics", "got nothing: it is absent"),
    ],
)
def test_the_message_names_the_fault(change: dict[str, object], clause: str, excerpt: str) -> None:
    """The message states the fault, not only its place."""

    class Wrong(ReferenceServer):
        def found(self, batch: StoredBatch, asked: Asked) -> Answer:  # noqa: ARG002
            return Answer(200, {**batch.read(), **change})

    assert excerpt in judged(Wrong(), "quick")[f"server.body.{clause}"].findings[0].message


def test_the_message_names_the_fault_of_an_error() -> None:
    """The same for errors."""

    class Wrong(ReferenceServer):
        def error(self, *args: object, **named: object) -> Answer:
            answer = super().error(*args, **named)  # type: ignore[arg-type]
            return Answer(answer.status, {**answer.body, "message": None}, answer.headers)

    message = judged(Wrong(), "quick")["server.error.body"].findings[0].message
    assert message.endswith("message: expected a string or an array of strings, got null")


def _statuses(run: RunResult, finding: Finding) -> list[str]:
    """Return the status lines that curl prints when the evidence of a finding is run in a shell."""
    assert finding.exchange
    line = curl_lines([*finding.prelude, finding.exchange], run.shell_secrets)
    assert REFERENCE_KEY not in line
    environment = {"PATH": os.environ["PATH"], "SYNC_API_KEY": REFERENCE_KEY}
    done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    return re.findall(r"^HTTP/1\.1 (\d+)", done.stdout, re.MULTILINE)


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize(
    ("name", "blamed"),
    [
        ("cache-keyed-on-the-url", "cache in front"),
        ("cache-keyed-on-the-url-for-long", "cache in front"),
        ("connection-remembers-key", "on a connection that just carried the valid key"),
        ("address-remembers-key", "remembers who came"),
    ],
)
def test_evidence_of_two_requests_repeats(name: str, blamed: str) -> None:
    """One line repeats both, on one connection where that matters, and the request without a key is accepted again."""
    with embedded_target(server_mutants()[name].build()) as target:
        run = judge_server(target, operations=("get",))
        red = [result for result in run.results if result.verdict == "fail"]
        assert [result.clause.id for result in red] == ["server.auth.every-request"]
        for finding in red[0].findings[:3]:
            assert blamed in finding.message or "all along" in finding.message
            assert _statuses(run, finding) == ["200", "200"]


def test_a_304_without_a_key_shows_both_ids() -> None:
    """The response for the unknown id is shown beside the one for the known id."""
    result = judged(server_mutants()["304-to-any-tag-first"].build())["server.auth.before-lookup"]
    (finding,) = result.findings
    assert finding.exchange
    assert finding.exchange.status == 304
    assert [step.status for step in finding.prelude] == [401]


def test_a_must_has_an_authoritative_source() -> None:
    """Good practice alone makes a should; a must is documented, from a standard, or settled by a decision."""
    weak = [
        clause.id
        for clause in load_contract().clauses.values()
        if clause.level == "must" and not re.search(r"page|docs|sdk|RFC|JSON Schema|decision", clause.source)
    ]
    assert weak == []
