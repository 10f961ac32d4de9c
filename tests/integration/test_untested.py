"""Operations of the contract that the suite has no tests for are named in every output."""

from __future__ import annotations

from pathlib import Path

import pytest

from batch_conformance.checks.by_operation import untested_hints
from batch_conformance.checks.result import RunResult
from batch_conformance.recorded.session import judge_recorded
from batch_conformance.reference.client import adapter
from batch_conformance.reference.server import ReferenceServer
from batch_conformance.report.document import report_document
from batch_conformance.report.html import render_html
from batch_conformance.report.markdown import render_markdown
from tests.support.judging import judged_client, judged_server
from tests.support.overlays import update, using

LINE = "not tested: POST /v2/batch, GET /v2/batch/{id}/outputs, which the contract has and the suite has no tests for"


def _judged(side: str) -> RunResult:
    if side == "server":
        return judged_server(ReferenceServer())
    if side == "client":
        return judged_client(adapter, profile="quick", selected={"client.error.404"})
    return judge_recorded(folder=Path())


@pytest.mark.parametrize("side", ["server", "client", "recorded"])
def test_an_operation_without_tests_is_named(side: str, tmp_path: Path) -> None:
    """It changes no verdict."""
    parameter = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    answer = {"200": {"description": "All.", "content": {"application/json": {"schema": {"type": "array"}}}}}
    outputs = {"get": {"operationId": "getOutputs", "parameters": [parameter], "responses": answer}}
    create = {"post": {"operationId": "createBatch", "responses": answer}}
    with using(tmp_path, update("$.paths", {"/v2/batch/{id}/outputs": outputs, "/v2/batch": create})):
        run = _judged(side)
        document = report_document(run)
        texts = [render_html(document), render_markdown(document)]
    assert run.hints[0] == LINE
    assert run.verdict in ("pass", "partial")
    assert document["run"]["hints"][0] == LINE
    for text in texts:
        assert "not tested: POST /v2/batch, GET /v2/batch/{id}/outputs" in text


def test_the_contract_has_none() -> None:
    """All operations of the contract as it is are tested."""
    assert untested_hints() == []
