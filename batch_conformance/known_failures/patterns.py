"""Evidence as a known failure names it: the code of the finding, the place in the body, and the operation."""

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
#: A pointer may have a name in it that the target made up, of any length; in characters.
_POINTER_LIMIT = 200


class Seen(NamedTuple):
    """One finding as a report shows it."""

    code: str
    pointer: str
    operation: str
    message: str
    actual: str

    def __str__(self) -> str:
        """The evidence in one line, for readers."""
        return cut(f"{self.message}: {self.actual}" if self.actual else self.message, _SHOWN_LIMIT)


def seen_of(finding: Finding, redactor: Redactor) -> Seen:
    """The finding, redacted and made visible just as in the report."""
    both = Chained((redactor, met_in(finding.exchange)))
    pointer, message, actual = (
        shown_text(both, text) for text in (finding.pointer, finding.message, finding.actual)
    )
    return Seen(finding.code, pointer, finding.operation, message or "(no message)", actual)


def general(pointer: str) -> str:
    """The pointer with ``*`` for every index: which entry of a list is wrong varies from run to run."""
    return pointers.any_index(pointer)[:_POINTER_LIMIT]


@dataclass(frozen=True)
class Expected:
    """What a known failure's evidence is: the code of a finding, its place, its operation ("" for any)."""

    code: str
    pointer: str = ""
    operation: str = ""

    def matches(self, seen: Seen) -> bool:
        """Whether this is the evidence that was expected."""
        return (
            self.code == seen.code
            and general(self.pointer) == general(seen.pointer)
            and self.operation in ("", seen.operation)
        )

    @property
    def members(self) -> dict[str, str]:
        """As it stands in the file."""
        every = {"code": self.code, "pointer": self.pointer, "operation": self.operation}
        return {name: value for name, value in every.items() if value}

    def __str__(self) -> str:
        """The evidence in one line, for readers."""
        place = f" at {self.pointer}" if self.pointer else ""
        operation = f" (operation {self.operation})" if self.operation else ""
        return cut(f"{self.code}{place}{operation}", _SHOWN_LIMIT)


@dataclass(frozen=True)
class Sentence:
    """Evidence as patterns for what a report says, of a file that was made by version 0.1.0."""

    message: str
    actual: str = ANYTHING

    def matches(self, seen: Seen) -> bool:
        """Whether this is the evidence that was expected."""
        return matches(self.message, seen.message) and matches(self.actual, seen.actual)

    @property
    def members(self) -> dict[str, str]:
        """As it stands in the file."""
        return {"message": self.message} | ({} if self.actual == ANYTHING else {"actual": self.actual})

    def __str__(self) -> str:
        """The pattern in one line, for readers."""
        return cut(
            self.message if self.actual == ANYTHING else f"{self.message}: {self.actual}", _SHOWN_LIMIT
        )


#: What an entry may name.
Evidence = Expected | Sentence


def describe(evidence: Iterable[Evidence]) -> str:
    """A few pieces of evidence for readers, one a line."""
    listed = list(evidence)
    more = [f"(and {len(listed) - 3} more)"] if len(listed) > 3 else []
    return "\n".join([*map(str, listed[:3]), *more])


def patterns_of(evidence: Iterable[Seen]) -> list[Expected]:
    """What names all of the evidence, in its order, each once."""
    made = (Expected(seen.code, general(seen.pointer), seen.operation) for seen in evidence)
    return list(dict.fromkeys(made))
