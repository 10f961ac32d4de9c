"""The schemas accept what is valid and refuse what is not, in particular dates."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from batch_conformance.contract import Instant, load_contract, parse_date_time, schema_violations
from batch_conformance.operations.get_batch.client_cases.decode import COUNTS
from batch_conformance.operations.get_batch.client_cases.strategies import valid_batches

CONTRACT = load_contract()
OPERATION: dict[str, Any] = CONTRACT.fragment["paths"]["/v2/batch/{id}"]["get"]

# Values that conform.

#: The reference page's example, and the two of the documentation.
_PAGE = {
    "id": "batch_abc123",
    "created_at": "2024-01-15T10:30:00Z",
    "status": "COMPLETED",
    "metrics": {"total_generations": 5, "success_count": 4, "failed_count": 1, "pending_count": 0},
    "outputUrl": "https://api.sync.so/v2/batches/batch_abc123/result",
    "webhookUrl": "https://your-webhook-url.com/batch-webhook",
}
_PROCESSING = _PAGE | {
    "status": "PROCESSING",
    "metrics": {"total_generations": 10, "success_count": 3, "failed_count": 0, "pending_count": 7},
    "outputUrl": "",
    "webhookUrl": None,
}
_PENDING = {
    **{name: value for name, value in _PAGE.items() if name != "webhookUrl"},
    "status": "PENDING",
    "metrics": {"total_generations": 5, "success_count": 0, "failed_count": 0, "pending_count": 0},
    "outputUrl": "",
}


def wrong(schema: str, value: object) -> list[str]:
    """Return the places at which a value breaks a schema."""
    return ["/".join(map(str, found.path)) or "." for found in schema_violations(schema, value)]


@pytest.mark.parametrize("sample", [_PAGE, _PROCESSING, _PENDING], ids=["page", "processing", "pending"])
def test_published_examples_conform(sample: dict[str, Any]) -> None:
    """The contract must accept the vendor's own examples."""
    assert wrong("batch", sample) == []


def test_examples_of_the_fragment_conform() -> None:
    """Each by the schema of its response; the reference page's example is among them."""
    examples = {}
    for status, response in OPERATION["responses"].items():
        for name, row in response["content"]["application/json"]["examples"].items():
            examples[name] = row["value"]
            assert wrong("batch" if status == "200" else "error", row["value"]) == []
            assert status == "200" or row["value"]["statusCode"] == int(status)
    assert examples["completed"] == _PAGE
    assert {row["status"] for row in examples.values() if "metrics" in row} >= {
        "COMPLETED",
        "PROCESSING",
        "PENDING",
    }


@pytest.mark.parametrize("name", sorted(CONTRACT.schemas))
def test_schema_is_a_schema(name: str) -> None:
    """By the meta-schema of its dialect."""
    schema = CONTRACT.schemas[name]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(valid_batches())
def test_generated_batches_conform(batch: dict[str, Any]) -> None:
    """Clients are tested with valid batches."""
    assert wrong("batch", batch) == []


# Values that are refused.

_COMPLETED_URLS = [
    "",
    "nope",
    "/v2/x",
    "ftp://a/b",
    "https://",
    "https:///x",
    "https://a b",
    "https://a/\n",
    " https://a",
]


def changed(path: str, value: object) -> dict[str, Any]:
    """Return the page's example with one member changed, or removed for ``...``."""
    batch = json.loads(json.dumps(_PAGE))
    *parents, last = path.split("/")
    inner = batch
    for parent in parents:
        inner = inner[parent]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return dict(batch)


_NO_TEXTS: list[object] = [..., None, 5, True, [], {}]
_NO_COUNTS: list[object] = [..., None, -1, 1.5, "5", True, False, [5]]
_BAD_VALUES: dict[str, list[object]] = {
    "id": _NO_TEXTS,
    "created_at": [*_NO_TEXTS, "nope", "", "2024-01-15", "2024-01-15T10:30:00"],
    "status": [..., None, "", "completed", "DONE", "COMPLETED ", 0, ["COMPLETED"]],
    "metrics": [..., None, [], "5", 5],
    **{f"metrics/{name}": _NO_COUNTS for name in COUNTS},
    "outputUrl": [*_NO_TEXTS, *_COMPLETED_URLS],
    "webhookUrl": [5, False, [], {}],
}


@pytest.mark.parametrize(
    ("path", "value"), [(path, value) for path, values in _BAD_VALUES.items() for value in values], ids=repr
)
def test_batch_schema_refuses(path: str, value: object) -> None:
    """The one fault is found at its place."""
    found = wrong("batch", changed(path, value))
    assert found == [path] or (value is ... and found == [path.rpartition("/")[0] or "."])


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("webhookUrl", ...),
        ("webhookUrl", None),
        ("webhookUrl", ""),
        ("metrics/success_count", 4.0),
        ("metrics/total_generations", 2**53),
        ("metrics/canceled_count", 1),
        ("outputUrl", "HTTPS://A:8443?x#y"),
        ("created_at", "2024-01-15t10:30:00.123456789z"),
        ("more", {"status": None}),
        ("id", ""),
    ],
    ids=repr,
)
def test_batch_schema_accepts(path: str, value: object) -> None:
    """Values that are valid though unusual."""
    assert wrong("batch", changed(path, value)) == []


@pytest.mark.parametrize("url", ["", "soon", "https://x"])
def test_only_a_completed_batch_must_have_its_url(url: str) -> None:
    """Decision 2."""
    assert wrong("batch", _PROCESSING | {"outputUrl": url, "status": "FAILED"}) == []


