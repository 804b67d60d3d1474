"""Which requests may be drafted, and what a reviewer is told in each dialect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_drafted import APPROVED, BIG_FIRST, DRAFT, WORDS, pair
from tests.gateway.running import until

from suffice.errors import RequestError
from suffice.gateway.drafting import wanted
from suffice.gateway.policy_replay import replay
from suffice.ledger.report import build, saving
from suffice.testing.script import Behaviour, Toxic
from suffice.values.money import Unknown

ASK = [{"role": "user", "content": WORDS}]


@pytest.mark.parametrize(
    ("asked", "configured", "said"), [("", False, False), ("", True, True), ("on", False, True), (" OFF ", True, False)]
)
def test_the_header_wins_over_the_configuration(asked: str, configured: bool, said: bool) -> None:
    assert wanted(asked, configured) is said


def test_another_word_is_refused() -> None:
    with pytest.raises(RequestError, match="x-suffice-draft is 'yes'"):
        wanted("yes", True)


@pytest.mark.parametrize(
    "fields",
    [
        {"stream": True},
        {"stream": True, "mode": "buffer"},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]},
        {"response_format": {"type": "json_object"}},
        {"stop": ["x"]},
        {"n": 2},
        {"logprobs": True},
        {"model": "openai/big"},
        {"model": "best"},
        {"messages": [*ASK, {"role": "assistant", "content": "def"}]},
    ],
    ids=str,
)
async def test_what_cannot_be_reviewed_is_not_drafted(fields: dict[str, Any], tmp_path: Path):
    sent = {"x-suffice-repair-usd": BIG_FIRST, "x-suffice-mode": fields.pop("mode", "auto")}
    async with pair(tmp_path, Behaviour(text=DRAFT), Behaviour(text=DRAFT)) as (running, _, _):
        answer = await running.post("/chat/completions", {"model": "one", "messages": ASK, **fields}, sent)
        assert answer.status == 200, answer.body
        assert "x-suffice-draft" not in answer.headers
        assert "reviewed" not in [r.row.outcome for r in await running.rows(answer)]


async def test_responses_is_not_drafted_for_its_answer_is_stored(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), Behaviour(text=DRAFT)) as (running, _, _):
        answer = await running.post("/responses", {"model": "one", "input": WORDS}, {"x-suffice-repair-usd": BIG_FIRST})
    assert answer.status == 200 and "x-suffice-draft" not in answer.headers


@pytest.mark.parametrize(
    "small",
    [Behaviour(text=DRAFT, finish_reason="length"), Behaviour(text="")],
    ids=["cut off", "empty"],
)
async def test_a_draft_that_is_no_plain_text_is_not_reviewed(small: Behaviour, tmp_path: Path):
    async with pair(tmp_path, small, Behaviour(text=DRAFT)) as (running, _, big):
        answer = await running.chat("one", {"x-suffice-repair-usd": BIG_FIRST}, messages=ASK)
    assert answer.text == DRAFT
    assert "not reviewed" in answer.headers["x-suffice-draft"]
    assert all("SEARCH" not in request.body.decode() for request in big.requests)


@pytest.mark.parametrize("dialect", ["chat", "messages", "gemini", "responses"])
async def test_the_reviewer_sees_the_draft_as_the_assistant_s_message(dialect: str, tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), APPROVED, dialects=("chat", dialect)) as (running, _, big):
        answer = await running.chat("one", {"x-suffice-repair-usd": BIG_FIRST}, messages=ASK)
        assert answer.headers["x-suffice-draft"].endswith(": approved")
        assert await running.findings() == []
    sent = json.loads(big.requests[0].body)
    turns = sent.get("messages") or sent.get("input") or sent.get("contents")
    assert [turn["role"] for turn in turns] == ["user", "model" if dialect == "gemini" else "assistant", "user"]
    assert json.dumps(DRAFT)[1:-1] in json.dumps(turns[1])


async def test_a_draft_teaches_as_an_answer_and_its_review_as_an_arm_of_its_own(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), APPROVED) as (running, _, _):
        answer = await running.chat("one", {"x-suffice-repair-usd": BIG_FIRST}, messages=ASK)
        bills = running.runtime.core.holder.current.cost
        story = await running.story(answer.request_id)
    assert {"groq/small", "openai/big+review"} <= set(bills.arms) and "openai/big" not in bills.arms
    assert story.decision is not None and story.decision.plan is not None
    assert story.decision.plan.reason.startswith("groq/small drafts, openai/big reviews: expected total $")


async def test_a_report_on_a_reviewed_draft_is_kept_and_teaches_nobody(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), [APPROVED, Behaviour(text=DRAFT)]) as (running, _, _):
        reviewed = await running.chat("one", {"x-suffice-repair-usd": BIG_FIRST}, messages=ASK)
        plain = await running.chat(
            "one", {"x-suffice-draft": "off"}, messages=[{"role": "user", "content": WORDS + " Now."}]
        )
        for answer, learned in ((reviewed, 0), (plain, 1)):
            await running.written()
            told = await running.post("/outcomes", {"request_id": answer.request_id, "kind": "tests_passed"})
            assert (told.json["recorded"], told.json["learned"]) == (1, learned)
        assert [o.attempt for o in (await running.story(reviewed.request_id)).outcomes] == [1]


async def test_what_was_delivered_is_the_draft_and_what_was_paid_both(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), APPROVED) as (running, _, _):
        toml = (tmp_path / "suffice.toml").read_text().split("\n", 3)[3]
        await running.adopt(toml.replace("[routing]", '[routing]\nreference_model = "openai/big"'))
        answer = await running.chat("one", {"x-suffice-repair-usd": BIG_FIRST}, messages=ASK)
        story = await running.story(answer.request_id)
        draft, review = (a.row for a in story.attempts)
        with running.runtime._database.reader() as session:
            total = build(session, 0.0, "all", lambda *asked: Unknown(why="", version="")).total
    assert (total.requests, total.attempts, total.charged) == (1, 2, draft.charge_nano + review.charge_nano)
    assert (total.saved, total.fates) == (saving(story), {"accepted": 1})
    assert saving(story) == draft.reference_nano - draft.charge_nano - review.charge_nano
    assert (draft.outcome, review.outcome) == ("ok", "reviewed")
    assert replay([story], running.runtime.state).n == 0


async def test_a_complaint_about_a_reviewed_draft_is_kept_and_teaches_nobody(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), APPROVED) as (running, _, _):
        running.runtime.implicit.least_s = 0.0
        run = {"x-session-id": "run", "x-suffice-repair-usd": BIG_FIRST}
        answer = await running.chat("one", run, messages=ASK)
        before = running.runtime.core.version
        await running.chat("one", run | {"x-suffice-draft": "off"}, messages=ASK)
        assert [o.kind for o in (await running.story(answer.request_id)).outcomes] == ["asked_again"]
        assert running.runtime.core.version == before


async def test_the_session_stays_with_the_drafting_model_and_a_repaired_task_counts_as_solved(tmp_path: Path):
    broken = DRAFT.replace("b):", "b:")
    repair = Behaviour(text="<<<<<<< SEARCH\ndef add(a, b:\n=======\ndef add(a, b):\n>>>>>>> REPLACE")
    async with pair(tmp_path, Behaviour(text=broken), repair) as (running, _, _):
        answer = await running.chat("one", {"x-suffice-repair-usd": BIG_FIRST}, messages=ASK)
        assert answer.text == DRAFT
        session = running.runtime.reading.sessions.touch((await running.rows(answer))[0].detail.intent.session, 0.0)
        with running.runtime._database.reader() as reading:
            fates = build(reading, 0.0, "all", lambda *asked: Unknown(why="", version="")).total.fates
    assert fates == {"accepted": 1}
    assert session.pinned is not None and session.pinned.model == "groq/small"
    assert session.posterior is None


async def test_a_client_that_leaves_during_the_review_pays_for_both(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), Behaviour(toxic=Toxic(connection="hang"))) as (running, _, big):
        body = {"model": "one", "messages": ASK}
        sent = {"x-suffice-repair-usd": BIG_FIRST}
        with pytest.raises(Exception, match=r".*"):
            await running.client.post(running.base_url + "/chat/completions", json=body, headers=sent, timeout=0.6)
        await until(lambda: big.requests and not big.open_connections)
        await running.written()
        assert [(r.row.endpoint, r.row.outcome) for r in await running.recent()] == [
            ("small", "ok"),
            ("big", "cancelled"),
        ]
        assert await running.findings() == []


async def test_a_budget_that_pays_for_no_review_gives_the_draft(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), APPROVED) as (running, _, big):
        toml = (tmp_path / "suffice.toml").read_text().split("\n", 3)[3]
        await running.adopt('[budgets.all]\nlimit_usd = 0.2\nwindow = "total"\n' + toml)
        key = await running.key(budgets=("all",))
        answer = await running.chat("one", key | {"x-suffice-repair-usd": BIG_FIRST}, messages=ASK)
        assert (answer.text, big.requests) == (DRAFT, [])
        assert await running.findings() == []
    assert "not reviewed: " in answer.headers["x-suffice-draft"]


async def test_the_reservation_of_a_review_covers_the_draft(tmp_path: Path):
    reserved = []
    for size in (0, 4000):
        async with pair(tmp_path / str(size), Behaviour(text=DRAFT + "\n" + "x" * size), APPROVED) as (running, _, _):
            answer = await running.chat("one", {"x-suffice-repair-usd": BIG_FIRST}, messages=ASK)
            reserved.append((await running.rows(answer))[1].row.reserved_nano)
    assert reserved[1] - reserved[0] == 4000 * 3000  # a token for each byte, at 3 dollars per million
