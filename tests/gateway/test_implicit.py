from pathlib import Path

from tests.gateway.running import Gateway, one_provider
from tests.gateway.test_outcomes import ask, learned

from suffice.testing import presets

WISH = "Write a function that parses an ISO date."
RUN = {"x-session-id": "run"}


async def kinds(running: Gateway, request: str) -> list[tuple[str, float]]:
    return [(o.kind, o.weight) for o in (await running.story(request)).outcomes]


async def test_the_same_ask_again_speaks_of_the_answer_before(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        running.runtime.implicit.least_s = 0.0
        first = await ask(running, RUN, WISH)
        before = learned(running)
        second = await ask(running, RUN, WISH.replace(" ", "  "))
        assert await kinds(running, first) == [("asked_again", 0.3)]
        assert learned(running) == before + 1
        await ask(running, {"x-session-id": "another"}, WISH)
        assert await kinds(running, second) == []


async def test_a_complaint_rejects_the_answer_before(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        running.runtime.implicit.least_s = 0.0
        first = await ask(running, RUN, WISH)
        second = await ask(running, RUN, "That's wrong, it fails on leap seconds.")
        assert await kinds(running, first) == [("rejected", 0.3)]
        await ask(running, RUN, "Thanks. Now write its documentation, please.")
        assert await kinds(running, second) == []


async def test_what_comes_too_soon_is_a_program(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        running.runtime.implicit.least_s = 60.0
        first = await ask(running, RUN, WISH)
        await ask(running, RUN, WISH)
        assert await kinds(running, first) == []


async def test_a_retry_of_what_failed_is_no_sign(tmp_path: Path):
    async with one_provider(tmp_path, presets.invalid()) as (running, _):
        running.runtime.implicit.least_s = 0.0
        message = [{"role": "user", "content": WISH}]
        failed = await running.chat("auto", RUN, messages=message)
        assert failed.status >= 400
        await running.chat("auto", RUN, messages=message)
        assert await kinds(running, failed.request_id) == []
