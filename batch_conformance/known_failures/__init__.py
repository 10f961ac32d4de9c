"""Known failures: a TOML file of accepted failures, each with a reason, an issue and a last day.

An entry excuses only the evidence that it names. A clause fails if an entry for it is stale, expired or a draft, or if
it has evidence that no entry names.
"""

from batch_conformance.known_failures.apply import apply_known_failures
from batch_conformance.known_failures.entries import (
    KnownFailure,
    KnownFailures,
    MalformedKnownFailures,
    read_known_failures,
)
from batch_conformance.known_failures.patterns import Expected, Seen, Sentence, seen_of
from batch_conformance.known_failures.plan import Observations, observe
from batch_conformance.known_failures.update import KnownFailuresNotWritten, update_known_failures

__all__ = [
    "Expected",
    "KnownFailure",
    "KnownFailures",
    "KnownFailuresNotWritten",
    "MalformedKnownFailures",
    "Observations",
    "Seen",
    "Sentence",
    "apply_known_failures",
    "observe",
    "read_known_failures",
    "seen_of",
    "update_known_failures",
]
