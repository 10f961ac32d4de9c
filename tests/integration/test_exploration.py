"""Examples that failed in one process are tried first by the next, wherever they are stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase, InMemoryExampleDatabase

from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.inprocess import InProcessClient
from batch_conformance.client_runner.session import judge_client
from batch_conformance.generate.database import DatabaseProblem, NamedDatabase, open_database, shelf
from batch_conformance.generate.keys import valid_key
from batch_conformance.http import Exchange
from batch_conformance.mutants.client import client_mutants
from batch_conformance.reference.server import Answer, Asked, ReferenceServer
from batch_conformance.reference.store import REFERENCE_KEY
from batch_conformance.reference.target import embedded_target
from batch_conformance.server_runner.generated import explore
from batch_conformance.server_runner.planned_request import PlannedRequest
from batch_conformance.server_runner.probe import ProbeContext
from batch_conformance.server_runner.profile import PROFILES
from batch_conformance.server_runner.transport import Transport


class BreaksOnLongIds(ReferenceServer):
    """A server that fails for unknown ids of seven characters or more."""

    def not_found(self, asked: Asked) -> Answer:
        """Return 500 instead of 404."""
        return self.error(500, "oh") if len(asked.segment or b"") >= 7 else super().not_found(asked)


def _explored(app: ReferenceServer, database: ExampleDatabase | None, seed: int) -> list[Exchange]:
    """Return the requests that exploration alone sends to ``app``, in order."""
    sent: list[Exchange] = []
    with embedded_target(app) as target:
        wire = Transport(target.url, timeout=5)
        key = valid_key(REFERENCE_KEY, "SYNC_API_KEY")
        profile = PROFILES["thorough"]
        world = ProbeContext(key, "SYNC_API_KEY", list(target.batch_ids), profile, seed, database=database)

        def send(planned: PlannedRequest) -> Exchange:
            request = planned.request(target.url, target.host)
            sent.append(wire.exchange(request, planned.intent, lane=planned.lane))
            return sent[-1]

        explore(world, send, lambda: 1000, lambda _: None)
        wire.close()
    return sent


def _broken_ids(sent: list[Exchange]) -> list[int]:
    generated = [exchange for exchange in sent if exchange.intent.probe == "generated-ids"]
    return [index for index, exchange in enumerate(generated) if exchange.status == 500]


def test_a_failing_id_is_tried_first_next_time(tmp_path: Path) -> None:
    """Another process with another seed and the same folder sends the failing request first."""
    first = _explored(BreaksOnLongIds(), DirectoryBasedExampleDatabase(tmp_path), seed=1)
    again = _explored(BreaksOnLongIds(), DirectoryBasedExampleDatabase(tmp_path), seed=2)
    alone = _explored(BreaksOnLongIds(), None, seed=2)
    assert _broken_ids(first)
    assert _broken_ids(again)[0] == 0
    assert _broken_ids(alone)[0] > 0


def test_examples_that_no_longer_fail_are_dropped() -> None:
    """A repaired server does not get the request for ever."""
    database = InMemoryExampleDatabase()
    _explored(BreaksOnLongIds(), database, seed=1)
    assert any(database.data.values())
    _explored(ReferenceServer(), database, seed=1)
    assert not any(value for key, value in database.data.items() if b"generated_id" in key)


def test_a_client_replays_what_failed_before(tmp_path: Path) -> None:
    """The failing example is stored for the client suite too, and found again with another seed."""
    mutant = client_mutants()["id-slash-kept"]
    database = DirectoryBasedExampleDatabase(tmp_path)

    def judged(seed: int) -> RunResult:
        client = InProcessClient(mutant.adapter(), spec="embedded", size=5)
        try:
            return judge_client(client, profile="thorough", selected={mutant.clause}, seed=seed, database=database)
        finally:
            client.close()

    assert judged(1).verdict == judged(2).verdict == "fail"


def test_properties_have_separate_examples() -> None:
    """The same example of two properties is stored twice."""
    database = InMemoryExampleDatabase()
    one, two = NamedDatabase(database, "one"), NamedDatabase(database, "two")
    one.save(b"key", b"longer")
    one.save(b"key", b"one")
    two.delete(b"key", b"one")
    assert list(one.fetch(b"key")) == [b"one", b"longer"]
    assert not list(two.fetch(b"key"))
    assert shelf(None, "any") is None


def test_a_broken_database_does_not_affect_the_verdict() -> None:
    """It is treated as empty, with a message."""

    class Gone(InMemoryExampleDatabase):
        def fetch(self, key: bytes) -> list[bytes]:
            raise ConnectionError(key)

        def save(self, key: bytes, value: bytes) -> None:
            raise ConnectionError(key, value)

    database = NamedDatabase(Gone(), "any")
    database.save(b"key", b"value")
    assert not list(database.fetch(b"key"))
    assert database.error == "ConnectionError"
    assert _explored(ReferenceServer(), Gone(), seed=1)


@pytest.mark.parametrize(
    ("places", "kind"),
    [
        ((), None),
        (("none",), type(None)),
        (("kept",), DirectoryBasedExampleDatabase),
        (("kept", "also"), "MultiplexedDatabase"),
    ],
)
def test_places_become_databases(places: tuple[str, ...], kind: object, tmp_path: Path) -> None:
    """Folders are relative to the working directory; several places are combined."""
    opened = open_database(places, tmp_path)
    if isinstance(kind, str):
        assert type(opened).__name__ == kind
    elif isinstance(kind, type):
        assert isinstance(opened, kind)


@pytest.mark.parametrize(
    "places",
    [["redis://:secret@127.0.0.1:9/0"], ["github:nobody"], ["github:a/b"], ["http://x"], ["kept", "none"]],
)
def test_unusable_places_are_reported_in_a_line(
    places: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Passwords are never shown."""
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    with pytest.raises(DatabaseProblem) as problem:
        open_database(places, tmp_path)
    assert "\n" not in str(problem.value)
    assert "secret" not in str(problem.value)
