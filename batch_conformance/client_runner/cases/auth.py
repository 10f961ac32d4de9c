"""Cases for ``client.auth.*``: several keys, and redirects to other origins, which must not receive the key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from batch_conformance.checks.client.record import HttpError, Unconstrained
from batch_conformance.client_runner.cases.case import CallStep, Case, CaseFactory
from batch_conformance.client_runner.stub.answers import StubResponse, error, json_body, redirect

#: Location of a redirect by its description. ``{other}``: another port; ``{alias}``: the same port under
#: another host name; ``{other_alias}``: both; ``{secure}``: another scheme. ``{other_secure}``: another https
#: origin, in ``secure`` cases. ``{bare_…}`` is without the scheme.
_PLACES = {
    "another port": "{other}{path}",
    "another host name": "{alias}{path}",
    "another host name and port": "{other_alias}{path}",
}
_TWO_CLIENTS = ("client.auth.per-call", "client.auth.header", "client.decode.fresh")
_STATUSES = (301, 302, 303, 307, 308)


def auth_cases(factory: CaseFactory) -> Iterator[Case]:
    """Yield cases with several keys, and redirects to other origins."""
    yield Case(
        "two clients by turns",
        _TWO_CLIENTS,
        tuple(factory.valid(factory.batch(), key=key) for key in (0, 1, 0, 1, 1, 0)),
    )
    same = factory.id()
    yield Case(
        "two clients that ask for the same batch",
        _TWO_CLIENTS,
        tuple(factory.valid(factory.batch(same), key=key) for key in (0, 1, 0)),
    )
    yield Case(
        "two clients whose keys begin and end alike",
        _TWO_CLIENTS,
        tuple(factory.valid(factory.batch(), key=key) for key in (0, 3, 0, 3)),
    )
    refused = factory.refusal(HttpError(401), error(401, "Unauthorized"))
    yield Case(
        "a client whose key is refused, after one whose key is not",
        _TWO_CLIENTS,
        (factory.valid(factory.batch()), replace(refused, key=1)),
    )
    for title, one_server in (("two clients at once", False), ("two clients at once, of one server", True)):
        steps = tuple(factory.valid(factory.batch(), key=key) for key in (0, 1))
        # Requests are told apart by their batch id; a contract may allow only one id.
        if steps[0].batch_id != steps[1].batch_id:
            yield Case(title, ("client.auth.per-call",), steps, together=True, one_server=one_server)
    yield Case(
        "a long key",
        ("client.auth.header", "client.decode.fresh"),
        tuple(factory.valid(factory.batch(), key=key) for key in (0, 2)),
    )
    for number, status in enumerate(_STATUSES):
        for place, location in _PLACES.items():
            # Another port with every status; the other places with every second one.
            if place == "another port" or number % 2 == (place == "another host name"):
                yield _redirect(factory, f"{status} to {place}", redirect(status, location))
    yield _redirect(factory, "302 to another port, without a scheme", redirect(302, "//{bare_other}{path}"))
    yield _redirect(
        factory,
        "307 to another port, the old origin as its user name",
        redirect(307, "{own}@{bare_other}{path}"),
    )
    yield _redirect(factory, "300 with another port to choose", redirect(300, "{other}{path}"))
    yield _redirect(factory, "302 to another scheme", redirect(302, "{secure}{path}"))
    yield _redirect(
        factory, "302 to its own origin, then to another port", redirect(302, "{own}{path}?moved=1"),
        redirect(302, "{other}{path}"),
    )  # fmt: skip
    yield _redirect(
        factory,
        "302 to another port, and from there within it",
        redirect(302, "{other}{path}"),
        elsewhere=(redirect(302, "{other}{path}/again"),),
    )

    for place, location in (("http on the same host", "{other}"), ("another https origin", "{other_secure}")):
        yield _redirect(factory, f"302 from https to {place}", redirect(302, f"{location}{{path}}"), secure=True)


def _redirect(
    factory: CaseFactory,
    title: str,
    *answers: StubResponse,
    elsewhere: tuple[StubResponse, ...] = (),
    secure: bool = False,
) -> Case:
    batch_id = factory.id()
    final = json_body(factory.batch(batch_id))
    return Case(
        title,
        ("client.auth.redirect",),
        (CallStep(batch_id, Unconstrained(), (*answers, final)),),
        elsewhere=(*elsewhere, final),
        secure=secure,
    )
