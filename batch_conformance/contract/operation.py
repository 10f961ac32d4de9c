"""Model of the contract: operations, parameters, documented answers. Built by ``reading``."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

from batch_conformance.contract.document import AppliedOverlay, ContractDocument
from batch_conformance.contract.lifecycle import Lifecycle
from batch_conformance.contract.media_types import with_ranges
from batch_conformance.contract.parameter import Parameter, Place, path_segment
from batch_conformance.contract.shipped import SHIPPED

if TYPE_CHECKING:
    from batch_conformance.contract.load import Clause, Side

T = TypeVar("T")

_TEMPLATE = re.compile(r"\{([^{}/]+)\}")


class NoSuchOperation(LookupError):
    """The contract has no such operation (an overlay may have removed it)."""


@dataclass(frozen=True)
class KeyPlace:
    """Place of the API key in requests: name, ``header``, ``query`` or ``cookie``, and a prefix (``Bearer ``)."""

    name: str
    place: Place
    prefix: str = ""

    def is_named(self, name: str) -> bool:
        """Whether a name is this one; header names are compared without case."""
        return name.lower() == self.name.lower() if self.place == "header" else name == self.name


@dataclass(frozen=True)
class MediaType:
    """One documented media type of a body. ``pointer`` is the JSON pointer of its schema in the document."""

    name: str
    schema: Any
    pointer: str
    examples: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """One documented answer. ``key`` is a status, a range such as ``4XX``, or ``default``."""

    key: str
    description: str
    media_types: Mapping[str, MediaType]
    headers: Mapping[str, Mapping[str, Any]]

    @property
    def media_type(self) -> MediaType | None:
        """The first documented media type; None where none is documented."""
        return next(iter(self.media_types.values()), None)

    def body_of(self, media_type: str | None) -> MediaType | None:
        """Return the entry for a media type without parameters, also by a range."""
        if media_type is None:
            return None
        known = {name.partition(";")[0].strip().lower(): row for name, row in self.media_types.items()}
        return next((known[name] for name in with_ranges(media_type) if name in known), None)


@dataclass(frozen=True)
class Operation:
    """One operation. ``name`` is the suite's own (``get``, ``list``), ``pointer`` a JSON pointer."""

    name: str
    operation_id: str
    method: str
    path: str
    pointer: str
    parameters: tuple[Parameter, ...]
    key: KeyPlace | None
    answers: Mapping[str, Answer]
    #: All places where a key is accepted: ``key``, and alternatives in ``security``.
    keys: tuple[KeyPlace, ...] = ()

    @property
    def key_header(self) -> str | None:
        """The name of the header that carries the key; None if it is sent elsewhere or not required."""
        return self.key.name if self.key is not None and self.key.place == "header" else None

    def of_place(self, place: Place) -> tuple[Parameter, ...]:
        """Return the parameters of one place, in document order."""
        return tuple(parameter for parameter in self.parameters if parameter.place == place)

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """Names of the path parameters, in the order of the path."""
        return tuple(self.pieces[1::2])

    @property
    def pieces(self) -> list[str]:
        """The path split at its parameters: text at even indexes, names at odd ones."""
        return _TEMPLATE.split(self.path)

    @property
    def id_row(self) -> Parameter | None:
        """The path parameter that names a batch; None where there is none."""
        return next((row for row in self.of_place("path") if row.name == self.id_parameter), None)

    @property
    def id_parameter(self) -> str | None:
        """The name of the path parameter that names a batch: ``id``, else the last one; None for a list."""
        names = () if self.name == "list" else self.path_parameters
        return "id" if "id" in names else (names[-1] if names else None)

    def url_path(self, values: Mapping[str, str] | str | None = None) -> str:
        """Return the path with values for its parameters, percent-encoded as segments (RFC 3986, 3.3).

        A single string is the value of :attr:`id_parameter`. Missing values are taken from the examples.
        Raises ``KeyError`` for a parameter without either.
        """
        given = {self.id_parameter: values} if isinstance(values, str) else dict(values or {})
        examples = {row.name: row.in_path() for row in self.of_place("path") if row.has_example}

        def segment(match: re.Match[str]) -> str:
            return path_segment(given[match[1]]) if match[1] in given else examples[match[1]]

        return _TEMPLATE.sub(segment, self.path)

    def raw_path(self, segment: str) -> str:
        """Return the path with a raw, already encoded segment for the parameter that names a batch.

        Raises ``KeyError`` for another parameter without an example.
        """
        mark = "\0"
        name = self.id_parameter
        return self.url_path({name: mark} if name else {}).replace(quote(mark), segment)

    def raw_segment(self, path: str) -> str:
        """Return the raw segment of a URL path that names the batch; empty on other paths.

        It may contain slashes. The path may have a prefix before the operation's own.
        """
        around = self.raw_path("\0").split("\0")
        if len(around) != 2:
            return ""
        before, after = around
        at = path.find(before)
        rest = path[at + len(before) :] if at >= 0 else ""
        return rest.removesuffix(after) if rest.endswith(after) else ""

    def required_headers(self) -> tuple[tuple[str, str], ...]:
        """Return the required headers except the key, with their example values."""
        return self._required("header")

    def required_query(self) -> tuple[tuple[str, str], ...]:
        """Return the required query parameters, with their example values, not yet encoded."""
        return self._required("query")

    def required_cookies(self) -> tuple[tuple[str, str], ...]:
        """Return the required cookies, with their example values."""
        return self._required("cookie")

    def _required(self, place: Place) -> tuple[tuple[str, str], ...]:
        rows = (row for row in self.of_place(place) if row.required)
        return tuple(pair for row in rows for pair in row.pairs())

    @property
    def documented_statuses(self) -> frozenset[int]:
        """Statuses documented individually; for ranges and ``default`` see :meth:`documents`."""
        return frozenset(int(key) for key in self.answers if key.isdecimal())

    def documents(self, status: int) -> bool:
        """Whether a status is documented, individually, in a range or by ``default``."""
        return self.answer(status) is not None

    def answer(self, status: int) -> Answer | None:
        """Return the documented answer for a status: the status itself, else its range, else ``default``."""
        keys = (str(status), f"{status // 100}XX", "default")
        return next((self.answers[key] for key in keys if key in self.answers), None)

    @property
    def success(self) -> Answer | None:
        """The first documented 2xx answer."""
        return next((self.answers[key] for key in sorted(self.answers) if key.startswith("2")), None)

    @property
    def success_status(self) -> int:
        """The status of :attr:`success`; 200 where only a range or nothing is documented."""
        key = self.success.key if self.success else ""
        return int(key) if key.isdecimal() else 200

    @property
    def other_successes(self) -> tuple[int, ...]:
        """Further documented 2xx statuses with the same body schema."""
        first = self.success
        return tuple(
            int(key)
            for key, answer in sorted(self.answers.items())
            if first
            and answer is not first
            and key.startswith("2")
            and key.isdecimal()
            and answer.media_type
            and first.media_type
            and answer.media_type.schema == first.media_type.schema
        )


