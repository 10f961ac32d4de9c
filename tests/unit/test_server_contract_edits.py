"""Contract edits, and the clause that each of them turns red for a server that does not follow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from batch_conformance.checks.finding import CheckResult
from batch_conformance.checks.server import SERVER_CHECKS, Record
from batch_conformance.contract import base_contract, current_contract
from batch_conformance.contract.overlay import OverlayError
from batch_conformance.http import Exchange, Intent, Request, Response
from tests.support.overlays import BATCH, GET, overlaid, remove, update, using

METRICS = "$.components.schemas.Metrics"
ERROR = "$.components.schemas.Error"
STATUS = f"{BATCH}.properties.status"
PROPERTIES = f"{BATCH}.properties"
BATCH_NOW: dict[str, Any] = {
    "id": "b1",
    "created_at": "2024-01-15T10:30:00Z",
    "status": "COMPLETED",
    "metrics": {"total_generations": 5, "success_count": 4, "failed_count": 1, "pending_count": 0},
    "outputUrl": "https://api.example.com/out",
    "webhookUrl": "https://example.com/hook",
}
ERROR_NOW = {"message": "no", "statusCode": 401}


def read(body: Any, number: int = 1, media: str = "application/json", **headers: str) -> Exchange:
    """Return a read of the known batch with the valid key."""
    fields = (("content-type", media), *((name.replace("_", "-"), value) for name, value in headers.items()))
    return Exchange(
        number,
        Intent("reads", "b1", "known", "valid"),
        Request("GET", "http://h/v2/batch/b1", (("x-api-key", "k" * 12),)),
        Response(200, fields, json.dumps(body).encode()),
        started=float(number),
        ended=number + 0.5,
    )


def refusal(status: int = 401, body: Any = None, media: str = "application/json") -> Exchange:
    """Return a read of the known batch without a key."""
    content = {**ERROR_NOW, "statusCode": status} if body is None else body
    return Exchange(
        90 + status,
        Intent("missing-key", "b1", "known", "missing"),
        Request("GET", "http://h/v2/batch/b1", ()),
        Response(status, (("content-type", media), ("www-authenticate", "Key")), json.dumps(content).encode()),
        started=float(status),
        ended=status + 0.5,
    )


def batch(**changes: Any) -> dict[str, Any]:
    """Return the batch with some members changed, or removed for ``...``."""
    return {name: value for name, value in {**BATCH_NOW, **changes}.items() if value is not ...}


def judged(*exchanges: Exchange) -> dict[str, CheckResult]:
    """Return the result of every clause of the current contract."""
    record = Record(exchanges, ["k" * 12])
    return SERVER_CHECKS.judge(record, [clause.id for clause in current_contract().of_side("server")])


def red(results: dict[str, CheckResult]) -> set[str]:
    """Return the broken clauses."""
    return {clause for clause, result in results.items() if result.findings}


def reads(*bodies: Any) -> list[Exchange]:
    """Return successive reads."""
    return [read(body, number) for number, body in enumerate(bodies, 1)]


PRIORITY = {"type": "integer", "minimum": 1}
SKIPPED, SKIPPED_AT = "skipped_count", "/metrics/skipped_count"
OWNER = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}}
COMPLETED = {"properties": {"status": {"const": "COMPLETED"}}}
FEW = {"code": "few", "rule": "self.priority < self.metrics.total_generations", "message": "too many"}
#: By name: the edit, bodies that follow it and that do not, the clause, code and pointer.
BODIES: dict[str, tuple[Sequence[dict[str, Any]], Any, Any, str, str, str]] = {
    "required-member": (
        [update(PROPERTIES, {"priority": PRIORITY}), update(BATCH, {"required": ["priority"]})],
        batch(priority=1), batch(), "server.body.priority", "required", "/priority",
    ),
    "its-type": (
        [update(PROPERTIES, {"priority": PRIORITY})],
        batch(priority=2), batch(priority="2"), "server.body.priority", "type", "/priority",
    ),
    "its-minimum": (
        [update(PROPERTIES, {"priority": PRIORITY})],
        batch(priority=1), batch(priority=0), "server.body.priority", "minimum", "/priority",
    ),
    "type-to-integer": (
        [update(f"{PROPERTIES}.outputUrl", {"type": "integer"}), remove(f"{BATCH}.then.properties")],
        batch(outputUrl=7), batch(), "server.body.outputUrl", "type", "/outputUrl",
    ),
    "enum-narrowed": (
        [remove(f"{STATUS}.enum[?@ == 'FAILED']")],
        batch(), batch(status="FAILED"), "server.body.status", "enum", "/status",
    ),
    "pattern": (
        [update(PROPERTIES, {"id": {"pattern": "^b[0-9]+$"}, "webhookUrl": {"pattern": "^https:"}})],
        batch(), batch(webhookUrl="http://example.com"), "server.body.webhookUrl", "pattern", "/webhookUrl",
    ),
    "maximum": (
        [update(f"{METRICS}.properties.total_generations", {"maximum": 5})],
        batch(), batch(metrics={**BATCH_NOW["metrics"], "total_generations": 6, "success_count": 5}),
        "server.body.metrics", "maximum", "/metrics/total_generations",
    ),
    "format": (
        [update(PROPERTIES, {"trace": {"type": "string", "format": "uuid"}})],
        batch(trace="00000000-0000-4000-8000-000000000001"), batch(trace="x"), "server.body.trace", "format", "/trace",
    ),
    "nullable": (
        [update(PROPERTIES, {"note": {"type": ["string", "null"]}}), update(BATCH, {"required": ["note"]})],
        batch(note=None), batch(note=5), "server.body.note", "type", "/note",
    ),
    "unique-items": (
        [update(PROPERTIES, {"tags": {"type": "array", "uniqueItems": True, "items": {"type": "string"}}})],
        batch(tags=["a", "b"]), batch(tags=["a", "a"]), "server.body.tags", "uniqueItems", "/tags",
    ),
    "items": (
        [update(PROPERTIES, {"tags": {"type": "array", "items": {"type": "string"}}})],
        batch(tags=["a"]), batch(tags=["a", 5]), "server.body.tags", "type", "/tags/1",
    ),
    "const": (
        [update(PROPERTIES, {"kind": {"const": "batch"}})],
        batch(kind="batch"), batch(kind="list"), "server.body.kind", "const", "/kind",
    ),
    "one-of": (
        [update(PROPERTIES, {"owner": {"oneOf": [{"type": "string"}, {"type": "integer"}]}})],
        batch(owner="x"), batch(owner=[]), "server.body.owner", "oneOf", "/owner",
    ),
    "nested": (
        [update(PROPERTIES, {"owner": OWNER})],
        batch(owner={"name": "x"}), batch(owner={}), "server.body.owner", "required", "/owner/name",
    ),
    "if-then": (
        [update(BATCH, {"allOf": [{"if": COMPLETED, "then": {"required": ["ended"]}}]})],
        batch(ended=1), batch(), "server.body.ended", "required", "/ended",
    ),
    "closed": (
        [update(BATCH, {"additionalProperties": False})],
        batch(), batch(more=1), "server.body.others", "additionalProperties", "/more",
    ),
    "odd-name": (
        [update(PROPERTIES, {"open": {"type": "boolean"}})],
        batch(open=True), batch(open=1), "server.body.member-open", "type", "/open",
    ),
    "count-added": (
        [update(f"{METRICS}.properties", {SKIPPED: {"type": "integer"}}), update(METRICS, {"required": [SKIPPED]})],
        batch(metrics={**BATCH_NOW["metrics"], SKIPPED: 0}), batch(), "server.body.metrics", "required", SKIPPED_AT,
    ),
    "rule": (
        [update(PROPERTIES, {"priority": {"type": "integer"}}), update(BATCH, {"x-validations": [FEW]})],
        batch(priority=1), batch(priority=9), "server.rule.few", "few", "",
    ),
    "rule-without-a-code": (
        [update(BATCH, {"x-validations": [{"rule": "self.id.startsWith('b')", "message": "ids begin with b"}]})],
        batch(), None, "server.rule.ids-begin-with-b", "", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_an_edit_of_the_body_is_checked(tmp_path: Path, name: str) -> None:
    """The place's clause is red, with code and pointer, and no other one; a server that follows is green."""
    actions, follows, breaks, clause, code, pointer = BODIES[name]
    with using(tmp_path, *actions):
        good = judged(*reads(follows))
        assert red(good) == set()
        assert good[clause].observations
        if breaks is None:
            return
        results = judged(*reads(breaks))
        assert red(results) == {clause}
        (finding,) = results[clause].findings
        assert (finding.code, finding.pointer, finding.operation) == (code, pointer, "get")


