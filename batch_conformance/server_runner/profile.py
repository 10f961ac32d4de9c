"""The profiles behind ``--batch-profile``: how many requests are sent."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """Maximum number of requests of each kind; ``budget`` caps their sum (None: no cap).

    ``reads`` counts reads of each known batch, ``batches`` known batches that are read, ``generated``
    examples of each property, ``shrink`` requests for shrinking a failing example.
    """

    name: str
    budget: int | None
    reads: int
    late_reads: int
    batches: int
    advance: int
    invalid_keys: int
    near_keys: int
    hostile_keys: int
    places: tuple[str, ...]
    lookup: str
    conditions: int
    unknown_ids: int
    near_ids: int
    near_ids_of_others: int
    hostile_ids: int
    methods: tuple[str, ...]
    unusual_requests: int
    burst: int
    generated: int
    shrink: int


_PLACES = ("query", "authorization-0", "header", "cookie", "query-alone",
           *(f"authorization-{number}" for number in range(1, 12)))  # fmt: skip
_METHODS = ("POST", "DELETE", "HEAD", "PUT", "PATCH", "OPTIONS")

PROFILES = {
    # A: known id, B: unknown id. The order keeps a round-robin balancer from looking like a difference.
    "quick": Profile(
        name="quick", budget=80, reads=2, late_reads=0, batches=5, advance=2, invalid_keys=2, near_keys=5,
        hostile_keys=2, places=_PLACES[:4], lookup="ABBA", conditions=1, unknown_ids=2, near_ids=4,
        near_ids_of_others=0, hostile_ids=6, methods=_METHODS[:2], unusual_requests=2, burst=0, generated=2, shrink=0,
    ),
    "default": Profile(
        name="default", budget=250, reads=3, late_reads=1, batches=10, advance=12, invalid_keys=5, near_keys=29,
        hostile_keys=10, places=_PLACES[:11], lookup="ABBABA", conditions=4, unknown_ids=3, near_ids=27,
        near_ids_of_others=0, hostile_ids=38, methods=_METHODS, unusual_requests=7, burst=6, generated=6, shrink=6,
    ),
    "thorough": Profile(
        name="thorough", budget=None, reads=12, late_reads=4, batches=40, advance=60, invalid_keys=99, near_keys=99,
        hostile_keys=99, places=_PLACES, lookup="ABBABAABABBA", conditions=9, unknown_ids=99, near_ids=99,
        near_ids_of_others=99, hostile_ids=99, methods=(*_METHODS, "TRACE"), unusual_requests=7, burst=40, generated=250, shrink=200,
    ),
}  # fmt: skip
