"""``GET /v2/batch/{id}`` tested the usual way: pytest, requests and jsonschema, no generated input.

Run with ``BASE_URL``, ``API_KEY`` and ``BATCH_IDS`` (comma-separated) in the environment.
"""

from __future__ import annotations

import os
from datetime import datetime
from urllib.parse import urlsplit

import pytest
import requests
from jsonschema import Draft202012Validator

BASE_URL = os.environ.get("BASE_URL", "http://127.0.0.1:3001")
API_KEY = os.environ.get("API_KEY", "")
BATCH_IDS = os.environ.get("BATCH_IDS", "batch_abc123").split(",")
TIMEOUT = 10

COUNT = {"type": "integer", "minimum": 0}
BATCH = Draft202012Validator(
    {
        "type": "object",
        "required": ["id", "created_at", "status", "metrics", "outputUrl"],
        "properties": {
            "id": {"type": "string"},
            "created_at": {"type": "string"},
            "status": {"enum": ["PENDING", "JOBS_CREATED", "PROCESSING", "COMPLETED", "FAILED"]},
            "metrics": {
                "type": "object",
                "required": ["total_generations", "success_count", "failed_count", "pending_count"],
                "properties": {
                    "total_generations": COUNT,
                    "success_count": COUNT,
                    "failed_count": COUNT,
                    "pending_count": COUNT,
                },
            },
            "outputUrl": {"type": "string"},
            "webhookUrl": {"type": ["string", "null"]},
        },
    }
)
ERROR = Draft202012Validator(
    {
        "type": "object",
        "required": ["message", "statusCode"],
        "properties": {
            "message": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            "statusCode": {"type": "number"},
            "errorCode": {"type": "string"},
        },
    }
)


def get(batch_id: str, key: str | None = API_KEY, **more: object) -> requests.Response:
    """Request a batch; without a key if ``key`` is None."""
    headers = {} if key is None else {"x-api-key": key}
    return requests.get(f"{BASE_URL}/v2/batch/{batch_id}", headers=headers, timeout=TIMEOUT, **more)  # type: ignore[arg-type]


def assert_error(response: requests.Response, status: int) -> None:
    """Assert that a response is the documented error, with a body that agrees with the status."""
    assert response.status_code == status
    assert response.headers["content-type"].startswith("application/json")
    ERROR.validate(response.json())
    assert response.json()["statusCode"] == status


@pytest.mark.parametrize("batch_id", BATCH_IDS)
def test_known_batch(batch_id: str) -> None:
    """A known batch is a 200 of the documented shape, with the requested id."""
    response = get(batch_id)
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/json")
    BATCH.validate(response.json())
    assert response.json()["id"] == batch_id


@pytest.mark.parametrize("batch_id", BATCH_IDS)
def test_created_at_is_a_date_with_an_offset(batch_id: str) -> None:
    """The date can be parsed and has an offset."""
    assert datetime.fromisoformat(get(batch_id).json()["created_at"]).tzinfo is not None


@pytest.mark.parametrize("batch_id", BATCH_IDS)
def test_counts_add_up(batch_id: str) -> None:
    """The parts do not exceed the total; a completed batch has nothing pending."""
    batch = get(batch_id).json()
    counts = batch["metrics"]
    done = counts["success_count"] + counts["failed_count"]
    assert done + counts["pending_count"] <= counts["total_generations"]
    if batch["status"] == "COMPLETED":
        assert counts["pending_count"] == 0
        assert done == counts["total_generations"]


@pytest.mark.parametrize("batch_id", BATCH_IDS)
def test_completed_batch_has_an_output_url(batch_id: str) -> None:
    """A completed batch has an HTTP URL."""
    batch = get(batch_id).json()
    if batch["status"] == "COMPLETED":
        url = urlsplit(batch["outputUrl"])
        assert url.scheme in ("http", "https")
        assert url.netloc


def test_two_reads_agree() -> None:
    """Two reads return the same id and date."""
    first, second = get(BATCH_IDS[0]).json(), get(BATCH_IDS[0]).json()
    assert (first["id"], first["created_at"]) == (second["id"], second["created_at"])


def test_missing_key() -> None:
    """A request without a key is a 401."""
    assert_error(get(BATCH_IDS[0], key=None), 401)


@pytest.mark.parametrize("key", ["", "wrong", API_KEY[:-1], API_KEY + "x", API_KEY.swapcase()])
def test_wrong_key(key: str) -> None:
    """A wrong or similar key is a 401."""
    assert_error(get(BATCH_IDS[0], key=key), 401)


def test_key_in_the_query_does_not_count() -> None:
    """A key in the query is ignored."""
    assert_error(get(BATCH_IDS[0], key=None, params={"x-api-key": API_KEY, "api_key": API_KEY}), 401)


def test_unknown_id_without_key_is_401_too() -> None:
    """Without a key, unknown ids are not disclosed."""
    assert_error(get("batch_does_not_exist", key=None), 401)


@pytest.mark.parametrize(
    "batch_id", ["batch_does_not_exist", BATCH_IDS[0][:-1], BATCH_IDS[0] + "0", BATCH_IDS[0].upper()]
)
def test_unknown_id(batch_id: str) -> None:
    """An unknown or similar id is a 404."""
    assert_error(get(batch_id), 404)


@pytest.mark.parametrize("batch_id", ["%2e%2e", "a%2Fb", "%00", "' OR 1=1 --", "*", "%F0%9F%98%80", "x" * 1000])
def test_hostile_id(batch_id: str) -> None:
    """Unusual ids are a 4xx."""
    assert 400 <= get(batch_id).status_code < 500


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_other_methods(method: str) -> None:
    """Other methods are rejected."""
    url = f"{BASE_URL}/v2/batch/batch_does_not_exist"
    response = requests.request(method, url, headers={"x-api-key": API_KEY}, timeout=TIMEOUT)
    assert response.status_code in (404, 405)
