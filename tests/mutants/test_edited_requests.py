"""Contract edits that change requests: servers that follow them are green, those that do not are red.

The servers are written by hand: nothing in them is derived from the contract.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.contract import load_contract
from batch_conformance.reference.target import embedded_target
from batch_conformance.report.document import check_document, report_document
from batch_conformance.server_runner.session import judge_server
from tests.support.hand_server import HandServer
from tests.support.judging import red, shown
from tests.support.overlays import GET, remove, update, using

SCHEME = "$.components.securitySchemes.apiKey"
EXAMPLE = "batch_abc123"


def moved(path: str, parameter: str = "id", *more: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return actions that move Get Batch to another path."""
    from batch_conformance.contract import load_document

    item = load_document().content["paths"]["/v2/batch/{id}"]
    operation = {**item["get"], "parameters": [{**item["get"]["parameters"][0], "name": parameter}, *more]}
    return [remove("$.paths['/v2/batch/{id}']"), update("$.paths", {path: {**item, "get": operation}})]


def error(description: str) -> dict[str, Any]:
    """Return a documented error with the usual body."""
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def needs(place: str, name: str, example: Any, schema: Any = None) -> list[dict[str, Any]]:
    """Return actions that add a required parameter to Get Batch, a string unless a schema is given."""
    row = {"name": name, "in": place, "required": True, "schema": schema or {"type": "string"}, "example": example}
    return [update(GET, {"parameters": [row], "responses": {"400": error("A parameter is missing.")}})]


@dataclass(frozen=True)
class Edit:
    """An edit, a server that follows it, one that does not, and the clause that is red for that one."""

    name: str
    actions: list[dict[str, Any]]
    good: dict[str, Any] = field(default_factory=dict)
    bad: dict[str, Any] | None = None
    red: frozenset[str] = frozenset()


OK, PLACE = "server.ok.status", "server.auth.wrong-place"
EDITS = [
    Edit("path renamed", moved("/v3/batches/{id}"), {"before": "/v3/batches/"}, {}, frozenset({OK})),
    Edit("path parameter renamed", moved("/v2/batch/{batchId}", "batchId"), {}, {"before": "/v1/b/"}, frozenset()),
    Edit(
        "path with more behind the id",
        moved("/v2/batch/{id}/summary"),
        {"after": "/summary"},
        {},
        frozenset({OK}),
    ),
    Edit(
        "key header renamed",
        [update(SCHEME, {"name": "x-sync-key"})],
        {"key": ("header", "x-sync-key")},
        {},
        frozenset({OK, PLACE}),
    ),
    Edit(
        "key in Authorization",
        [update(SCHEME, {"name": "authorization"})],
        {"key": ("header", "authorization")},
        {},
        frozenset({OK, PLACE}),
    ),
    Edit(
        "a bearer token",
        [remove(f"{SCHEME}.name"), remove(f"{SCHEME}.in"), update(SCHEME, {"type": "http", "scheme": "bearer"})],
        {"key": ("header", "authorization"), "prefix": "Bearer "},
        {},
        frozenset({OK, PLACE}),
    ),
    Edit(
        "key in the query",
        [update(SCHEME, {"in": "query", "name": "api_key"})],
        {"key": ("query", "api_key")},
        {},
        frozenset({OK, PLACE}),
    ),
    Edit(
        "key in a cookie",
        [update(SCHEME, {"in": "cookie", "name": "session"})],
        {"key": ("cookie", "session")},
        {},
        frozenset({OK, PLACE}),
    ),
    Edit("security removed", [remove("$.security")], {"key": None}, {}, frozenset({OK})),
    Edit(
        "a required header",
        needs("header", "x-tenant", "acme"),
        {"required": (("header", "x-tenant"),)},
        {"required": (("header", "x-other"),)},
        frozenset({OK}),
    ),
    Edit(
        "a required query parameter",
        needs("query", "region", "eu west"),
        {"required": (("query", "region"),)},
        {"required": (("query", "area"),)},
        frozenset({OK}),
    ),
    Edit(
        "a required cookie",
        needs("cookie", "consent", "yes"),
        {"required": (("cookie", "consent"),)},
        {"required": (("cookie", "assent"),)},
        frozenset({OK}),
    ),
    Edit(
        "403 for 401",
        [remove(f"{GET}.responses['401']"), update(GET, {"responses": {"403": error("No.")}})],
        {"refusal": 403},
        {},
        frozenset({"server.auth.missing-key", "server.error.documented-status"}),
    ),
    Edit(
        "410 for 404",
        [remove(f"{GET}.responses['404']"), update(GET, {"responses": {"410": {"description": "None."}}})],
        {"absence": 410},
        {},
        frozenset({"server.error.documented-status"}),
    ),
    Edit("no List Batches", [remove("$.paths['/v2/batch']")], {}, None),
    Edit("List Batches moved", [*[remove("$.paths['/v2/batch']")]], {"listed": "/v3/b"}, None),
]  # fmt: skip


