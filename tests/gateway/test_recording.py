from pathlib import Path

import pytest
from tests.gateway.running import one_provider

from suffice.testing import presets


async def test_a_failed_request_has_its_story_too(tmp_path: Path):
    async with one_provider(tmp_path, presets.invalid()) as (running, _):
        answer = await running.chat(headers={"x-suffice-task": "bug-fix"})
        story = await running.story(answer.request_id)
        assert story.decision is not None
        assert (story.decision.task, story.decision.model_requested) == ("bug-fix", "openai/m")
        assert story.decision.plan is not None
        assert running.runtime.story(answer.request_id) is not None
        assert running.runtime.story("nothing") is None


async def test_a_record_that_fails_costs_nobody_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    async with one_provider(tmp_path) as (running, _):
        monkeypatch.setattr(running.runtime.ledger, "decide", lambda record: 1 / 0)
        answer = await running.chat()
        assert answer.status == 200
        assert len(await running.rows(answer)) == 1


async def test_a_session_remembers_its_model(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        answer = await running.chat(model="auto")
        key = (await running.rows(answer))[0].detail.intent.session
        session = running.runtime.reading.sessions.touch(key, 0.0)
        assert session.pinned is not None
        assert session.pinned.model == "openai/m"


async def test_no_prompt_reaches_the_ledger(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        await running.chat(messages=[{"role": "user", "content": "a very private sentence"}])
        await running.written()
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"very private" not in stored
