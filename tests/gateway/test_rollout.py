"""A changed policy behind a real gateway: who decides which session, what is recorded of it, and how it goes back or stops."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from tests.gateway.running import HEAD, Answer, Gateway, endpoint, gateway

from suffice.cli.explain_view import render
from suffice.decision.rollout import Stage
from suffice.errors import StorageError
from suffice.gateway.rollout import FILE, Rollouts, lived, named
from suffice.gateway.what_if import what_if
from suffice.ledger import queries
from suffice.testing.fake_upstream import FakeProvider

HARD = "{ input_usd_per_mtok = 50, output_usd_per_mtok = 250 }"
CHEAP, DEAR = "openai/gpt-3.5-turbo", "openai/gpt-5.5"
OWN = "[routing.repair_usd]\ndefault = 3\ngenerate = 3\n"
# What a repair costs is nothing: everything goes to the cheap model.
FEARLESS = OWN.replace("generate = 3", "generate = 0.0000001")


@asynccontextmanager
async def rolling(folder: Path, steps: str = "[0.5, 1.0]", candidate: str = FEARLESS) -> AsyncIterator[Gateway]:
    async with FakeProvider(models=("gpt-3.5-turbo",)) as cheap, FakeProvider(models=("gpt-5.5",)) as dear:
        toml = (
            endpoint("cheap", cheap.base_url, model="gpt-3.5-turbo")
            + endpoint("dear", dear.base_url, model="gpt-5.5", price=HARD)
            + f'{OWN}[rollout]\npolicy = "next.toml"\nsteps = {steps}\n'
        )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "next.toml").write_text("version = 1\n" + candidate)
        async with gateway(toml, folder) as running:
            yield running


async def asked(running: Gateway, session: str, model: str = "auto") -> Answer:
    answer = await running.chat(model=model, headers={"x-session-id": session})
    assert answer.status == 200
    return answer


async def plan_of(running: Gateway, answer: Answer):
    return (await running.story(answer.request_id)).decision.plan


async def looked(running: Gateway) -> Stage:
    await running.written()
    running.runtime.look()
    assert running.runtime.rollouts.stage is not None
    return running.runtime.rollouts.stage


async def test_sessions_are_divided_and_every_record_holds_both_sides(tmp_path: Path):
    async with rolling(tmp_path, "[0.25, 1.0]") as running:
        sides: Counter[bool] = Counter()
        for number in range(24):
            plans = [await plan_of(running, await asked(running, f"s{number}")) for _ in range(2)]
            first, second = (p.rollout for p in plans)
            assert first.candidate is second.candidate  # the same side for a whole session
            sides[first.candidate] += 1
            chance = {c.arm.model: c.propensity for c in plans[0].candidates}
            assert chance == pytest.approx({CHEAP: 0.25, DEAR: 0.75})
            assert plans[0].first.model == (CHEAP if first.candidate else DEAR)
            assert plans[0].propensity == pytest.approx(0.25 if first.candidate else 0.75) and first.alone == 1.0
            assert first.other.model == (DEAR if first.candidate else CHEAP) and not first.same
            assert (first.step, first.share, first.policy) == (1, 0.25, named(running.runtime.state.settings))
            # Asked again, each record is asked of the policy that decided it.
            record = (await running.story((await asked(running, f"again{number}")).request_id)).decision
            assert "the same model goes first" in what_if(record, running.runtime.state)[0]
        assert 0 < sides[True] < sides[False]


async def test_what_names_its_model_is_no_part_of_it_and_explain_tells_the_rest(tmp_path: Path):
    async with rolling(tmp_path) as running:
        assert (await plan_of(running, await asked(running, "s", DEAR))).rollout is None
        story = await running.story((await asked(running, "s")).request_id)
        text = " ".join(" ".join(render(story, 120)).split())
        assert (
            "step 1: the " in text
            and "decided (the candidate has 50% of the sessions)" in text
            and "would have begun with" in text
        )


async def test_a_candidate_that_changes_nothing_is_recorded_as_the_same(tmp_path: Path):
    async with rolling(tmp_path, candidate=OWN.replace("default = 3", "default = 4")) as running:
        for number in range(6):
            plan = await plan_of(running, await asked(running, f"s{number}"))
            assert plan.rollout.same and plan.propensity == 1.0


async def test_at_the_last_step_it_decides_alone_and_a_stopped_one_decides_nothing(tmp_path: Path):
    for name, more in (("last", {"step": 1}), ("stopped", {"stopped": "worse beyond doubt"})):
        async with rolling(tmp_path / name) as running:
            stage = running.runtime.rollouts.stage
            assert stage is not None
            running.runtime.rollouts.stage = msgspec.structs.replace(stage, **more)
            plan = await plan_of(running, await asked(running, "s"))
            if name == "last":
                assert plan.rollout.candidate and plan.rollout.share == 1.0 and plan.first.model == CHEAP
            else:
                assert plan.rollout is None and plan.first.model == DEAR


async def test_a_candidate_whose_answers_turn_out_wrong_is_stopped_and_that_is_not_forgotten(tmp_path: Path):
    async with rolling(tmp_path) as running:
        for number in range(60):
            answer = await asked(running, f"s{number}")
            good = (await plan_of(running, answer)).first.model == DEAR
            report = {"request_id": answer.request_id, "kind": "tests_passed" if good else "tests_failed"}
            assert (await running.post("/outcomes", report)).status == 200
        stage = await looked(running)
        assert stage.stopped.startswith("worse beyond doubt at 50%") and "wrong answers +" in stage.stopped
        plan = await plan_of(running, await asked(running, "new"))
        assert plan.rollout is None and plan.first.model == DEAR
    kept = json.loads((tmp_path / "data" / FILE).read_text())
    assert kept["stopped"] == stage.stopped
    async with rolling(tmp_path) as running:  # another address of the providers is no other policy
        assert running.runtime.rollouts.stage == stage
    async with rolling(tmp_path, candidate=FEARLESS.replace("default = 3", "default = 4")) as running:
        begun = running.runtime.rollouts.stage
        assert begun is not None and begun.policy != stage.policy and not begun.stopped


async def test_what_nobody_judged_moves_nothing_and_only_sessions_from_their_difference_on_count(tmp_path: Path):
    async with rolling(tmp_path) as running:
        answers = [await asked(running, f"s{number}") for number in range(8)]
        stage = await looked(running)
        assert (stage.looks, stage.step) == (0, 0)
        for answer in answers[:3]:
            await running.post("/outcomes", {"request_id": answer.request_id, "kind": "accepted"})
        await running.written()
        with running.runtime._database.reader() as session:
            stories = queries.decided(session, 0.0)
        judged = {s.request_id for s in stories if s.outcomes}
        assert len(judged) == 3
        steps = running.runtime.state.settings.rollout.steps
        # The static gates said nothing of these answers: three sessions are left.
        assert len(lived(stories, stage, steps)) <= 8
        assert not lived(stories, msgspec.structs.replace(stage, step=1), steps)
        assert all(one.wrong == 0.0 for one in lived([s for s in stories if s.request_id in judged], stage, steps))


async def test_a_reload_with_another_candidate_begins_anew(tmp_path: Path):
    async with rolling(tmp_path) as running:
        before = running.runtime.rollouts.stage
        text = (tmp_path / "suffice.toml").read_text().removeprefix(HEAD)
        await running.adopt(text)
        assert running.runtime.rollouts.stage == before
        (tmp_path / "next.toml").write_text("version = 1\n[routing]\nquality_floor = 0.1\n")
        await running.adopt(text)
        after = running.runtime.rollouts.stage
        assert before is not None and after is not None and after.policy != before.policy
        await running.adopt(text.partition("[rollout]")[0])
        assert running.runtime.rollouts.stage is None and running.runtime.state.candidate is None


def test_a_file_that_cannot_be_used_is_set_aside_and_one_that_may_not_be_read_is_an_error(tmp_path: Path):
    path = tmp_path / FILE
    path.write_text('{"policy": 3}')
    assert Rollouts(path).stage is None and not path.exists()
    path.mkdir()
    with pytest.raises(StorageError):
        Rollouts(path)
