from pathlib import Path

import pytest
from tests.gateway.running import one_provider

from suffice.gateway.turn import Turn
from suffice.testing import presets
from suffice.testing.script import Behaviour


async def test_a_turn_adds_up_its_attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    seen: list[Turn] = []
    async with one_provider(tmp_path, [presets.failing(500), Behaviour()]) as (running, _):
        record = running.runtime.pipeline._recording.record
        monkeypatch.setattr(
            running.runtime.pipeline._recording, "record", lambda turn: (seen.append(turn), record(turn))[1]
        )
        answer = await running.chat()
        rows = await running.rows(answer)
    (turn,) = seen
    assert turn.attempts == 2
    assert [a.outcome for a in turn.tried] == ["failed", "ok"]
    assert [arm.endpoint for arm in turn.answered] == ["one"]
    assert turn.cost_nano == sum(r.row.charge_nano for r in rows) > 0
