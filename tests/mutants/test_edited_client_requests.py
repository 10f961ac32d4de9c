"""Contract edits that change requests: a client that follows them is green, one that does not is red."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest

from batch_conformance.checks.result import RunResult
from batch_conformance.client_runner.open import open_adapter
from batch_conformance.client_runner.session import judge_client
from batch_conformance.report.document import check_document, report_document
from tests.mutants.test_edited_requests import SCHEME, moved, needs
from tests.support.judging import red, shown
from tests.support.overlays import remove, update, using

TARGET, HEADER = "client.request.target", "client.auth.header"
#: The clauses on requests, and the ordinary ones on results.
CLAUSES = (
    TARGET, HEADER, "client.request.id-encoding", "client.request.dot-id", "client.request.single",
    "client.auth.only-there", "client.auth.redirect", "client.decode.fields",
)  # fmt: skip


@dataclass(frozen=True)
class HandClient:
    """A hand-written client that follows its arguments and no contract."""

    before: str = "/v2/batch/"
    after: str = ""
    key: tuple[str, str] | None = ("header", "x-api-key")
    prefix: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)

    def adapter(self) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """The adapter for the suite."""

        def adapter(request: dict[str, Any]) -> dict[str, Any]:
            return self.reply(request)

        adapter.hello = {  # type: ignore[attr-defined]
            "protocol": 1, "name": "hand", "version": "1", "language": "python", "operations": ["get_batch"],
        }  # fmt: skip
        return adapter

    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the reply to a call."""
        if request["batch_id"] in ("", ".", ".."):
            return self.error("invalid_argument", None)
        places: dict[str, dict[str, str]] = {
            "header": dict(self.headers), "query": dict(self.query), "cookie": dict(self.cookies),
        }  # fmt: skip
        if self.key is not None:
            places[self.key[0]][self.key[1]] = self.prefix + request["api_key"]
        url = f"{request['base_url']}{self.before}{quote(request['batch_id'], safe='')}{self.after}"
        if places["query"]:
            url += "?" + urlencode(places["query"])
        if places["cookie"]:
            places["header"]["Cookie"] = "; ".join(f"{name}={value}" for name, value in places["cookie"].items())
        deadline = time.monotonic() + request["timeout_s"]
        try:
            with (
                httpx.Client(timeout=request["timeout_s"], trust_env=False) as http,
                http.stream("GET", url, headers=places["header"]) as response,
            ):
                body = b""
                for chunk in response.iter_bytes():
                    body += chunk
                    if time.monotonic() > deadline:
                        return self.error("timeout", None)
        except httpx.TimeoutException:
            return self.error("timeout", None)
        except httpx.HTTPError:
            return self.error("transport", None)
        if response.status_code != 200:
            return self.error("http", response.status_code)
        try:
            return {"seq": request["seq"], "batch": json.loads(body)}
        except ValueError:
            return self.error("decode", None)

    @staticmethod
    def error(kind: str, status: int | None) -> dict[str, Any]:
        """Return an error."""
        return {"error": {"kind": kind, "status": status, "message": kind}}


@dataclass(frozen=True)
class Edit:
    """An edit, a client that follows it, one that does not, and the clauses that are red for that one."""

    name: str
    actions: list[dict[str, Any]]
    good: dict[str, Any]
    red: frozenset[str]
    bad: dict[str, Any] = field(default_factory=dict)


EDITS = [
    Edit("path renamed", moved("/v3/batches/{id}"), {"before": "/v3/batches/"}, frozenset({TARGET})),
    Edit("path parameter renamed", moved("/v2/batch/{name}", "name"), {}, frozenset({TARGET}), {"before": "/v2/b/"}),
    Edit("path with more behind the id", moved("/v2/batch/{id}/sum"), {"after": "/sum"}, frozenset({TARGET})),
    Edit(
        "key header renamed",
        [update(SCHEME, {"name": "x-sync-key"})],
        {"key": ("header", "x-sync-key")},
        frozenset({HEADER, "client.auth.only-there"}),
    ),
    Edit(
        "a bearer token",
        [remove(f"{SCHEME}.name"), remove(f"{SCHEME}.in"), update(SCHEME, {"type": "http", "scheme": "bearer"})],
        {"key": ("header", "authorization"), "prefix": "Bearer "},
        frozenset({HEADER, "client.auth.only-there"}),
    ),
    Edit(
        "a bearer token without its scheme",
        [remove(f"{SCHEME}.name"), remove(f"{SCHEME}.in"), update(SCHEME, {"type": "http", "scheme": "bearer"})],
        {"key": ("header", "authorization"), "prefix": "bearer "},
        frozenset({HEADER}),
        {"key": ("header", "authorization")},
    ),
    Edit(
        "another key that would do",
        [
            update("$.components.securitySchemes", {"other": {"type": "apiKey", "in": "query", "name": "api_key"}}),
            update("$.security", {"other": []}),
        ],
        {"key": ("query", "api_key")},
        frozenset({HEADER, "client.auth.only-there"}),
        {"key": ("query", "apikey")},
    ),
    Edit(
        "key in the query",
        [update(SCHEME, {"in": "query", "name": "api_key"})],
        {"key": ("query", "api_key")},
        frozenset({HEADER, "client.auth.only-there"}),
    ),
    Edit(
        "key in a cookie",
        [update(SCHEME, {"in": "cookie", "name": "session"})],
        {"key": ("cookie", "session")},
        frozenset({HEADER, "client.auth.only-there"}),
    ),
    Edit(
        "a required list",
        needs("query", "include", ["a", "b"], {"type": "array", "items": {"enum": ["a", "b"]}}),
        {"query": {"include": "b"}},
        frozenset({TARGET}),
        {"query": {"include": "c"}},
    ),
    Edit("a required header", needs("header", "x-tenant", "acme"), {"headers": {"x-tenant": "a"}}, frozenset({TARGET})),
    Edit("a required query", needs("query", "region", "eu"), {"query": {"region": "us"}}, frozenset({TARGET})),
    Edit("a required cookie", needs("cookie", "consent", "y"), {"cookies": {"consent": "n"}}, frozenset({TARGET})),
]


