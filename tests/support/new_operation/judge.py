"""Judge the embedded server and client of a repository with Get Outputs, and faulty ones; write what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import httpx

from batch_conformance.contract import current_contract
from batch_conformance.mutants.client import client_mutants
from batch_conformance.mutants.derived import derived_mutants, unprovable
from batch_conformance.recorded import Draft, Recording, judge_clause, recording_of
from batch_conformance.reference import client
from batch_conformance.reference.server import Answer, Asked, ReferenceServer, operation_of
from batch_conformance.server_runner import side_by_side
from batch_conformance.testing import assert_conforms
from batch_conformance.testing.stub import BatchStub
from tests.support.judging import judged_client, judged_server, red


def of_outputs(asked: Asked) -> bool:
    """Whether a request is for the outputs of a batch."""
    return operation_of(asked).name == "outputs"


class NoKey(ReferenceServer):
    """Asks for no key."""

    def authenticate(self, asked: Asked) -> bool:
        """Admit every request for outputs."""
        return of_outputs(asked) or super().authenticate(asked)


class AnyTenant(ReferenceServer):
    """Answers other organisations."""

    def owns(self, asked: Asked) -> bool:
        """Admit every organisation to the outputs."""
        return of_outputs(asked) or super().owns(asked)


class Empty(ReferenceServer):
    """Knows every id."""

    def answer(self, asked: Asked) -> Answer:
        """Answer an unknown id with no outputs."""
        answer = super().answer(asked)
        unknown = of_outputs(asked) and answer.status == 404
        return Answer(200, {"id": (asked.path.split(b"/")[3]).decode(), "outputs": []}) if unknown else answer


class NotThere(ReferenceServer):
    """Does not have the operation."""

    def answer(self, asked: Asked) -> Answer:
        """Answer as for any unknown path."""
        return self.error(404, "Not found") if of_outputs(asked) else super().answer(asked)


SERVERS = {"ok": ReferenceServer, "no-key": NoKey, "any-tenant": AnyTenant, "empty": Empty, "not-there": NotThere}


#: Clients with a fault in what Get Batch and Get Outputs share, by name.
CLIENTS = ("id-slash-kept", "key-in-a-global", "redirect-with-key", "unlocated-taken", "html-crash")


def only_outputs(request: dict[str, Any]) -> Any:
    """Adapter of a client that offers no other operation."""
    return client.adapter(request)


only_outputs.hello = {**client.hello("outputs only"), "operations": ["get_outputs"]}  # type: ignore[attr-defined]


def found_of_clients() -> Iterator[tuple[str, Any]]:
    """Yield what was found of clients, by name."""
    run = judged_client(only_outputs, profile="quick")
    assert not run.error, run.error
    yield "client", {row.clause.id: row.verdict for row in run.results if "outputs" in row.clause.operations}
    for name in CLIENTS:
        faulty = judged_client(client_mutants()[name].adapter(), profile="quick", operations=("outputs",))
        yield f"client {name}", [client_mutants()[name].clause, sorted(red(faulty))]
    mutants = {name: one for name, one in derived_mutants("client").items() if name.startswith("derived:outputs/out")}
    rows = list(mutants.items())[::3]
    judged = {name: judged_client(one.build(), operations=("outputs",)) for name, one in rows}
    yield "client mutants", {name: mutants[name].explains(red(run)) for name, run in judged.items()}


def found_of_fixtures() -> Iterator[tuple[str, Any]]:
    """Yield what the fixtures and the checks of recorded traffic say, by name."""
    url = "/v2/batch/batch_1/outputs"
    with BatchStub() as stub:
        answers = []
        stub.answer({"id": "batch_1"}, id=stub.of("outputs", "batch_1"))
        stub.error(404, id=stub.of("outputs", "batch_2"))
        for path in (url, "/v2/batch/batch_1", "/v2/batch/batch_2/outputs", "/v2/batch/batch_abc123/outputs"):
            answers.append(httpx.get(stub.url + path, headers={"x-api-key": "any"}, timeout=5))
    yield "staged", [answer.status_code for answer in answers]
    yield "asserted", [_asserted(answer) for answer in answers]
    lacking, whole = b'{"id": "batch_1"}', b'{"id": "batch_1", "outputs": []}'
    yield "asserted alone", [_asserted(body, "outputs") for body in (whole, lacking)]
    urls = {url: lacking, "/v2/batch/(.+)/outputs": whole, "/v2/batch/batch_1": lacking}
    drafts = [Draft(url, url=url, status=200, body=body) for url, body in urls.items()]
    recorded = [row for row in map(recording_of, drafts) if isinstance(row, Recording)]
    yield "recorded", [row.exchange.intent.operation for row in recorded]
    yield "recorded faults", [one.message for one in judge_clause("server.body.outputs", recorded).findings]


def _asserted(answer: Any, operation: str = "get") -> str:
    try:
        assert_conforms(answer, operation=operation)
    except AssertionError as error:
        return str(error).splitlines()[2].split()[0]
    return ""


def found() -> Iterator[tuple[str, Any]]:
    """Yield what was found, by name."""
    for name, server in SERVERS.items():
        run = judged_server(server())
        yield name, sorted(red(run))
        if name == "ok":
            parts = {row.clause.id: row.verdict for row in run.results if "outputs" in row.clause.operations}
            yield "verdicts", parts
            yield "requests", run.requests
    with patch.object(side_by_side, "MIN_ROUND_TRIP", -1.0):
        yield "side-by-side", sorted(red(judged_server(ReferenceServer())))
        yield "side-by-side-no-key", sorted(red(judged_server(NoKey())))
    mutants = {name: one for name, one in derived_mutants("server").items() if name.startswith("derived:outputs")}
    yield "mutants", {name: one.explains(red(judged_server(one.build()))) for name, one in mutants.items()}
    yield "unprovable", [one.name for one in unprovable("server") if one.name.startswith("derived:outputs")]
    yield "operations", list(current_contract().operations)


if __name__ == "__main__":
    print(json.dumps({**dict(found()), **dict(found_of_clients()), **dict(found_of_fixtures())}))
