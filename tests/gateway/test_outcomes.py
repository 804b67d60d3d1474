import asyncio
from pathlib import Path

import pytest
from tests.gateway.running import Gateway, one_provider

from suffice.decision.certifying import BATCH
from suffice.decision.gates import rates
from suffice.values.task import TaskType
from suffice.values.verdict import Outcome, Verdict
from suffice.verify.view import AnswerView, AskView

COMMIT = "c0ffee" * 6 + "abcd"


async def ask(running: Gateway, headers: dict[str, str] | None = None, text: str = "Write a Python function.") -> str:
    """Have one request served by `auto`; return its id."""
    answer = await running.chat(
        "auto", {"x-suffice-task": "generate", **(headers or {})}, messages=[{"role": "user", "content": text}]
    )
    assert answer.status == 200, answer.body
    return answer.request_id


def learned(running: Gateway) -> int:
    return running.runtime.core.version


async def test_an_outcome_reaches_the_ledger_and_the_beliefs_once(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        request = await ask(running)
        before = learned(running)
        body = {"request_id": request, "kind": "tests_passed", "source": "ci", "detail": "42 passed"}
        told = await asyncio.gather(*(running.post("/outcomes", body) for _ in range(5)))
        assert [t.status for t in told] == [200] * 5
        assert sorted(t.json["recorded"] for t in told) == [0, 0, 0, 0, 1]
        assert sum(t.json["learned"] for t in told) == 1 and learned(running) == before + 1
        (kept,) = (await running.story(request)).outcomes
        assert (kept.kind, kept.accepted, kept.weight, kept.source, kept.attempt) == (
            "tests_passed",
            True,
            1.0,
            "ci",
            1,
        )


async def test_failures_lower_and_successes_raise_what_is_believed_of_the_model(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):

        def ability() -> float:
            skill = running.runtime.core.holder.current.skill
            return float(skill.ability[skill.arms.index("openai/m")])

        request = await ask(running)
        start = ability()
        await running.post("/outcomes", {"request_id": request, "kind": "tests_failed"})
        lower = ability()
        assert lower < start
        await running.post("/outcomes", {"request_id": "last", "kind": "merged"})
        assert ability() > lower


async def test_a_pinned_request_is_recorded_and_teaches_nothing(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        request = (await running.chat()).request_id
        told = (await running.post("/outcomes", {"request_id": request, "kind": "accepted"})).json
        assert (told["recorded"], told["learned"]) == (1, 0)


async def test_requests_of_others_do_not_exist(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        mine, theirs = await running.key(owner="ann"), await running.key(owner="bob")
        request = await ask(running, {**mine, "x-session-id": "run-1"})
        for body in (
            {"request_id": request},
            {"request_id": "nothing"},
            {"request_id": "last"},
            {"session": "run-1"},
            {"commit": COMMIT},
        ):
            got = await running.post("/outcomes", {**body, "kind": "accepted"}, theirs)
            assert (got.status, got.error["code"]) == (404, "unknown_request"), body
        assert (await running.post("/outcomes", {"request_id": request, "kind": "accepted"})).status == 401
        assert (await running.story(request)).outcomes == ()
        assert (await running.post("/outcomes", {"session": "run-1", "kind": "accepted"}, mine)).json["recorded"] == 1


async def test_a_session_shares_one_label_and_a_commit_finds_its_requests(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        first = await ask(running, {"x-session-id": "run"})
        second = await ask(running, {"x-session-id": "run"}, text="Now write another one.")
        linked = {"commit": COMMIT, "kind": "committed", "source": "git-hook"}
        assert (await running.post("/outcomes", linked)).json["recorded"] == 2
        assert (await running.post("/outcomes", linked)).json["repeated"] == 2
        later = await ask(running, text="And a third.")
        told = (await running.post("/outcomes", {"commit": COMMIT, "kind": "tests_passed", "source": "ci"})).json
        assert (told["requests"], told["recorded"]) == (2, 2)
        for request in (first, second):
            kept = (await running.story(request)).outcomes
            assert [(o.kind, o.weight, o.commit) for o in kept] == [
                ("committed", 0.15, COMMIT),
                ("tests_passed", 0.5, COMMIT),
            ]
        assert (await running.story(later)).outcomes == ()
        whole = (await running.post("/outcomes", {"session": "run", "kind": "merged"})).json
        assert whole["requests"] == 2


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"request_id": "r", "kind": "merge"}, 400, "did you mean 'merged'?"),
        ({"request_id": "r", "kind": "zzz"}, 400, "one of tests_passed"),
        ({"kind": "merged"}, 400, "one of request_id, session, commit"),
        ({"request_id": "r", "session": "s", "kind": "merged"}, 400, "one of request_id, session, commit"),
        ({"request_id": "r", "kind": "edited"}, 400, "needs its distance"),
        ({"request_id": "r", "kind": "edited", "distance": 7}, 400, "needs its distance"),
        ({"request_id": "r", "kind": "accepted", "distance": 0.9}, 400, "accepted has no distance"),
        ({"request_id": "r", "kind": "merged", "sorce": "x"}, 400, "sorce"),
        ({"request_id": "r", "kind": "merged", "detail": "x" * 2000}, 400, "at most 1000"),
        ({"request_id": "r", "kind": "merged", "at": "yesterday"}, 400, "no time"),
        ({"commit": "HEAD", "kind": "merged"}, 400, "full hash"),
        (b"\xff{", 400, "no outcome"),
        (b"[]", 400, "no outcome"),
    ],
)
async def test_bad_reports_are_told_what_is_wrong(tmp_path: Path, body, status, said):
    async with one_provider(tmp_path) as (running, _):
        got = await running.post("/outcomes", body)
        assert got.status == status and said in got.error["message"]


