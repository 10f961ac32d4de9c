"""The operations of the contract: what is sent, and what may come. They are read in ``reading``."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from batch_conformance.contract.document import AppliedOverlay, ContractDocument
from batch_conformance.contract.lifecycle import Lifecycle
from batch_conformance.contract.shipped import SHIPPED

if TYPE_CHECKING:
    from batch_conformance.contract.load import Clause, Side

T = TypeVar("T")

Place = Literal["path", "query", "header", "cookie"]

_TEMPLATE = re.compile(r"\{([^{}/]+)\}")


class NoSuchOperation(LookupError):
    """The contract has no such operation (an overlay may have removed it)."""


#: How a filter compares a member with its value: equal, greater than, less than. Greater is later, of dates.
FILTER_OPERATORS = ("eq", "gt", "lt")
#: How arrays are written that are not exploded, by ``style``.
_DELIMITERS = {"spaceDelimited": " ", "pipeDelimited": "|"}


@dataclass(frozen=True)
class Filter:
    """What a query parameter selects by (``x-filter``): the entries whose ``member`` compares so with its value."""

    member: str
    operator: str


@dataclass(frozen=True)
class Parameter:
    """One documented parameter. ``example`` is a JSON value, None without one (see ``has_example``).

    ``member`` is the pointer of the member of the answer that has this value (``x-member``), empty without one.
    ``filter_as_written`` is its ``x-filter``, None without one. ``style`` and ``explode`` say how arrays and objects
    are written (OpenAPI 3.1, 4.8.12.2).
    """

    name: str
    place: Place
    required: bool
    schema: Mapping[str, Any]
    example: Any = None
    has_example: bool = False
    member: str = ""
    filter_as_written: Any = None
    style: str = ""
    explode: bool | None = None

    @property
    def filter(self) -> Filter | None:
        """What it selects by; None for a parameter that is no filter."""
        raw = self.filter_as_written
        known = isinstance(raw, Mapping) and raw.keys() >= {"member", "operator"}
        return Filter(str(raw["member"]), str(raw["operator"])) if known else None

    def example_text(self) -> str:
        """The example as it is sent: text as it is, anything else as JSON has it (``true``, ``5``)."""
        return as_sent(self.example)

    @property
    def _apart(self) -> bool:
        """Whether what arrays and objects hold is written as pairs of their own."""
        return self.place in ("query", "cookie") and self.explode is not False and self.style in ("", "form")

    def pairs(self) -> list[tuple[str, str]]:
        """The example as the pairs of a query or of cookies, or as one header: several where it is exploded."""
        value = self.example
        if self.style == "deepObject" and isinstance(value, dict):
            return [(f"{self.name}[{name}]", as_sent(inner)) for name, inner in value.items()]
        if isinstance(value, dict) and self._apart:
            return [(name, as_sent(inner)) for name, inner in value.items()]
        if isinstance(value, list) and self._apart:
            return [(self.name, as_sent(inner)) for inner in value]
        if isinstance(value, list) and self.style in _DELIMITERS:
            return [(self.name, _DELIMITERS[self.style].join(map(as_sent, value)))]
        return [(self.name, as_sent(value, explode=self.place == "header" and bool(self.explode)))]

    def items_in(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """The texts of the items of an array that was sent as these pairs."""
        if self._apart:
            return [value for _, value in pairs]
        text = pairs[0][1]
        return [part.strip() for part in text.split(_DELIMITERS.get(self.style, ","))] if text else []

    def members_in(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """The names and texts of the members of an object that was sent as these pairs."""
        if self.style == "deepObject":
            return [(name.removeprefix(f"{self.name}[").removesuffix("]"), value) for name, value in pairs]
        if self._apart:
            return list(pairs)
        return pairs_in(self.items_in(pairs), explode=bool(self.explode))

    def is_named(self, name: str) -> bool:
        """Whether a name in a query or in cookies is this parameter's: its own, or that of a part of it."""
        if name == self.name or (self.style == "deepObject" and name.startswith(f"{self.name}[")):
            return True
        parts = self.example if isinstance(self.example, dict) else {}
        return self._apart and name in {*parts, *self.schema.get("properties", {})}


@dataclass(frozen=True)
class KeyPlace:
    """Where the API key goes: name, ``header``, ``query`` or ``cookie``, and what stands before it (``Bearer ``)."""

    name: str
    place: Place
    prefix: str = ""

    def is_named(self, name: str) -> bool:
        """Whether this is the name: those of headers are the same in any case."""
        return name.lower() == self.name.lower() if self.place == "header" else name == self.name


