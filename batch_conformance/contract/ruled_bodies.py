"""Bodies other than a batch that have rules: errors, and a list as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from batch_conformance.contract.current import current_contract
from batch_conformance.contract.entity import LIST, list_shape
from batch_conformance.contract.operation import Contract, Operation
from batch_conformance.contract.references import Document, Schema
from batch_conformance.contract.rule_list import StatedRule, stated_rules
from batch_conformance.contract.rules import RuleSet
from batch_conformance.contract.schema import SchemaJudge

_ERROR_FORM, _LIST_FORM = "server.error.body", "server.list.array"


@dataclass(frozen=True, eq=False)
class RuledBody:
    """The body of one documented answer (``key``), without the batches in it.

    ``form`` is the clause of its schema. ``inner`` is the pointer of the list of batches in it, if any: rules
    below that belong to batches.
    """

    operation: Operation
    key: str
    document: Document
    schema: Schema
    around: Schema
    form: str
    inner: str | None = None

    @property
    def words(self) -> str:
        """Its name in messages."""
        return f"the body of a {self.key}" if self.inner is None else "the list of batches"

    @cached_property
    def stated_rules(self) -> list[StatedRule]:
        """Its rules as data. Needs no CEL runtime."""
        found = stated_rules(self.schema, self.document)
        below = None if self.inner is None else f"{self.inner}/*"
        return [rule for rule in found if below is None or not f"{rule.pointer}/".startswith(f"{below}/")]

    @cached_property
    def rules(self) -> RuleSet:
        """Its compiled rules. Raises ``RuleError``; without a CEL runtime, ``RuntimeMissing``."""
        return RuleSet(self.around, self.document)

    @cached_property
    def judge(self) -> SchemaJudge:
        """Validator of such a body by its schema."""
        return SchemaJudge(self.around, self.document, trusted=True)


def ruled_bodies(contract: Contract | None = None) -> list[RuledBody]:
    """Return the bodies with rules of a contract, of the current one by default."""
    return (contract or current_contract()).cached("ruled bodies", _ruled_bodies)


def _ruled_bodies(contract: Contract) -> list[RuledBody]:
    document = contract.document.content
    found = []
    for operation in contract.operations.values():
        for key, answer in operation.answers.items():
            media = answer.media_type
            if media is not None and key[:1] not in ("1", "2", "3"):
                found.append(RuledBody(operation, key, document, media.schema, media.schema, _ERROR_FORM))
    shape = list_shape(contract) if LIST in contract.operations else None
    if shape is not None:
        operation = contract.operation(LIST)
        key = operation.success.key if operation.success else "200"
        found.append(RuledBody(operation, key, document, shape.schema, shape.around, _LIST_FORM, shape.place))
    return [body for body in found if body.stated_rules]
