"""Evidence as a known failure names it: the code of the finding, the pointer into the body, the operation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from batch_conformance.checks.finding import Finding
from batch_conformance.contract import pointers
from batch_conformance.http import Redactor
from batch_conformance.http.redact import met_in
from batch_conformance.http.text import Chained, cut, shown_text
from batch_conformance.known_failures.sentences import ANYTHING, matches

_SHOWN_LIMIT = 300
#: The most characters of a pointer: it may hold a member name of any length from the target.
_POINTER_LIMIT = 200


class Seen(NamedTuple):
    """One finding with its texts as the report shows them."""

    code: str
    pointer: str
    operation: str
    message: str
    actual: str

    def __str__(self) -> str:
        """Return the evidence in one line."""
        return cut(f"{self.message}: {self.actual}" if self.actual else self.message, _SHOWN_LIMIT)


def seen_of(finding: Finding, redactor: Redactor) -> Seen:
    """Return the texts of a finding, redacted and made visible as in the report."""
    both = Chained((redactor, met_in(finding.exchange)))
    pointer, message, actual = (shown_text(both, text) for text in (finding.pointer, finding.message, finding.actual))
    return Seen(finding.code, pointer, finding.operation, message or "(no message)", actual)


def general(pointer: str) -> str:
    """Return the pointer with ``*`` for each array index, since the index of a wrong entry varies between runs."""
    return pointers.any_index(pointer)[:_POINTER_LIMIT]


@dataclass(frozen=True)
class Expected:
    """Evidence of a known failure: the code of a finding, its pointer, its operation ("" for any)."""

    code: str
    pointer: str = ""
    operation: str = ""

    def matches(self, seen: Seen) -> bool:
        """Whether this names the finding."""
        return (
            self.code == seen.code
            and general(self.pointer) == general(seen.pointer)
            and self.operation in ("", seen.operation)
        )

    @property
    def members(self) -> dict[str, str]:
        """The members of the item in the file."""
        every = {"code": self.code, "pointer": self.pointer, "operation": self.operation}
        return {name: value for name, value in every.items() if value}

    def __str__(self) -> str:
        """Return the evidence in one line."""
        place = f" at {self.pointer}" if self.pointer else ""
        operation = f" (operation {self.operation})" if self.operation else ""
        return cut(f"{self.code}{place}{operation}", _SHOWN_LIMIT)


@dataclass(frozen=True)
class Sentence:
    """Evidence in a file of version 0.1.0: patterns for the message and the actual value of a finding."""

    message: str
    actual: str = ANYTHING

    def matches(self, seen: Seen) -> bool:
        """Whether this names the finding."""
        return matches(self.message, seen.message) and matches(self.actual, seen.actual)

    @property
    def members(self) -> dict[str, str]:
        """The members of the item in the file."""
        return {"message": self.message} | ({} if self.actual == ANYTHING else {"actual": self.actual})

    def __str__(self) -> str:
        """Return the pattern in one line."""
        return cut(self.message if self.actual == ANYTHING else f"{self.message}: {self.actual}", _SHOWN_LIMIT)


#: What an entry may name.
Evidence = Expected | Sentence


def describe(evidence: Iterable[Evidence]) -> str:
    """Describe up to three pieces of evidence, each on a line."""
    listed = list(evidence)
    more = [f"(and {len(listed) - 3} more)"] if len(listed) > 3 else []
    return "\n".join([*map(str, listed[:3]), *more])


def patterns_of(evidence: Iterable[Seen]) -> list[Expected]:
    """Return the evidence to write in an entry for these findings, in their order, without duplicates."""
    made = (Expected(seen.code, general(seen.pointer), seen.operation) for seen in evidence)
    return list(dict.fromkeys(made))
