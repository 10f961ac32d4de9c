"""The contract as data: clauses, schemas, operations, overlays. Imports no other part of the package."""

from batch_conformance.contract.current import (
    base_contract,
    cached_by_contract,
    contract_in_use,
    current_contract,
    load_with_overlays,
    use_contract,
)
from batch_conformance.contract.document import AppliedOverlay, ContractDocument, load_document
from batch_conformance.contract.lifecycle import Lifecycle
from batch_conformance.contract.load import Clause, ContractFiles, Side, load_contract
from batch_conformance.contract.operation import (
    Answer,
    Contract,
    KeyPlace,
    MediaType,
    NoSuchOperation,
    Operation,
)
from batch_conformance.contract.parameter import Parameter
from batch_conformance.contract.rfc3339 import Instant, parse_date_time
from batch_conformance.contract.root import contract_root
from batch_conformance.contract.validate import SchemaViolation, schema_violations, violations_at

__all__ = [
    "Answer",
    "AppliedOverlay",
    "Clause",
    "Contract",
    "ContractDocument",
    "ContractFiles",
    "Instant",
    "KeyPlace",
    "Lifecycle",
    "MediaType",
    "NoSuchOperation",
    "Operation",
    "Parameter",
    "SchemaViolation",
    "Side",
    "base_contract",
    "cached_by_contract",
    "contract_in_use",
    "contract_root",
    "current_contract",
    "load_contract",
    "load_document",
    "load_with_overlays",
    "parse_date_time",
    "schema_violations",
    "use_contract",
    "violations_at",
]
