"""Reasons why a valid OpenAPI document cannot be used as a contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from batch_conformance.contract.clause_list import known_rules
from batch_conformance.contract.current import base_contract
from batch_conformance.contract.document import at_pointer, pointer
from batch_conformance.contract.entity import LIST, entity_of, list_shape
from batch_conformance.contract.filters import filter_problems
from batch_conformance.contract.known_names import unknown_names
from batch_conformance.contract.listing import may_be_object
from batch_conformance.contract.operation import Answer, Contract, Operation
from batch_conformance.contract.references import followed, types_of
from batch_conformance.contract.rule_trial import rule_problems
from batch_conformance.contract.ruled_bodies import ruled_bodies
from batch_conformance.contract.sendable import TRANSPORT_HEADERS, UNSUPPORTED_STYLES, is_token, unsendable

#: Headers that each request has for another purpose, in lower case (RFC 9110, 12.5 and 8.3).
_OWN_HEADERS = frozenset({"accept", "accept-encoding", "content-type", "user-agent"})


def contract_problems(contract: Contract) -> Iterator[str]:
    """Yield the reasons why a contract cannot be tested, one line each: place and problem."""
    if "get" not in contract.operations:
        yield "/paths: Get Batch (a GET with one path parameter) is gone, and nothing is judged without it; keep it"
        return
    for operation in contract.operations.values():
        for parameter in operation.parameters:
            if parameter.style in UNSUPPORTED_STYLES:
                yield (
                    f"{operation.pointer}: the {parameter.place} parameter {parameter.name!r} has the style "
                    f"{parameter.style!r}, which the suite does not support; simple is"
                )
            if any(parameter.place == key.place and key.is_named(parameter.name) for key in operation.keys):
                yield (
                    f"{operation.pointer}: the {parameter.place} parameter {parameter.name!r} is where the key is; "
                    "leave it out, or name one of them otherwise"
                )
                continue
            is_id = parameter.place == "path" and parameter.name == operation.id_parameter
            if parameter.required and not is_id:
                where = f"{operation.pointer}: the required {parameter.place} parameter {parameter.name!r}"
                problems = unsendable(parameter, contract.document.content)
                yield from (f"{where} {problem}" for problem in problems)
        success = operation.success
        if success is None:
            yield f"{operation.pointer}/responses: no success answer (2xx) is documented; document one"
        elif not _has_schema(success, contract.document.content) and (
            operation.name == "get" or success.media_type is None
        ):
            yield (
                f"{operation.pointer}/responses/{success.key}: the success answer has no schema of a JSON body; "
                "give it one"
            )
        elif operation.name == "get" and entity_of(operation, contract).prefix:
            yield (
                f"{operation.pointer}/responses/{success.key}: the answer of Get Batch is an array; its schema must "
                "be that of one batch"
            )
        elif operation.name == "get" and not may_be_object(
            entity_of("get", contract).schema, contract.document.content
        ):
            yield (
                f"{operation.pointer}/responses/{success.key}: the answer of Get Batch must be an object; "
                "this schema allows none"
            )
        yield from _header_names(operation)
        yield from _members_of_parameters(operation, contract)
        yield from _several_forms(operation, contract.document.content)
    yield from _server_variables(contract)
    yield from _lists(contract)
    yield from _key_names(contract)
    yield from _unsupported_keys(contract)
    yield from unknown_names(contract)
    yield from _rules_with_unknown_names(contract)
    yield from rule_problems(contract)


def _server_variables(contract: Contract) -> Iterator[str]:
    """Yield the variables in servers' URLs that are not defined (OpenAPI 3.1, 4.8.5)."""
    for at, server in enumerate(contract.document.content.get("servers", ())):
        for name in re.findall(r"\{([^{}]*)\}", str(server.get("url", ""))):
            if name not in server.get("variables", {}):
                yield f"/servers/{at}: the url has the variable {name!r}, which variables does not define"


def _header_names(operation: Operation) -> Iterator[str]:
    for key, answer in operation.answers.items():
        for name in answer.headers:
            if not is_token(name):
                yield f"{operation.pointer}/responses/{key}/headers: {name!r} is no name of a header; correct it"


def _members_of_parameters(operation: Operation, contract: Contract) -> Iterator[str]:
    """Yield the path parameters whose member in the answer is no text and no number."""
    for parameter in operation.of_place("path"):
        schemas = entity_of(operation, contract).layers_at(parameter.member) if parameter.member else ()
        stated = [kinds for layer in schemas if (kinds := types_of(layer))]
        if any(set(kinds) <= {"object", "array", "boolean", "null"} for kinds in stated):
            yield (
                f"{operation.pointer}: x-member of {parameter.name!r}: {parameter.member} is no text and no number; "
                "others cannot be in a path"
            )