async def test_repetition_under_new_names_stops_teaching(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        request = await ask(running)
        taught = [
            (await running.post("/outcomes", {"request_id": request, "kind": "accepted", "source": f"s{n}"})).json
            for n in range(10)
        ]
        assert sum(t["learned"] for t in taught) == 8 and sum(t["recorded"] for t in taught) == 10


async def test_what_the_ledger_cannot_keep_is_not_called_recorded(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        request, ledger = await ask(running), running.runtime.ledger
        await running.written()
        room, ledger._spool_entries = ledger._spool_entries, 0
        before = learned(running)
        body = {"request_id": request, "kind": "merged"}
        refused = await running.post("/outcomes", body)
        assert (refused.status, learned(running)) == (503, before)
        ledger._spool_entries = room
        assert (await running.post("/outcomes", body)).json["recorded"] == 1


async def test_a_guarantee_that_reports_contradict_lowers_the_ladder_and_explain_names_why(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        core = running.runtime.core
        task = TaskType.GENERATE
        for _ in range(BATCH):
            core.heard(task=task, wrong=False, at_s=running.runtime.env.now())
        assert core.holder.current.certificates and not core.holder.current.gathered
        for _ in range(2 * BATCH):
            if running.runtime.reading.watch.health.revoked:
                break
            request = await ask(running)
            await running.post("/outcomes", {"request_id": request, "kind": "tests_failed", "source": "ci"})
        assert core.holder.current.certificates[0].revoked
        text = "Another conversation, in words of its own."
        answer = await running.chat("auto", messages=[{"role": "user", "content": text}])
        assert answer.status == 200 and answer.headers["x-suffice-fallback"] == "fixed-cascade"
        story = await running.story(answer.request_id)
        assert story.decision is not None and story.decision.plan is not None
        assert "revoked" in story.decision.plan.alarm and "generate" in story.decision.plan.alarm


async def test_labels_that_wait_for_a_guarantee_outlive_the_process(tmp_path: Path):
    async with one_provider(tmp_path) as (running, _):
        request = await ask(running)
        await running.post("/outcomes", {"request_id": request, "kind": "tests_failed", "source": "ci"})
        before = running.runtime.core.holder.current.gathered
        assert before == (("generate", (1.0,)),)
    async with one_provider(tmp_path) as (running, _):
        assert running.runtime.core.holder.current.gathered == before


async def test_a_report_on_a_checked_answer_teaches_how_far_the_check_can_be_believed(tmp_path: Path):
    async def run(name: str, answer: AnswerView, asked: AskView) -> Verdict:
        return Verdict(gate=f"check:{name}", outcome=Outcome.ACCEPT)

    more = '[checks.tests]\ncommand = ["true"]\n'
    async with one_provider(tmp_path, more=more) as (running, _):
        running.runtime.pipeline._judging._run_check = run
        request = await ask(running, {"x-suffice-check": "tests"})
        gate = (await running.story(request)).decision
        assert gate is not None and gate.gate.startswith("check:")
        before = rates(running.runtime.core.holder.current.gates, gate.gate, "generate/python")
        await running.post("/outcomes", {"request_id": request, "kind": "tests_failed", "source": "ci"})
        after = rates(running.runtime.core.holder.current.gates, gate.gate, "generate/python")
        assert after.fpr > before.fpr and after.tpr == before.tpr
        kept = running.runtime.core.holder.current.gates.counts
        assert list(kept) == [(gate.gate, "generate/python", "m")]  # of the family of openai/m
        assert running.runtime.state.checks[0].startswith(f"{gate.gate}, generate/python, m: accepts ")