@dataclass(frozen=True)
class Contract:
    """The contract: a document, operations by name (``get``, ``list``), servers by ``x-name``."""

    document: ContractDocument
    operations: Mapping[str, Operation]
    servers: Mapping[str, str]
    sha256: str
    overlays: tuple[AppliedOverlay, ...]
    _cache: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def edited(self) -> bool:
        """Whether it differs from the shipped contract, for which samples and hand-written cases are made."""
        return self.sha256 != SHIPPED

    def operation(self, name: str) -> Operation:
        """Return an operation by its name. Raises :class:`NoSuchOperation`."""
        try:
            return self.operations[name]
        except KeyError:
            raise NoSuchOperation(f"the contract has no operation {name!r}") from None

    def cached(self, key: Hashable, make: Callable[[Contract], T]) -> T:
        """Return the value cached under a key, or make it; the cache lives as long as the contract."""
        if key not in self._cache:
            self._cache[key] = make(self)
        made: T = self._cache[key]
        return made

    @property
    def clauses(self) -> Mapping[str, Clause]:
        """Every clause by its id: the written ones and those derived from the contract."""
        # Imported here, since clause_list imports this module.
        from batch_conformance.contract.clause_list import clause_list

        return clause_list(self).clauses

    def of_side(self, side: Side) -> list[Clause]:
        """Return the clauses of one side, in report order."""
        return [clause for clause in self.clauses.values() if clause.side == side]

    @property
    def schemas(self) -> Mapping[str, Any]:
        """The component schemas of the document, by name."""
        return self.document.schemas

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """The lifecycle of a batch: of the schema that has ``x-lifecycle``, else of ``status``."""
        stated = next(_with_lifecycle(dict(self.schemas)), None)
        if stated is None:
            batch = self.document.resolve(self.schemas.get("Batch", {}))
            stated = batch.get("properties", {}).get("status", {}) if isinstance(batch, dict) else {}
        return Lifecycle.of(self.document.resolve(stated), self.document.content)


def _with_lifecycle(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        if "x-lifecycle" in value:
            yield value
        for item in value.values():
            yield from _with_lifecycle(item)
    elif isinstance(value, list):
        for item in value:
            yield from _with_lifecycle(item)
