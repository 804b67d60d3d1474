"""Interventions under a pilot: they act on half of the runs, what becomes of both halves decides, and it is not forgotten."""

import json
from pathlib import Path

import pytest
from tests.gateway.running import Answer, Gateway
from tests.gateway.test_segments import CHEAP, MISSED, TOOLS, agents, conversation, signals

from suffice.decision.pilots import Standing, Tally
from suffice.errors import StorageError
from suffice.gateway.pilots import FILE, Pilots

KIND = "edit_failed"
PILOT = f'interventions = ["{KIND}"]'
PASSED, FAILED = "1 passed in 0.02s", "1 failed in 0.02s"
HELPS = Tally(acted_good=24, acted_bad=1, left_good=5, left_bad=20)


async def run(running: Gateway, name: str, *results: str) -> list[Answer]:
    """The run of one session, turn by turn."""
    headers = {**CHEAP, "x-session-id": name}
    return [
        await running.chat("coding", headers, tools=TOOLS, messages=conversation(*results[:n]))
        for n in range(len(results) + 1)
    ]


def tally(running: Gateway) -> Tally:
    return running.runtime.pilots.tally(KIND)


async def test_half_of_the_runs_are_acted_on_and_both_halves_are_counted(tmp_path: Path):
    async with agents(tmp_path, PILOT) as running:
        seen: dict[bool, int] = {True: 0, False: 0}
        for number in range(12):
            answers = await run(running, f"s{number}", MISSED, MISSED, PASSED)
            named = [await signals(running, answer) for answer in answers]
            acted = any("intervened" in names for names in named)
            seen[acted] += 1
            # Acted on, the run goes on with the other model; left alone, with the same.
            assert answers[-1].headers["x-suffice-endpoint"] == ("big" if acted else "small")
            assert f"pilot:{KIND}:{'acts' if acted else 'left alone'}" in named[2]
            assert f"pilot:{KIND}:came right" in named[3]
            assert not acted or any(s.startswith("handed-over-from:") for s in named[2])
        assert seen[True] and seen[False]
        assert tally(running) == Tally(acted_good=seen[True], left_good=seen[False])
        assert running.runtime.pilots.standing(KIND) is Standing.RUNNING


async def test_a_run_that_does_not_come_right_in_time_is_counted_as_that(tmp_path: Path):
    async with agents(tmp_path, PILOT) as running:
        await run(running, "s", MISSED, MISSED, *[f"{FAILED} {n}" for n in range(25)])
        counted = tally(running)
    assert (counted.acted_bad + counted.left_bad, counted.acted_good + counted.left_good) == (1, 0)


async def test_one_that_has_passed_acts_on_every_run_and_one_that_has_failed_on_none(tmp_path: Path):
    for name, before in (("passed", HELPS), ("failed", Tally(acted_bad=25, left_good=25))):
        folder = tmp_path / name
        (folder / "data").mkdir(parents=True)
        (folder / "data" / FILE).write_text(
            json.dumps({KIND: {f: getattr(before, f) for f in before.__struct_fields__}})
        )
        async with agents(folder, PILOT) as running:
            assert running.runtime.pilots.standing(KIND).value == name
            ends = set()
            for number in range(6):
                answers = await run(running, f"s{number}", MISSED, MISSED)
                ends.add(answers[-1].headers["x-suffice-endpoint"])
            assert ends == {"big" if name == "passed" else "small"}
            assert tally(running) == before


async def test_counts_outlive_the_process(tmp_path: Path):
    for count in (1, 2):
        async with agents(tmp_path, PILOT) as running:
            await run(running, f"s{count}", MISSED, MISSED, PASSED)
            assert tally(running).acted + tally(running).left == count
    assert (tmp_path / "data" / FILE).stat().st_mode & 0o777 == 0o600


def test_a_file_that_cannot_be_used_is_set_aside_and_one_that_may_not_be_read_is_an_error(tmp_path: Path):
    path = tmp_path / FILE
    path.write_text('{"same_error": {"acted_good": "many"}}')
    assert Pilots(path).tally("same_error") == Tally()
    assert not path.exists()
    path.write_text('{"a_kind_of_the_past": {"acted_good": 3}, "same_error": {"acted_good": 2}}')
    assert Pilots(path).tally("same_error") == Tally(acted_good=2)
    path.unlink()
    path.mkdir()
    with pytest.raises(StorageError):
        Pilots(path)
