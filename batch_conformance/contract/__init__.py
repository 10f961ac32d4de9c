"""What is promised: clauses, schemas and the OpenAPI fragment, loaded once. Imports nothing of the package."""

from batch_conformance.contract.load import Clause, Contract, Side, contract_root, load_contract
from batch_conformance.contract.rfc3339 import Instant, parse_date_time
from batch_conformance.contract.validate import SchemaViolation, schema_violations

__all__ = [
    "Clause",
    "Contract",
    "Instant",
    "SchemaViolation",
    "Side",
    "contract_root",
    "load_contract",
    "parse_date_time",
    "schema_violations",
]