def judged(server: HandServer, profile: str = "default") -> RunResult:
    """Test a server with the ids of its batches given."""
    with embedded_target(server) as target:  # type: ignore[arg-type]
        run = judge_server(target, profile=profile, operations=("get",))
    document = report_document(run)
    check_document(document)
    return run


@pytest.mark.parametrize("profile", ["default", "quick"])
@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_a_server_that_follows_is_green(edit: Edit, profile: str, tmp_path: Path) -> None:
    """Nothing is red, within the usual budget."""
    with using(tmp_path, *edit.actions):
        run = judged(HandServer(**edit.good), profile)
    assert not red(run), shown(run)
    assert not run.error
    assert run.requests <= {"default": 250, "quick": 80}[profile]


@pytest.mark.parametrize("edit", [one for one in EDITS if one.bad is not None], ids=lambda edit: edit.name)
def test_a_server_that_does_not_is_red(edit: Edit, tmp_path: Path) -> None:
    """The clause on its fault is among the broken ones."""
    with using(tmp_path, *edit.actions):
        run = judged(HandServer(**edit.bad or {}), "quick")
    if not edit.red:
        assert run.error
        return
    assert edit.red <= red(run), shown(run)
    assert not run.error


def test_the_same_server_is_green_without_edits() -> None:
    """The server has no faults of its own."""
    run = judged(HandServer())
    assert not red(run), shown(run)


def test_without_security_no_key_is_sent(tmp_path: Path) -> None:
    """There are no probes of keys; the clauses say why they are not exercised."""
    with using(tmp_path, remove("$.security")):
        run = judged(HandServer(key=None))
    about = [row for row in run.results if row.clause.theme == "auth"]
    assert about
    assert {(row.verdict, row.reason) for row in about} == {("not-exercised", "the contract asks for no key")}
    assert not any(one.request.header_values("x-api-key") for one in run.exchanges)
    assert {one.intent.key_kind for one in run.exchanges} == {"valid"}
    assert len([row for row in run.results if row.verdict == "pass"]) >= 30


def test_a_key_in_the_query_is_never_shown(tmp_path: Path) -> None:
    """The key is neither in requests nor in curl lines, which read it from the environment."""
    edit = next(one for one in EDITS if one.name == "key in the query")
    with using(tmp_path, *edit.actions):
        run = judged(HandServer(key=("query", "other")), "quick")
        text = str(report_document(run))
    assert red(run) or run.error
    with using(tmp_path, *edit.actions):
        run = judged(HandServer(**edit.good, absence=405), "quick")
        text += str(report_document(run))
    with embedded_target(HandServer()) as target:  # type: ignore[arg-type]
        secret = target.api_key
    assert secret not in text
    assert "api_key=[api-key]" in text
    assert re.search(r"api_key=[^ ]*\$", text), text[-3000:]


def test_required_parameters_are_in_every_request(tmp_path: Path) -> None:
    """They have their example values, in all kinds of probes."""
    with using(tmp_path, *needs("header", "x-tenant", "acme")):
        run = judged(HandServer(required=(("header", "x-tenant"),)))
    sent = [one for one in run.exchanges if one.intent.operation == "get"]
    assert len({one.intent.probe for one in sent}) > 10
    assert all(one.request.header_values("x-tenant") == ["acme"] for one in sent)


def test_ids_are_discovered_where_the_contract_lists_them(tmp_path: Path) -> None:
    """The list is requested at its path in the current contract."""
    from dataclasses import replace

    from batch_conformance.contract import load_document

    item = load_document().content["paths"]["/v2/batch"]
    with using(tmp_path, remove("$.paths['/v2/batch']"), update("$.paths", {"/v3/all": item})):
        with embedded_target(HandServer(listed="/v3/all")) as target:  # type: ignore[arg-type]
            run = judge_server(replace(target, batch_ids=()), profile="quick", operations=("get",))
        assert not red(run), shown(run)
        assert not run.error
    with using(tmp_path, remove("$.paths['/v2/batch']")), embedded_target(HandServer()) as target:  # type: ignore[arg-type]
        run = judge_server(replace(target, batch_ids=()), profile="quick", operations=("get",))
    assert "--batch-id" in run.error


def test_servers_are_those_of_the_contract(tmp_path: Path) -> None:
    """A name stands for the URL of the current contract."""
    from batch_conformance.server_runner.target import resolve_target

    moved_to = {"servers": [{"url": "http://127.0.0.1:4999", "description": "Next", "x-name": "next"}]}
    with using(tmp_path, update("$", moved_to)):
        target = resolve_target("next", start=tmp_path, environ={"SYNC_API_KEY": "sk-1234567890"})
    assert target.url == "http://127.0.0.1:4999"


def test_every_clause_of_refusals_has_its_code() -> None:
    """Findings on a server that accepts any key have a code."""
    run = judged(HandServer(key=None), "quick")
    codes = {one.code for row in run.results if row.clause.theme == "auth" for one in row.findings}
    assert codes
    assert codes <= {"admitted", "status", "disclosed", "leaked", "refused", "header"}
    assert load_contract().clauses
