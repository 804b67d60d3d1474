"""Gateways before providers that misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.gateway.running import Gateway, endpoint, gateway

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, Toxic

GOOD = Behaviour(text="The answer of the other one.")
HEAD_HANG = Behaviour(toxic=Toxic(connection="hang"))
# Only the deadline under test is short, so that a busy machine changes nothing.
FIRST = "[upstream]\nfirst_event_deadline_s = 0.15\nwhole_answer_deadline_s = 0.15\n"
BETWEEN = "[upstream]\nbetween_events_deadline_s = 0.4\n"
SHORT = "[upstream]\ntotal_deadline_s = 1\nfirst_event_deadline_s = 0.9\nwhole_answer_deadline_s = 0.9\n"
SHORT += "connect_deadline_s = 0.9\nbetween_events_deadline_s = 0.9\n"
CONNECT = "[upstream]\nconnect_deadline_s = 0.15\n"


@asynccontextmanager
async def pair(folder: Path, script: Behaviour, head: str = "") -> AsyncIterator[tuple[Gateway, FakeProvider]]:
    """Two endpoints of one model, the first of which behaves as told."""
    async with FakeProvider(script, models=("m",)) as bad, FakeProvider(GOOD, models=("m",)) as good:
        toml = head + endpoint("a-bad", bad.base_url) + endpoint("b-good", good.base_url)
        async with gateway(toml, folder) as running:
            yield running, bad


@asynccontextmanager
async def alone(folder: Path, script: Behaviour, head: str = "") -> AsyncIterator[tuple[Gateway, FakeProvider]]:
    """One endpoint, nothing else."""
    async with (
        FakeProvider(script, models=("m",)) as bad,
        gateway(head + endpoint("a-bad", bad.base_url), folder) as running,
    ):
        yield running, bad
