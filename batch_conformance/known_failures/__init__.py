"""Known failures: what may fail for now, why, and until when, in a file of the adopter's own.

An entry excuses exactly the evidence that it names. One that is stale, changed, expired or a draft is red.
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
