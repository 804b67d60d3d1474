"""A started sandbox per tier; a tier that this machine does not have skips, and `test_sandbox.py` says if both are missing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from suffice.errors import SandboxError
from suffice.sandbox.limits import Tier
from suffice.sandbox.sandbox import Sandbox


async def _started(tier: Tier) -> AsyncIterator[Sandbox]:
    box = Sandbox(concurrency=2, tiers=(tier,))
    try:
        await box.start()
    except SandboxError as e:
        pytest.skip(f"no {tier} here: {e.message}")
    yield box
    await box.stop()


@pytest.fixture(params=list(Tier))
async def sandbox(request: pytest.FixtureRequest) -> AsyncIterator[Sandbox]:
    """Each tier in turn."""
    async for box in _started(request.param):
        yield box


@pytest.fixture
async def any_sandbox() -> AsyncIterator[Sandbox]:
    """The best tier of this machine, for what does not depend on it."""
    async with Sandbox(concurrency=2) as box:
        yield box