@dataclass(frozen=True)
class MediaType:
    """One documented kind of body. ``pointer`` is the JSON pointer of its schema in the document."""

    name: str
    schema: Any
    pointer: str
    examples: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """One documented answer. ``key`` is as documented: a status, a range such as ``4XX``, or ``default``."""

    key: str
    description: str
    media_types: Mapping[str, MediaType]
    headers: Mapping[str, Mapping[str, Any]]

    @property
    def media_type(self) -> MediaType | None:
        """The first documented kind of body; None where none is documented."""
        return next(iter(self.media_types.values()), None)

    def body_of(self, media_type: str | None) -> MediaType | None:
        """What is documented for a media type without parameters, ranges such as ``application/*`` heeded."""
        if media_type is None:
            return None
        kind = media_type.strip().lower()
        wanted = (kind, kind.partition("/")[0] + "/*", "*/*")
        known = {name.partition(";")[0].strip().lower(): row for name, row in self.media_types.items()}
        return next((known[name] for name in wanted if name in known), None)


@dataclass(frozen=True)
class Operation:
    """One operation of the contract. ``name`` is the suite's own (``get``, ``list``), ``pointer`` its place."""

    name: str
    operation_id: str
    method: str
    path: str
    pointer: str
    parameters: tuple[Parameter, ...]
    key: KeyPlace | None
    answers: Mapping[str, Answer]
    #: All places where a key would do: ``key``, and what security allows in its stead.
    keys: tuple[KeyPlace, ...] = ()

    @property
    def key_header(self) -> str | None:
        """The name of the header that carries the key; None where it goes elsewhere, or none is asked for."""
        return self.key.name if self.key is not None and self.key.place == "header" else None

    def of_place(self, place: Place) -> tuple[Parameter, ...]:
        """The parameters of one place, in their order."""
        return tuple(parameter for parameter in self.parameters if parameter.place == place)

    @property
    def path_parameters(self) -> tuple[str, ...]:
        """Names in the path, in the order in which they stand there."""
        return tuple(self.pieces[1::2])

    @property
    def pieces(self) -> list[str]:
        """The path, cut at its parameters: text at even places, their names at odd ones."""
        return _TEMPLATE.split(self.path)

    @property
    def id_row(self) -> Parameter | None:
        """The path parameter that names a batch, as documented; None where there is none."""
        return next((row for row in self.of_place("path") if row.name == self.id_parameter), None)

    @property
    def id_parameter(self) -> str | None:
        """The path parameter that names a batch: ``id``, else the last one; None where there is none, as of a list."""
        names = () if self.name == "list" else self.path_parameters
        return "id" if "id" in names else (names[-1] if names else None)

    def url_path(self, values: Mapping[str, str] | str | None = None) -> str:
        """The path with values for its parameters, each percent-encoded as one segment (RFC 3986, 3.3).

        A text alone is the value of the parameter that names a batch (see :attr:`id_parameter`). What is not given
        is taken from the examples. Raises ``KeyError`` for a parameter without either.
        """
        given = {self.id_parameter: values} if isinstance(values, str) else dict(values or {})
        examples = {row.name: row.example_text() for row in self.of_place("path") if row.has_example}

        def segment(match: re.Match[str]) -> str:
            value = given[match[1]] if match[1] in given else examples[match[1]]
            encoded = quote(value, safe="", errors="surrogateescape")
            # As it is, a dot segment would be resolved away on its way.
            return encoded.replace(".", "%2E") if value in (".", "..") else encoded

        return _TEMPLATE.sub(segment, self.path)

    def raw_path(self, segment: str) -> str:
        """The path with a raw segment, as it is to be sent, for the parameter that names a batch.

        Raises ``KeyError`` for another parameter without an example.
        """
        mark = "\0"
        name = self.id_parameter
        return self.url_path({name: mark} if name else {}).replace(quote(mark), segment)

    def raw_segment(self, path: str) -> str:
        """What stands raw in a URL path where the batch is named, as far as that can be told; empty on other paths.

        Slashes may be part of it, and a prefix before the path of the operation.
        """
        around = self.raw_path("\0").split("\0")
        if len(around) != 2:
            return ""
        before, after = around
        at = path.find(before)
        rest = path[at + len(before) :] if at >= 0 else ""
        return rest.removesuffix(after) if rest.endswith(after) else ""

    def matches(self, path: str) -> Mapping[str, str] | None:
        """The raw values of the path's parameters in a raw URL path; None when it is another path."""
        pieces = self.pieces
        pattern = "".join(
            f"(?P<p{at}>[^/]*)" if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)
        )
        match = re.fullmatch(pattern, path)
        return {pieces[at]: match[f"p{at}"] for at in range(1, len(pieces), 2)} if match else None

    def required_headers(self) -> tuple[tuple[str, str], ...]:
        """Headers that every request must have besides the key, with their example values."""
        return self._required("header")

    def required_query(self) -> tuple[tuple[str, str], ...]:
        """Query parameters that every request must have, with their example values, not yet encoded."""
        return self._required("query")

    def required_cookies(self) -> tuple[tuple[str, str], ...]:
        """Cookies that every request must have, with their example values."""
        return self._required("cookie")

    def _required(self, place: Place) -> tuple[tuple[str, str], ...]:
        rows = (row for row in self.of_place(place) if row.required)
        return tuple(pair for row in rows for pair in row.pairs())

    @property
    def documented_statuses(self) -> frozenset[int]:
        """Statuses that are documented one by one; ranges and ``default`` are in :meth:`documents` alone."""
        return frozenset(int(key) for key in self.answers if key.isdecimal())

    def documents(self, status: int) -> bool:
        """Whether an answer with this status is documented, by itself, in a range or by ``default``."""
        return self.answer(status) is not None

    def answer(self, status: int) -> Answer | None:
        """What is documented for a status: itself before its range (``4XX``), and that before ``default``."""
        keys = (str(status), f"{status // 100}XX", "default")
        return next((self.answers[key] for key in keys if key in self.answers), None)

    @property
    def success(self) -> Answer | None:
        """The first documented 2xx answer."""
        return next((self.answers[key] for key in sorted(self.answers) if key.startswith("2")), None)

    @property
    def success_status(self) -> int:
        """The status of that answer; 200 where a range is documented, or nothing."""
        key = self.success.key if self.success else ""
        return int(key) if key.isdecimal() else 200

    @property
    def other_successes(self) -> tuple[int, ...]:
        """Further 2xx statuses that are documented with the same body."""
        first = self.success
        return tuple(
            int(key)
            for key, answer in sorted(self.answers.items())
            if first and answer is not first and key.startswith("2") and key.isdecimal()
            and answer.media_type and first.media_type and answer.media_type.schema == first.media_type.schema
        )