def judged(client: HandClient) -> RunResult:
    """Test a client against the clauses on its requests."""
    opened = open_adapter(client.adapter(), spec="hand", transport="loopback")
    try:
        run = judge_client(opened, profile="sketch", selected=CLAUSES)
    finally:
        opened.close()
    check_document(report_document(run))
    return run


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_a_client_that_follows_is_green(edit: Edit, tmp_path: Path) -> None:
    """No clause on its requests is red."""
    with using(tmp_path, *edit.actions):
        run = judged(HandClient(**edit.good))
    assert not red(run), shown(run)
    assert not run.error


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_a_client_that_does_not_is_red(edit: Edit, tmp_path: Path) -> None:
    """The clauses on its fault are red, and no others."""
    with using(tmp_path, *edit.actions):
        run = judged(HandClient(**edit.bad))
    assert red(run) == edit.red, shown(run)


def test_without_security_a_client_needs_no_key(tmp_path: Path) -> None:
    """The clauses on keys say why they are not exercised."""
    with using(tmp_path, remove("$.security")):
        run = judged(HandClient(key=None))
    assert not red(run), shown(run)
    about = [row for row in run.results if row.clause.theme == "auth" and row.selected]
    assert {(row.verdict, row.reason) for row in about} == {("not-exercised", "the contract asks for no key")}


_ORG = {"name": "org", "in": "path", "required": True, "example": "acme",
        "schema": {"type": "string", "pattern": "^[a-z]+$"}}  # fmt: skip


@pytest.mark.parametrize(("org", "wrong"), [("mine", set()), ("M1", {TARGET})])
def test_path_parameters_may_have_any_documented_value(tmp_path: Path, org: str, wrong: set[str]) -> None:
    """Clients know their values; drivers are not told any."""
    with using(tmp_path, *moved("/v2/orgs/{org}/batches/{id}", "id", _ORG)):
        run = judged(HandClient(before=f"/v2/orgs/{org}/batches/"))
    assert red(run) == wrong, shown(run)


@pytest.mark.parametrize("name", ["Accept", "Content-Type", "authorization"])
def test_headers_that_openapi_ignores_are_not_required(tmp_path: Path, name: str) -> None:
    """OpenAPI 3.1, 4.8.12.2: such a definition of a parameter is ignored."""
    with using(tmp_path, *needs("header", name, "x/y", {"const": "x/y"})):
        run = judged(HandClient())
    assert not red(run), shown(run)


class _Careful(HandClient):
    def reply(self, request: dict[str, Any]) -> dict[str, Any]:
        if not re.fullmatch("batch_[0-9a-f]{6}", request["batch_id"]):
            return self.error("invalid_argument", None)
        return super().reply(request)


def test_a_client_may_refuse_ids_outside_of_the_schema(tmp_path: Path) -> None:
    """If the parameter's schema excludes them, no encoding is needed."""
    schema = {"schema": {"type": "string", "pattern": "^batch_[0-9a-f]{6}$"}, "example": "batch_abc123"}
    actions = [
        update("$.paths['/v2/batch/{id}'].get.parameters[0]", schema),
        update("$.components.schemas.Batch.properties.id", {"pattern": "^batch_[0-9a-f]{6}$"}),
    ]
    assert judged(_Careful()).verdict != "pass"
    with using(tmp_path, *actions):
        run = judged(_Careful())
    assert not red(run), shown(run)
    result = next(row for row in run.results if row.clause.id == "client.request.id-encoding")
    assert (result.verdict, result.reason) == (
        "not-exercised", "the client asks for no id that the contract has none of",
    )  # fmt: skip


def test_ids_of_a_fixed_form_are_tested_with_a_query(tmp_path: Path) -> None:
    """UUIDs need no encoding either, but an appended query shows."""
    uuid = "9a7c0013-7dec-41d0-a765-00a0c91e6bf6"
    actions = [
        update("$.paths['/v2/batch/{id}'].get.parameters[0]", {"schema": {"format": "uuid"}, "example": uuid}),
        update("$.components.schemas.Batch.properties.id", {"format": "uuid"}),
    ]
    with using(tmp_path, *actions):
        assert red(judged(HandClient(query={"expand": "1"}))) == {TARGET}


def test_documented_query_parameters_may_be_sent(tmp_path: Path) -> None:
    """An optional parameter is not an undocumented query."""
    row = {"name": "verbose", "in": "query", "required": False, "schema": {"type": "boolean"}}
    client = HandClient(query={"verbose": "true"})
    assert red(judged(client)) == {TARGET}
    with using(tmp_path, update("$.paths['/v2/batch/{id}'].get", {"parameters": [row]})):
        run = judged(client)
    assert not red(run), shown(run)
