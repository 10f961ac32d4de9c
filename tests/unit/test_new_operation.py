"""What another operation gets without a line of code: its names, and its route in the reference server."""

from __future__ import annotations

from pathlib import Path

import pytest

from batch_conformance.contract import reading
from batch_conformance.contract.reading import snake_name
from batch_conformance.reference.server import Asked, ReferenceServer, operation_of, segment_of
from batch_conformance.reference.store import REFERENCE_KEY
from tests.support.overlays import update, using


def _asked(path: bytes) -> Asked:
    return Asked("GET", path, segment_of(path, "get"), b"", ((b"x-api-key", REFERENCE_KEY.encode()),))


def test_a_path_below_a_batch_is_an_operation_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids may contain slashes, and yet it is no id; without a handler, what is documented is the answer."""
    monkeypatch.setitem(reading.OPERATION_IDS, "outputs", "getBatchOutputs")
    assert snake_name("outputs") == "get_batch_outputs"
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    answer = {"description": "All.", "content": {"application/json": {"schema": {"type": "array"}, "example": [5]}}}
    get = {"operationId": "getBatchOutputs", "parameters": [parameter], "responses": {"200": answer}}
    with using(tmp_path, update("$.paths", {"/v2/batch/{id}/outputs": {"get": get}})):
        names = {}
        for path in (b"/v2/batch", b"/v2/batch/a", b"/v2/batch/a/b", b"/v2/batch/a/outputs", b"/other"):
            operation = operation_of(_asked(path))
            assert operation is not None
            names[path] = operation.name
        server = ReferenceServer()
        known = f"/v2/batch/{next(iter(server.store.batches))}/outputs".encode()
        answers = {path: server.answer(_asked(path)) for path in (b"/v2/batch", b"/v2/batch/a/outputs", known)}
    assert list(names.values()) == ["list", "get", "get", "outputs", "get"]
    assert [answer.status for answer in answers.values()] == [200, 404, 200]
    assert answers[known].body == [5]
    assert segment_of(b"/v2/batch/a%2Fb", "get") == b"a%2Fb"
