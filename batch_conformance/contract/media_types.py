"""Media types, the ranges that they are in, and media types in a range (RFC 9110, 8.3.1 and 12.5.1)."""

from __future__ import annotations

from collections.abc import Iterable

JSON = "application/json"


def with_ranges(media_type: str) -> tuple[str, ...]:
    """Return a media type and the ranges that it is in, by structured suffix too (RFC 6839); closest first."""
    name = media_type.strip().lower()
    family = name.partition("/")[0]
    by_suffix = (f"{family}/*+{name.rpartition('+')[2]}",) if "+" in name else ()
    return (name, *by_suffix, f"{family}/*", "*/*")


def one_of(documented: Iterable[str]) -> str | None:
    """Return the media type to send where some are documented: JSON if it is among them, else the first one.

    Of a range, a JSON type that is in it. None where none is documented.
    """
    names = list(documented)
    if not names or not set(with_ranges(JSON)).isdisjoint(names):
        return JSON if names else None
    return names[0].replace("*", "batch") if names[0].endswith("/*+json") else names[0]


def parameters_of(content_type: str) -> dict[str, str]:
    """Return the parameters of a media type, names and values in lower case."""
    rows = (part.partition("=") for part in content_type.split(";")[1:])
    return {name.strip().lower(): value.strip().strip('"').lower() for name, _, value in rows if name.strip()}


def contradicts(content_type: str, documented: Iterable[str]) -> bool:
    """Whether a media type is documented with other values of its parameters only; absent ones do not matter."""
    names, sent = with_ranges(content_type.partition(";")[0]), parameters_of(content_type)
    rows = [parameters_of(row) for row in documented if row.partition(";")[0].strip().lower() in names]
    return bool(rows) and all(any(sent.get(name, value) != value for name, value in row.items()) for row in rows)
