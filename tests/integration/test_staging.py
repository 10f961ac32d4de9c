"""Additions by the target's owner: staging hooks, other keys, a rate; each with its effect and its failures."""

from __future__ import annotations

import shlex
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from batch_conformance.checks.result import CouldNotRun, RunResult
from batch_conformance.generate.keys import Key
from batch_conformance.reference.embedded import serving_embedded
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.store import OTHER_KEY, REFERENCE_KEY, REVOKED_KEY
from batch_conformance.server_runner.session import judge_server
from batch_conformance.server_runner.staging import CommandStager, Stager, UrlStager, open_stager
from batch_conformance.server_runner.target import Target, UsageError, resolve_target

STAGED = {"server.rate.429", "server.error.body", "server.ok.status", "server.body.status"}


def _verdicts(run: RunResult) -> dict[str, str]:
    assert not run.error, run.error
    return {result.clause.id: result.verdict for result in run.results}


def _judged(url: str, stager: Stager | None) -> RunResult:
    # Only one known batch: the other states have to come from the hook.
    target = Target("staged", url, REFERENCE_KEY, batch_ids=("batch_abc123",), stager=stager)
    return judge_server(target, selected=STAGED, operations=("get",))


def test_url_hook_brings_states_and_statuses() -> None:
    """With the hook a 429 is exercised and all five states are read; without it neither."""
    with serving_embedded(ReferenceServer()) as url:
        without = _judged(url, None)
        staged = _judged(url, open_stager(f"{url}/__stage__", REFERENCE_KEY))
    assert _verdicts(without)["server.rate.429"] == "not-exercised"
    assert _verdicts(staged) == {**_verdicts(staged), **dict.fromkeys(STAGED, "pass")}
    seen = {result.clause.id: result.reason for result in staged.results}
    assert seen["server.body.status"] == ""


def test_command_hook_brings_states(tmp_path: Path) -> None:
    """The command gets the stage as its last argument, and prints the batch."""
    script = tmp_path / "stage.py"
    script.write_text(
        "import sys\n"
        "ids = {'PENDING': 'batch_ghi789', 'FAILED': 'batch_mno345'}\n"
        "stage = sys.argv[1]\n"
        'print(\'{"batch_id": "%s"}\' % ids[stage]) if stage in ids else sys.exit(3)\n'
    )
    hook = CommandStager(f"{shlex.quote(sys.executable)} {shlex.quote(str(script))}")
    assert hook.batch_in("PENDING") == "batch_ghi789"
    assert hook.batch_in("COMPLETED") is None
    assert hook.answer_next(500) is False
    with serving_embedded(ReferenceServer()) as url:
        run = _judged(url, hook)
    limits = next(result.limits for result in run.results if result.clause.id == "server.body.status")
    assert limits == ("no batch was seen in JOBS_CREATED, PROCESSING",)


@pytest.mark.parametrize("hook", ["http://127.0.0.1:9/hook", "/no/such/command", "'unbalanced"])
def test_hook_that_cannot_be_asked_ends_the_run(hook: str) -> None:
    """One line names the hook, without a key."""
    with pytest.raises(CouldNotRun, match="the staging hook") as caught:
        open_stager(hook, REFERENCE_KEY).batch_in("PENDING")
    assert REFERENCE_KEY not in str(caught.value)
    with serving_embedded(ReferenceServer()) as url:
        run = _judged(url, open_stager(hook, REFERENCE_KEY))
    assert run.verdict == "error"
    assert "the staging hook" in run.error


def test_a_failing_hook_is_not_one_that_offers_nothing() -> None:
    """A 500 from the hook does not mean that the state is not offered."""

    class Failing(ReferenceServer):
        def stage_by_request(self, asked: Asked) -> Answer:  # noqa: ARG002 - always out of order
            return self.error(500, "out of order")

    with serving_embedded(Failing()) as url, pytest.raises(CouldNotRun, match="answered 500"):
        UrlStager(f"{url}/__stage__", REFERENCE_KEY).answer_next(429)


def test_other_keys_exercise_their_clauses() -> None:
    """Without the keys they are not exercised, with them they pass."""
    clauses = {"server.auth.other-org", "server.auth.revoked-key"}
    with serving_embedded(ReferenceServer()) as url:
        plain = Target("x", url, REFERENCE_KEY, batch_ids=("batch_abc123",))
        keyed = resolve_target(
            url,
            start=Path.cwd(),
            batch_ids=("batch_abc123",),
            other_key_env="OTHER",
            revoked_key_env="REVOKED",
            environ={"SYNC_API_KEY": REFERENCE_KEY, "OTHER": OTHER_KEY, "REVOKED": REVOKED_KEY},
        )
        without, keyed_run = (judge_server(target, selected=clauses) for target in (plain, keyed))
    assert {_verdicts(without)[clause] for clause in clauses} == {"not-exercised"}
    assert {_verdicts(keyed_run)[clause] for clause in clauses} == {"pass"}
    assert isinstance(keyed.other_key, Key)
    assert OTHER_KEY not in keyed_run.redactor.text(f"key {OTHER_KEY}")


def test_the_same_key_twice_is_wrong_usage() -> None:
    """A "second organisation" with the same key would see its own batches."""
    with pytest.raises(UsageError, match="the same key"):
        resolve_target(
            "http://127.0.0.1:1",
            start=Path.cwd(),
            other_key_env="SYNC_API_KEY",
            environ={"SYNC_API_KEY": REFERENCE_KEY},
        )


def test_rate_is_held_as_the_server_sees_it() -> None:
    """Requests come no closer together than the rate allows, measured at the server."""
    arrivals: list[float] = []

    class Clocked(ReferenceServer):
        def answer(self, asked: Asked) -> Answer:
            import time

            arrivals.append(time.monotonic())
            return super().answer(asked)

    with serving_embedded(Clocked()) as url:
        target = Target("x", url, REFERENCE_KEY, batch_ids=("batch_abc123",), rate=50.0)
        judge_server(target, profile="quick", selected={"server.auth.near-key"})
    spread = arrivals[-1] - arrivals[0]
    assert len(arrivals) > 10
    # A single gap may shrink by the delay of the request before; the sum may not.
    assert spread >= (len(arrivals) - 1) / 50 * 0.9
    assert min(later - earlier for earlier, later in pairwise(arrivals)) >= 0