def test_an_unedited_contract_has_no_derived_clause(tmp_path: Path) -> None:
    """Clauses derived from an edit come right after the written ones about bodies."""
    assert not any(clause.derived for clause in base_contract().clauses.values())
    contract = overlaid(tmp_path, *BODIES["required-member"][0])
    ids = list(contract.clauses)
    assert ids[ids.index("server.body.priority") - 1] == "server.body.open"
    clause = contract.clauses["server.body.priority"]
    assert (clause.level, clause.promise) == ("must", "priority is an integer; at least 1, required.")
    assert clause.source == "schema /components/schemas/Batch/properties/priority"


def test_a_removed_member_is_not_exercised(tmp_path: Path) -> None:
    """The reason says so, whatever a server still sends; rules about it are not evaluated."""
    removal = [remove(f"{PROPERTIES}.webhookUrl"), remove(f"{METRICS}.properties.pending_count"),
            remove(f"{METRICS}.required[?@ == 'pending_count']")]  # fmt: skip
    with using(tmp_path, *removal):
        results = judged(*reads(batch(webhookUrl=5, metrics={**BATCH_NOW["metrics"], "pending_count": 99})))
    assert red(results) == set()
    for clause in (
        "body.webhookUrl",
        "body.metrics-sum",
        "body.completed-none-pending",
        "poll.webhook-stable",
    ):
        assert results[f"server.{clause}"].observations == 0, clause
        assert results[f"server.{clause}"].reason == "the contract has no such member or rule", clause


