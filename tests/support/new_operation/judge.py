"""Judge the embedded server of a repository with Get Outputs, and servers with a fault there; write what was found."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

from batch_conformance.contract import current_contract
from batch_conformance.mutants.derived import derived_mutants, unprovable
from batch_conformance.reference.server import Answer, Asked, ReferenceServer, operation_of
from batch_conformance.server_runner import side_by_side
from tests.support.judging import judged_server, red


def of_outputs(asked: Asked) -> bool:
    """Whether a request is for the outputs of a batch."""
    operation = operation_of(asked)
    return operation is not None and operation.name == "outputs"


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
    print(json.dumps(dict(found())))
