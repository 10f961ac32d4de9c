"""Send the requests of one finding again, and tell whether the responses break the same clause."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urlsplit

from batch_conformance.checks.finding import Finding
from batch_conformance.checks.result import RunResult, Subject
from batch_conformance.checks.server import Record
from batch_conformance.checks.server.record import READS
from batch_conformance.contract.entity import entity_of, entry_id, list_shape
from batch_conformance.contract.pointers import any_index
from batch_conformance.contract.statuses import absences
from batch_conformance.generate import keys
from batch_conformance.http import Exchange, Intent, Redactor, Request
from batch_conformance.http.recipe import request_from
from batch_conformance.server_runner.gateway import UsageError
from batch_conformance.server_runner.hiding import derived_keys, hide_keys
from batch_conformance.server_runner.probe import ProbeContext
from batch_conformance.server_runner.profile import PROFILES
from batch_conformance.server_runner.session import judge_record
from batch_conformance.server_runner.target import Target
from batch_conformance.server_runner.transport import Transport

#: Outcome of a replay: the clause is broken as recorded, broken otherwise, or not broken; or there is too
#: little to tell, with a response like the recorded one or not, or because the list no longer names the batch.
Outcome = Literal["same", "otherwise", "kept", "alike", "unlike", "gone"]


@dataclass(frozen=True)
class Replayed:
    """Result of a replay."""

    exchanges: tuple[Exchange, ...]
    outcome: Outcome
    findings: tuple[Finding, ...]
    redactor: Redactor


def replay_requests(
    target: Target,
    clause: str,
    evidence: Mapping[str, Any],
    *,
    seed: int,
    secrets: Mapping[str, str],
    timeout: float,
) -> Replayed:
    """Send the requests of one piece of evidence to ``target``, and check the exchanges against ``clause``.

    ``secrets`` maps names of environment variables to their values. Raises ``ValueError``, ``KeyError`` or
    ``TypeError`` for requests that are malformed or name a secret that is not known.
    """
    derived = derived_keys(target.api_key, target.api_key_env, seed)

    def secret(kind: str, name: str) -> str:
        found = derived.get(name) if kind == "key" else secrets.get(name)
        if found is None:
            raise ValueError(f"no value for {name}")
        return found

    plans = [(request_from(recipe, secret), recipe) for recipe in evidence["replay"]["requests"]]
    transport = Transport(target.url, timeout=timeout, ssl_context=target.ssl_context, headers=target.header_fields)
    try:
        exchanges = []
        for (request, intent), recipe in plans:
            _stage(target, recipe.get("staged"))
            lane = str(recipe.get("connection", ""))
            exchanges.append(transport.exchange(_to_own_origin(request, target), _intent(intent, recipe), lane=lane))
        found = exchanges[-1]
        unfiltered = [one for one in exchanges if _is_whole_list(one, found)]
        # Entries that a filter leaves out only show between two unfiltered lists.
        exchanges += [transport.exchange(one.request, one.intent) for one in unfiltered[-1:]]
        gone, listing = False, evidence["replay"].get("listing")
        if listing is not None and any(_is_absent(one, found.intent.id) for one in exchanges):
            request, intent = request_from(listing, secret)
            exchanges.insert(0, transport.exchange(_to_own_origin(request, target), intent))
            gone = not _is_named(found.intent.id, exchanges[0])
    finally:
        transport.close()
    context = ProbeContext(
        keys.valid_key(target.api_key, target.api_key_env), target.api_key_env, [], PROFILES["quick"], seed
    )
    redaction = RunResult(Subject("server", "", "", target.url))
    hide_keys(redaction, context, target.headers)
    for name, value in secrets.items():
        redaction.redactor.add(value, f"[value of {name}]")
    # As in a run, the exchanges of each operation are checked by themselves.
    record = Record(exchanges, secrets=[target.api_key]).of_operation(found.intent.operation)
    result = judge_record(record, [clause])[clause]
    can_tell = bool(result.observations) and _can_show(found, evidence, unfiltered)
    return Replayed(
        tuple(exchanges),
        "gone" if gone else _outcome(result.findings, can_tell, found, evidence),
        tuple(result.findings),
        redaction.redactor,
    )


def _is_absent(exchange: Exchange, batch_id: str) -> bool:
    """Whether an ordinary read of a batch was answered as for one that does not exist."""
    intent = exchange.intent
    is_read = intent.id == batch_id and intent.id_kind == "known" and intent.key_kind == "valid"
    return is_read and exchange.status in absences(intent.operation)


def _is_named(batch_id: str, listing: Exchange) -> bool:
    """Whether a list names a batch; true for an answer that is no list."""
    shape, named = list_shape(), entry_id()
    entries = shape.entries(listing.response.json.value) if shape and listing.response else None
    rows = [entry for entry in entries or () if isinstance(entry, dict)]
    return entries is None or batch_id in (entity_of("list").id_at(row, named) for row in rows)


def _is_whole_list(exchange: Exchange, found: Exchange) -> bool:
    """Whether a request is for the whole list of which the finding's request asks for a part."""
    path, _, query = found.request.url.partition("?")
    return bool(query) and exchange.request.url == path and exchange.intent.probe in READS


def _stage(target: Target, status: object) -> None:
    if status is None:
        return
    if target.stager is None or not isinstance(status, int) or not target.stager.answer_next(status):
        raise UsageError(f"the {status} was staged: give the staging hook with --stage, as the run had it")


def _can_show(found: Exchange, evidence: Mapping[str, Any], unfiltered: Sequence[Exchange]) -> bool:
    """Whether repeated requests can show that the clause is not broken.

    Not if they were a burst, or if more requests are needed to know what the list contains.
    """
    if found.intent.probe.startswith("burst"):
        return False
    is_filtered = evidence.get("operation") == "list" and "?" in found.request.url and evidence.get("prelude")
    return bool(unfiltered) or not is_filtered


def _outcome(findings: Sequence[Finding], can_tell: bool, last: Exchange, evidence: Mapping[str, Any]) -> Outcome:
    if findings:
        return "same" if any(_is_same(finding, evidence) for finding in findings) else "otherwise"
    if can_tell:
        return "kept"
    recorded = (evidence.get("response") or {}).get("status")
    return "alike" if recorded == last.status else "unlike"


def _is_same(finding: Finding, evidence: Mapping[str, Any]) -> bool:
    """Compare by code and pointer; a report of version 0.1.0 has no codes, so there by message or value."""
    if "code" in evidence:
        places = any_index(finding.pointer), any_index(evidence["pointer"])
        return bool(finding.code == evidence["code"] and places[0] == places[1])
    return bool(finding.message == evidence["message"] or finding.actual == evidence["actual"])


def _intent(intent: Intent, recipe: Mapping[str, Any]) -> Intent:
    return replace(intent, staged=recipe.get("staged"))


def _to_own_origin(request: Request, target: Target) -> Request:
    """Return the request for the target's own origin, so that a key is never sent elsewhere."""
    parts, origin = urlsplit(request.url), urlsplit(target.url)
    rest = request.url.partition("://")[2].partition("/")[2]
    if f"{parts.scheme}://{parts.netloc}" == f"{origin.scheme}://{origin.netloc}":
        return request
    headers = tuple((name, target.host if name.lower() == "host" else value) for name, value in request.headers)
    return replace(request, url=f"{origin.scheme}://{origin.netloc}/{rest}", headers=headers)