@pytest.mark.parametrize(
    ("error", "where"),
    [
        ({"message": "m"}, ["."]),
        ({"statusCode": 404}, ["."]),
        ({"message": None, "statusCode": 404}, ["message"]),
        ({"message": ["m", 1], "statusCode": 404}, ["message"]),
        ({"message": {}, "statusCode": 404}, ["message"]),
        ({"message": "m", "statusCode": "404"}, ["statusCode"]),
        ({"message": "m", "statusCode": True}, ["statusCode"]),
        ({"message": "m", "statusCode": 404, "errorCode": None}, ["errorCode"]),
        (["m"], ["."]),
        ("m", ["."]),
        (None, ["."]),
        ({"message": [], "statusCode": 404}, []),
        ({"message": ["a", "b"], "statusCode": 404.0, "errorCode": "e", "path": 1}, []),
    ],
)
def test_error_schema(error: object, where: list[str]) -> None:
    """An error has message and statusCode, optionally errorCode, and anything else."""
    assert wrong("error", error) == where


# Dates.

_GOOD_DATES = {
    "2024-01-15T10:30:00Z": 1705314600,
    "2024-01-15t10:30:00z": 1705314600,
    "2024-01-15T12:30:00+02:00": 1705314600,
    "2024-01-15T10:30:00-00:00": 1705314600,
    "2024-01-15T10:29:00-00:01": 1705314600,
    "1970-01-01T00:00:00Z": 0,
    "1969-12-31T23:59:59Z": -1,
    "2024-02-29T00:00:00Z": 1709164800,
    "2000-02-29T00:00:00Z": 951782400,
    "2016-12-31T23:59:60Z": 1483228800,
    "2017-01-01T00:59:60+01:00": 1483228800,
    "1990-12-31T15:59:60-08:00": 662688000,
    "9999-12-31T23:59:60Z": 253402300800,
    "9999-12-31T23:59:59-23:59": 253402300799 + 86340,
    "0000-01-01T00:00:00Z": -62167219200,
    "0000-02-29T00:00:00Z": -62167219200 + 59 * 86400,
    "0001-01-01T00:00:00+23:59": -62135596800 - 86340,
}

_BAD_DATES = """\
nope
2024-01-15
2024-01-15T10:30:00
2024-01-15T10:30Z
2024-01-15T10:30:00.Z
2024-01-15T10:30:00,5Z
2024-01-15T10:30:00+0200
2024-01-15T10:30:00+02
2024-01-15T10:30:00+2:00
2024-01-15T10:30:00 Z
2024-01-15T10:30:00ZZ
2024-01-15T10:30:00Z+00:00
2024-01-15T10:30:00+24:00
2024-01-15T10:30:00+02:60
2024-01-15T10:30:00−02:00
2024-01-15 10:30:00Z
2024-01-15_10:30:00Z
20240115T103000Z
24-01-15T10:30:00Z
02024-01-15T10:30:00Z
+2024-01-15T10:30:00Z
-2024-01-15T10:30:00Z
2024-1-15T10:30:00Z
2024-00-15T10:30:00Z
2024-13-15T10:30:00Z
2024-01-00T10:30:00Z
2024-01-32T10:30:00Z
2024-04-31T10:30:00Z
2023-02-29T10:30:00Z
1900-02-29T10:30:00Z
2024-01-15T24:00:00Z
2024-01-15T10:60:00Z
2024-01-15T10:30:61Z
2024-01-15T10:30:60Z
2024-01-14T23:59:60Z
2016-12-31T23:59:60+01:00
2024-015T10:30:00Z
2024-W03-1T10:30:00Z
1705314600
２０２４-01-15T10:30:00Z
2024-01-15T10:30:0٣Z
Mon, 15 Jan 2024 10:30:00 GMT""".splitlines()


@pytest.mark.parametrize(("text", "seconds"), _GOOD_DATES.items())
def test_good_dates_are_read(text: str, seconds: int) -> None:
    """RFC 3339 with what it leaves open (decision 13)."""
    assert parse_date_time(text) == Instant(seconds, Fraction(0))
    assert wrong("batch", changed("created_at", text)) == []


@pytest.mark.parametrize(
    "text",
    [
        *_BAD_DATES,
        *(shape.format("2024-01-15T10:30:00Z") for shape in ("{}\n", "\n{}", "{} ", " {}", "{}\0")),
    ],
    ids=ascii,
)
def test_bad_dates_are_refused(text: str) -> None:
    """The error says why; the schema's format agrees, so format checking is enabled."""
    assert isinstance(parse_date_time(text), str)
    assert wrong("batch", changed("created_at", text)) == ["created_at"]


_OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(timezones=_OFFSETS))
@example(datetime.max.replace(tzinfo=UTC))
@example(datetime.min.replace(tzinfo=UTC))
def test_dates_are_the_instants_that_python_makes_of_them(when: datetime) -> None:
    """To the microsecond."""
    read = parse_date_time(when.isoformat())
    since = when.replace(tzinfo=None) - datetime(1970, 1, 1) - (when.utcoffset() or timedelta())
    assert read == Instant(since // timedelta(seconds=1), Fraction(since.microseconds, 1_000_000))


@given(st.datetimes(timezones=_OFFSETS), st.integers(0, 25), st.characters())
def test_one_character_more_is_refused_or_another_date(when: datetime, place: int, char: str) -> None:
    """No character is ignored."""
    text = when.isoformat()
    longer = text[:place] + char + text[place:]
    assert isinstance(parse_date_time(longer), str) or (char.isdigit() and char.isascii() and "." in longer)


def test_fraction_of_any_length_is_read() -> None:
    """Python refuses such fractions, which must not end the run."""
    third = parse_date_time(f"2024-01-15T10:30:00.{'3' * 100_000}Z")
    assert third == Instant(1705314600, Fraction("0." + "3" * 1000))
    assert third == parse_date_time(f"2024-01-15T12:30:00.{'3' * 100_000}+02:00")