@dataclass(frozen=True)
class Contract:
    """What is promised, as data: one document, its operations by name (``get``, ``list``), servers by ``x-name``."""

    document: ContractDocument
    operations: Mapping[str, Operation]
    servers: Mapping[str, str]
    sha256: str
    overlays: tuple[AppliedOverlay, ...]
    _kept: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def edited(self) -> bool:
        """Whether it is another one than what samples and hand-written cases were made for."""
        return self.sha256 != SHIPPED

    def operation(self, name: str) -> Operation:
        """One operation. Raises :class:`NoSuchOperation`."""
        try:
            return self.operations[name]
        except KeyError:
            raise NoSuchOperation(f"the contract has no operation {name!r}") from None

    def kept(self, key: Hashable, make: Callable[[Contract], T]) -> T:
        """What was made of this contract under a key before, or is now: caches live as long as the contract."""
        if key not in self._kept:
            self._kept[key] = make(self)
        made: T = self._kept[key]
        return made

    @property
    def clauses(self) -> Mapping[str, Clause]:
        """What is promised under this contract, by id: the written clauses, and those derived from what it adds."""
        # What derives clauses reads operations.
        from batch_conformance.contract.clause_list import clause_list

        return clause_list(self).clauses

    def of_side(self, side: Side) -> list[Clause]:
        """The clauses of one side, in the order of reports."""
        return [clause for clause in self.clauses.values() if clause.side == side]

    @property
    def schemas(self) -> Mapping[str, Any]:
        """The schemas of the document's components, by name."""
        return self.document.schemas

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """The statuses of a batch and their order: the schema that has ``x-lifecycle``, else the one of ``status``."""
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


def pairs_in(cut: Sequence[str], *, explode: bool) -> list[tuple[str, str]]:
    """The members of an object from the pieces between its commas: ``a=1`` where it is exploded, else ``a``, ``1``."""
    if explode:
        return [(name, value) for name, _, value in (part.partition("=") for part in cut)]
    return list(zip(cut[::2], cut[1::2], strict=False))


def as_sent(value: Any, *, explode: bool = False) -> str:
    """A value as a parameter in a URL or a header: text as it is, lists and objects with commas, else as JSON.

    With ``explode``, the members of an object are written ``name=value``.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(map(as_sent, value))
    if isinstance(value, dict):
        return ",".join(f"{name}{'=' if explode else ','}{as_sent(inner)}" for name, inner in value.items())
    return "" if value is None else str(value)