def test_a_renamed_member_is_checked_under_its_new_name(tmp_path: Path) -> None:
    """The old name is not exercised, the new one has a clause."""
    with using(
        tmp_path,
        remove(f"{PROPERTIES}.created_at"), remove(f"{BATCH}.required[?@ == 'created_at']"),
        update(PROPERTIES, {"createdAt": {"type": "string", "format": "date-time"}}),
        update(BATCH, {"required": ["createdAt"], "x-identity": ["/createdAt"]}),
    ):  # fmt: skip
        assert red(judged(*reads(batch(created_at=..., createdAt="2024-01-15T10:30:00Z")))) == set()
        assert red(judged(*reads(batch()))) == {"server.body.createdAt"}
        moved = reads(batch(createdAt="2024-01-15T10:30:00Z"), batch(createdAt="2024-01-15T10:30:01Z"))
        assert red(judged(*moved)) == {"server.poll.identity"}
        same = reads(batch(createdAt="2024-01-15T10:30:00Z"), batch(createdAt="2024-01-15T11:30:00+01:00"))
        assert red(judged(*same)) == set()


CANCELLED = update(STATUS, {"enum": ["CANCELLED"], "x-lifecycle": {"final": ["CANCELLED"]}})


def test_a_final_status_added_is_final(tmp_path: Path) -> None:
    """It is accepted, must not change any more, and freezes the counts."""
    counts = {**BATCH_NOW["metrics"], "success_count": 3, "pending_count": 1}
    ended = batch(status="CANCELLED", metrics=counts)
    assert red(judged(*reads(ended))) == {"server.body.status"}
    with using(tmp_path, CANCELLED):
        assert red(judged(*reads(batch(status="PROCESSING", metrics=counts), ended, ended))) == set()
        assert red(judged(*reads(ended, batch()))) == {"server.poll.final"}
        (finding,) = judged(*reads(ended, batch(status="CANCELLED")))["server.poll.final"].findings[:1]
        assert (finding.code, finding.pointer) == ("changed", "/metrics/pending_count")
        assert "server.poll.forward-only" in red(judged(*reads(ended, batch(status="PENDING"))))
        assert judged(*reads(batch(), batch()))["server.poll.final"].limits == [
            "no CANCELLED batch was read again", "no FAILED batch was read again",
        ]  # fmt: skip


