"""Hypothesis's databases of failing examples, stored between runs and shared between machines."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hypothesis import settings
from hypothesis.database import (
    DirectoryBasedExampleDatabase,
    ExampleDatabase,
    GitHubArtifactDatabase,
    MultiplexedDatabase,
    ReadOnlyDatabase,
)

_REDIS = ("redis://", "rediss://", "unix://")
_GITHUB = "github:"


class DatabaseProblem(ValueError):
    """A database that cannot be used. The message is one line for the user."""


def open_database(places: Sequence[str], folder: Path) -> ExampleDatabase | None:
    """Open the databases at ``places`` as one; without any, that of Hypothesis's active settings profile.

    A place is a folder (relative to ``folder``), a Redis URL, ``github:OWNER/REPOSITORY`` (read only) or
    ``none``. Raises :class:`DatabaseProblem`.
    """
    if not places:
        return settings.default.database if settings.default else None
    if list(places) == ["none"]:
        return None
    opened = [_opened(place, folder) for place in places]
    return opened[0] if len(opened) == 1 else MultiplexedDatabase(*opened)


def _opened(place: str, folder: Path) -> ExampleDatabase:
    if place.startswith(_REDIS):
        return _redis(place)
    if place.startswith(_GITHUB):
        owner, _, repository = place.removeprefix(_GITHUB).partition("/")
        if not owner or not repository:
            raise DatabaseProblem(f"batch_database {place!r}: github:OWNER/REPOSITORY is meant")
        if not os.environ.get("GITHUB_TOKEN"):
            raise DatabaseProblem(f"batch_database {place!r} needs a token in GITHUB_TOKEN")
        # Artifacts are uploaded by the workflow, from a folder; here they are only read.
        return ReadOnlyDatabase(GitHubArtifactDatabase(owner, repository))
    if "://" in place or place == "none":
        raise DatabaseProblem(f"batch_database {place!r}: a folder, redis://…, github:… or none alone is meant")
    return DirectoryBasedExampleDatabase(folder / place)


def _redis(url: str) -> ExampleDatabase:
    try:
        from hypothesis.extra.redis import RedisExampleDatabase
        from redis import Redis  # type: ignore[import-not-found, unused-ignore]
        from redis.exceptions import RedisError  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        raise DatabaseProblem("batch_database redis://… needs the client: pip install redis") from None
    address = url.rpartition("@")[2].removeprefix("redis://")
    try:
        client = Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
        client.ping()
    except (RedisError, ValueError) as error:
        # The URL may hold a password: only the part after it is printed.
        raise DatabaseProblem(f"batch_database: no Redis at {address} ({type(error).__name__})") from None
    return RedisExampleDatabase(client)


class NamedDatabase(ExampleDatabase):
    """The part of a database that belongs to one property.

    Hypothesis distinguishes tests by their source, which all properties here share: without names, one would
    delete the examples of another. A database that fails midway does not change the verdict: ``error`` names
    the exception.
    """

    def __init__(self, inner: ExampleDatabase, name: str) -> None:
        super().__init__()
        self._inner = inner
        self._prefix = f"sync-batch-conformance:{name}:".encode()
        self.error = ""

    def fetch(self, key: bytes) -> Iterable[bytes]:
        """Return all values of a key, the smallest first."""
        found: list[bytes] = []
        with self._guarded():
            found += self._inner.fetch(self._prefix + key)
        return sorted(found, key=lambda value: (len(value), value))

    def save(self, key: bytes, value: bytes) -> None:
        """Store a value."""
        with self._guarded():
            self._inner.save(self._prefix + key, value)

    def delete(self, key: bytes, value: bytes) -> None:
        """Remove a value."""
        with self._guarded():
            self._inner.delete(self._prefix + key, value)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.error = self.error or type(error).__name__


def shelf(database: ExampleDatabase | None, name: str) -> NamedDatabase | None:
    """Return the part of a database with a name; None without a database."""
    return None if database is None else NamedDatabase(database, name)