def _has_schema(answer: Answer, document: dict[str, Any]) -> bool:
    """Whether an answer has a JSON body with a schema."""
    media = answer.media_type
    if media is None or not ("json" in media.name or "*" in media.name):
        return False
    return followed(media.schema, media.pointer, document)[0] is not True


def _several_forms(operation: Operation, document: dict[str, Any]) -> Iterator[str]:
    """Yield a problem if success answers have different schemas: only one is checked."""
    media = {key: row.media_type for key, row in operation.answers.items() if key.startswith("2")}
    forms = {key: followed(row.schema, row.pointer, document)[1] for key, row in media.items() if row is not None}
    bare = next((key for key, row in media.items() if row is None), None)
    if bare is not None and forms:
        yield (
            f"{operation.pointer}/responses/{bare}: a success answer without a body beside one with a body, which the "
            "suite does not support; leave it out"
        )
    other = next((key for key, form in forms.items() if form != next(iter(forms.values()))), None)
    if other is not None:
        first = next(iter(forms))
        yield (
            f"{operation.pointer}/responses/{other}: another schema than that of {first}; success answers of one "
            "operation need the same, by $ref"
        )


def _key_names(contract: Contract) -> Iterator[str]:
    """Yield the keys whose header or cookie name is not a valid one."""
    for operation in contract.operations.values():
        for key in operation.keys:
            if key.place != "query" and not is_token(key.name):
                yield f"{operation.pointer}/security: {key.name!r} is no name of a {key.place}; give it another one"
                continue
            name = key.name.lower() if key.place == "header" else ""
            if name in TRANSPORT_HEADERS or name in _OWN_HEADERS:
                kind = "of the transport" if name in TRANSPORT_HEADERS else "with a meaning of its own"
                yield (
                    f"{operation.pointer}/security: {key.name} is a header {kind}, which cannot hold a key; "
                    "give it another one"
                )


def _unsupported_keys(contract: Contract) -> Iterator[str]:
    """Yield the operations that name no supported security scheme."""
    document = contract.document
    schemes = document.content.get("components", {}).get("securitySchemes", {})
    for operation in contract.operations.values():
        raw = at_pointer(document.content, "#" + operation.pointer)
        rows = raw.get("security", document.content.get("security", []))
        names = [name for row in rows for name in row]
        together = next((row for row in rows if len(row) > 1), None)
        if together is not None and {} not in rows and all(len(row) > 1 for row in rows):
            yield (
                f"{operation.pointer}/security: {' and '.join(together)} at once are not supported; "
                "leave one of them in each entry"
            )
            continue
        if {} in rows or not names or operation.keys:
            continue
        scheme = document.resolve(schemes[names[0]])
        kind = " ".join(filter(None, (scheme.get("type", ""), str(scheme.get("scheme", "")))))
        yield (
            f"/components/securitySchemes{pointer(names[0])}: the security scheme {kind!r} is not supported: "
            "apiKey (in header, query or cookie) and http bearer are"
        )


def _lists(contract: Contract) -> Iterator[str]:
    """Yield the problems of List's answer and filters."""
    success = contract.operations[LIST].success if LIST in contract.operations else None
    shape = list_shape(contract) if success is not None else None
    whole = followed(shape.schema, "", contract.document.content)[0] if shape is not None else True
    if isinstance(whole, dict) and "prefixItems" in whole:
        where = success.media_type.pointer if success and success.media_type else LIST
        yield f"{where}: the list has prefixItems, but any number of batches; give it items"
        return
    if shape is not None and not may_be_object(shape.items, shape.document):
        yield f"{shape.pointer or LIST}: entries of List Batches are objects; this schema allows none"
        return
    if success is not None and success.media_type is not None and shape is None:
        yield (
            f"{success.media_type.pointer}: the answer of List Batches is no list: its schema must be an array, "
            "or an object of which exactly one property is the array of batches"
        )
        return
    yield from filter_problems(contract)


def _rules_with_unknown_names(contract: Contract) -> Iterator[str]:
    """Yield the rules of overlays that name undocumented members; rules of the files may, and are ignored."""
    base_rules = {(rule.code, rule.rule) for rule in known_rules(base_contract())}
    alone = {rule.schema_pointer for body in ruled_bodies(contract) for rule in body.stated_rules}
    for rule in known_rules(contract):
        if (rule.code, rule.rule) in base_rules:
            continue
        if rule.transition and rule.schema_pointer in alone:
            yield (
                f"{rule.schema_pointer}: oldSelf is known between two reads of a batch only, not in an error or for "
                "a whole list"
            )
        for keyword, name in (("rule", rule.unknown), ("messageExpression", rule.unknown_in_message)):
            if name:
                yield f"{rule.schema_pointer}: the {keyword} names {name}, which the contract does not have"
