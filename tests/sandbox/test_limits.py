"""Values of a run."""

from __future__ import annotations

import resource

from suffice.sandbox.limits import KilledBy, Limits, RunResult, Tier


def test_processor_time_leaves_room_for_the_wall_clock() -> None:
    assert Limits(wall_s=2.5).rlimits()[resource.RLIMIT_CPU] == 4
    assert Limits().rlimits()[resource.RLIMIT_CORE] == 0


def test_only_exit_code_zero_passes() -> None:
    def result(code: int | None, killed: KilledBy) -> RunResult:
        return RunResult(exit_code=code, killed_by=killed, output=b"", duration_s=1.0, tier=Tier.LANDLOCK)

    assert result(0, KilledBy.NOTHING).passed
    assert not result(1, KilledBy.NOTHING).passed
    assert result(None, KilledBy.TIMEOUT).timed_out
    assert not result(None, KilledBy.TIMEOUT).passed
