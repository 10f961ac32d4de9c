"""Faults that only show under concurrency, or in a comparison with another organisation's key."""

from __future__ import annotations

import asyncio

from batch_conformance.mutants.server.auth import OTHER
from batch_conformance.mutants.server.base import fault_in_answer, register
from batch_conformance.reference.server import Answer, Asked, ReferenceServer, Sender

#: Milliseconds that a refusal is delayed, so that requests overlap even on a busy machine.
_DELAY_MS = 25


class _SharesAuthentication(ReferenceServer):
    """Shares the authentication state of all requests: while one is served, others are admitted."""

    #: Status of a refusal outside of concurrency.
    alone = 401

    def __init__(self) -> None:
        super().__init__()
        self.served = 0
        self.any_success = False
        self.admit_all = False

    def authenticate(self, asked: Asked) -> bool:
        return self.admit_all or super().authenticate(asked)

    def owns(self, asked: Asked) -> bool:
        return self.admit_all or super().owns(asked)

    async def send_answer(self, answer: Answer, asked: Asked, send: Sender) -> None:
        if answer.status == 200:
            self.served += 1
            self.any_success = True
            await asyncio.sleep(0.004)
            self.served -= 1
        elif answer.status == self.alone:
            # Do not delay before the first success, or the runner would take the target for a distant one and
            # probe it concurrently throughout.
            for _ in range(_DELAY_MS if self.any_success else 0):
                await asyncio.sleep(0.001)
                if self.served:
                    break
            self.admit_all = self.served > 0
            answer = self.answer(asked) if self.admit_all else answer
            self.admit_all = False
        await super().send_answer(answer, asked, send)


class _SharesOrganisation(_SharesAuthentication):
    alone = 404


register("key-of-another-request", "server.auth.every-request", _SharesAuthentication)
register("organisation-of-another-request", OTHER, _SharesOrganisation)


def _names_organisation(server: ReferenceServer, asked: Asked, answer: Answer) -> Answer:
    known = (asked.segment or b"").decode("latin-1") in server.store.batches
    if answer.status == 404 and known and not server.owns(asked):
        return server.error(404, "This batch belongs to another organisation")
    return answer


fault_in_answer(OTHER, "other-org-told-whose", _names_organisation)