def test_more_is_frozen_where_the_contract_says_so(tmp_path: Path) -> None:
    """The contract names it by pointers in the batch."""
    changed = reads(batch(), batch(outputUrl="https://api.example.com/other"))
    assert red(judged(*changed)) == set()
    with using(tmp_path, update(f"{STATUS}.x-lifecycle", {"frozen": ["/outputUrl"]})):
        assert red(judged(*changed)) == {"server.poll.final"}


def test_without_an_order_nothing_goes_back(tmp_path: Path) -> None:
    """Without an order, nothing is checked."""
    with using(tmp_path, remove(f"{STATUS}.x-lifecycle")):
        results = judged(*reads(batch(), batch(status="PENDING")))
    assert red(results) == set()
    assert results["server.poll.forward-only"].reason == "the contract states no order of statuses"
    assert results["server.poll.final"].reason == "the contract states no final status"


def test_a_transition_rule_added_joins_two_reads(tmp_path: Path) -> None:
    """Red for the pair, with both requests as evidence and the numbers shown."""
    rule = {
        "code": "total-fixed",
        "rule": "self.total_generations == oldSelf.total_generations",
        "message": "total changed",
    }
    first = batch(status="PROCESSING")
    second = batch(status="PROCESSING", metrics={**BATCH_NOW["metrics"], "total_generations": 6})
    assert red(judged(*reads(first, second))) == set()
    with using(tmp_path, update(METRICS, {"x-validations": [rule]})):
        assert red(judged(*reads(first, first))) == set()
        results = judged(*reads(first, second))
        assert red(results) == {"server.rule.total-fixed"}
        (finding,) = results["server.rule.total-fixed"].findings
        assert finding.code == "total-fixed"
        assert finding.pointer == "/metrics/total_generations"
        assert finding.actual == "total_generations is 6, total_generations was 5"
        assert [one.number for one in finding.prelude] == [1]
        assert judged(*reads(first))["server.rule.total-fixed"].observations == 0


def test_a_rule_that_cannot_be_evaluated_on_the_body_does_not_pass(tmp_path: Path) -> None:
    """Nothing is observed without the optional member, and the clause is an error."""
    rule = {"code": "short", "rule": "size(self.note) < 9", "message": "too long"}
    with using(tmp_path, update(PROPERTIES, {"note": {"type": "string"}}), update(BATCH, {"x-validations": [rule]})):
        result = judged(*reads(batch()))["server.rule.short"]
        assert (result.observations, result.findings) == (0, [])
        assert any("the rule short cannot be evaluated" in why for why in result.unjudged)
        # A value of a wrong type is reported by the schema's clause.
        results = judged(*reads(batch(note=5)))
        assert red(results) == {"server.body.note"}
        assert results["server.rule.short"].explained == {"server.body.note": 1}


def test_a_rule_on_an_unknown_member_is_refused(tmp_path: Path) -> None:
    """One line says so; the contract's own rules about members that an overlay removed are allowed."""
    rule = {"code": "x", "rule": "self.nope > 0", "message": "m"}
    with pytest.raises(OverlayError, match=r"the rule names self\.nope, which the contract does not have"):
        overlaid(tmp_path, update(BATCH, {"x-validations": [rule]}))
    assert overlaid(tmp_path, remove(f"{METRICS}.properties.pending_count")).clauses


def test_another_documented_media_type_is_checked_too(tmp_path: Path) -> None:
    """It is checked by its own schema if it has one; a media type that is not JSON is not parsed."""
    more = {
        "application/vnd.batch+json": {"schema": {"$ref": "#/components/schemas/Batch"}},
        "text/csv": {"schema": {"type": "string"}},
    }
    typed = [read(batch(), 1, "application/vnd.batch+json; v=1"), read("a,b", 2, "text/csv")]
    assert red(judged(typed[0])) == {"server.ok.media-type"}
    with using(tmp_path, update(f"{GET}.responses['200'].content", more)):
        results = judged(*typed)
        assert red(results) == set()
        assert results["server.body.id"].observations == 1
        assert red(judged(read(batch(id=5), 1, "application/vnd.batch+json"))) == {"server.body.id"}
        assert red(judged(read(batch(), 1, "text/plain"))) == {"server.ok.media-type"}


def test_errors_follow_their_documented_schema(tmp_path: Path) -> None:
    """The schema is that of their status, or of another documented error for an undocumented status."""
    extended = [
        update(f"{ERROR}.properties", {"traceId": {"type": "string"}}),
        update(ERROR, {"required": ["traceId"]}),
    ]
    with using(tmp_path, *extended):
        assert red(judged(refusal(body={**ERROR_NOW, "traceId": "t"}))) == set()
        results = judged(refusal())
        assert red(results) == {"server.error.body"}
        (finding,) = results["server.error.body"].findings
        assert (finding.code, finding.pointer) == ("required", "/traceId")
        assert "server.error.body" in red(judged(refusal(418)))
    with using(tmp_path, remove(f"{ERROR}.properties.statusCode"), remove(f"{ERROR}.required[?@ == 'statusCode']")):
        results = judged(refusal(body={"message": "no", "statusCode": 500}))
        assert red(results) == set()
        assert results["server.error.status-agrees"].reason == "the contract has no such member or rule"
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    with using(tmp_path, update(f"{GET}.responses['401'].content", problem)):
        assert red(judged(refusal(media="application/problem+json"))) == set()


def test_other_refusals_count_where_they_are_documented(tmp_path: Path) -> None:
    """403 instead of 401, both, or neither."""
    forbidden = {
        "403": {
            "description": "No.",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }
    }
    admits = {"server.auth.missing-key"}
    assert red(judged(refusal(403))) == {*admits, "server.error.documented-status"}
    with using(tmp_path, update(f"{GET}.responses", forbidden)):
        assert red(judged(refusal(403))) == red(judged(refusal(401))) == set()
    with using(tmp_path, update(f"{GET}.responses", forbidden), remove(f"{GET}.responses['401']")):
        assert red(judged(refusal(403))) == set()
        assert red(judged(refusal(401))) == {*admits, "server.error.documented-status"}
    with using(tmp_path, remove(f"{GET}.responses['401']")):
        assert red(judged(refusal(401))) == {"server.error.documented-status"}
        assert red(judged(refusal(404))) == set()
    with using(tmp_path, update(f"{GET}.responses", {"4XX": forbidden["403"]}), remove(f"{GET}.responses['401']")):
        assert red(judged(refusal(401))) == set()


def test_a_status_without_a_rank_keeps_the_order_of_others(tmp_path: Path) -> None:
    """Going back across it is still going back."""
    paused, waiting, working = (batch(status=name, outputUrl="") for name in ("PAUSED", "PENDING", "PROCESSING"))
    with using(tmp_path, update(STATUS, {"enum": ["PAUSED"]})):
        assert red(judged(*reads(waiting, paused, working, paused, working))) == set()
        assert red(judged(*reads(working, paused, paused, waiting))) == {"server.poll.forward-only"}


def test_disclosure_follows_the_members(tmp_path: Path) -> None:
    """A new member in a refusal discloses a batch, unless other errors have it too."""
    content = {**ERROR_NOW, "runOwner": 3}
    assert red(judged(refusal(body=content))) == set()
    with using(tmp_path, update(PROPERTIES, {"runOwner": {}, "x": {}}), update(BATCH, {"required": ["runOwner"]})):
        assert red(judged(refusal(body=content))) == {"server.auth.no-disclosure"}
    with using(tmp_path, update(BATCH, {"required": ["runOwner"]}), update(f"{ERROR}.properties", {"runOwner": {}})):
        assert red(judged(refusal(body=content))) == set()
