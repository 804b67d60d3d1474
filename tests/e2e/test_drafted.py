"""Draft and verify over real sockets: a small model drafts, a big one approves or repairs, and the client gets one answer."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.clients import ASK
from tests.e2e.test_dialects import CLIENTS, PROVIDERS
from tests.gateway.running import Answer, Gateway, endpoint, gateway

from suffice.cli.explain_view import render
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour

DRAFT = "```python\ndef add(a, b):\n    return a - b\n```"
RIGHT = "```python\ndef add(a, b):\n    return a + b\n```"
BROKEN = "```python\ndef add(a, b:\n    return a + b\n```"
APPROVED = Behaviour(text="APPROVED")
REPAIR = Behaviour(text="<<<<<<< SEARCH\n    return a - b\n=======\n    return a + b\n>>>>>>> REPLACE")
WORDS = "Write a Python function add(a, b) that returns the sum."
# Where a repair costs this much the plan alone begins with the big model, or with the small one, and a draft beats both.
BIG_FIRST, SMALL_FIRST = "0.3", "0.1"


@asynccontextmanager
async def pair(
    folder: Path,
    small: Any,
    big: Any,
    *,
    on: bool = True,
    price: int = 200,
    dialects: tuple[str, str] = ("chat", "chat"),
) -> AsyncIterator[tuple[Gateway, FakeProvider, FakeProvider]]:
    """A cheap and a dear provider; `price` in dollars per million of the dear one's output tokens."""
    async with FakeProvider(small, models=("m",)) as one, FakeProvider(big, models=("m",)) as two:
        toml, models = "", []
        for name, fake, dialect, cost in (
            ("small", one, dialects[0], "{ input_usd_per_mtok = 0.1, output_usd_per_mtok = 0.4 }"),
            ("big", two, dialects[1], f"{{ input_usd_per_mtok = 3, output_usd_per_mtok = {price} }}"),
        ):
            provider, path = PROVIDERS[dialect]
            provider = "groq" if (dialect, name) == ("chat", "small") else provider
            toml += endpoint(
                name, fake.base_url.removesuffix("/v1") + path, provider=provider, price=cost,
                more=f'dialects = ["{dialect}"]\napi_key = "k"', model=name,
            )  # fmt: skip
            models.append(f"{provider}/{name}")
        head = f"[routing]\ndraft = {str(on).lower()}\n[aliases]\none = {json.dumps(models)}\n"
        async with gateway(head + toml, folder) as running:
            yield running, one, two


async def asked(running: Gateway, repair: str = BIG_FIRST, **headers: str) -> Answer:
    sent = {"x-suffice-repair-usd": repair} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await running.chat("one", sent, messages=[{"role": "user", "content": WORDS}])


async def paid(running: Gateway, answer: Answer) -> list[tuple[str, str]]:
    """(endpoint, outcome) of every attempt; each is charged, and the header tells their sum."""
    story = await running.story(answer.request_id)
    rows = [a.row for a in story.attempts]
    assert all(row.charge_nano > 0 for row in rows if row.outcome != "failed")
    told = answer.headers.get("x-suffice-cost-usd") or answer.headers["x-suffice-cost-estimate-usd"]
    assert float(told) * 1e9 == pytest.approx(sum(row.charge_nano for row in rows))
    assert await running.findings() == []
    return [(row.endpoint, row.outcome) for row in rows]


async def test_an_approved_draft_is_given_byte_for_byte_and_both_are_paid(tmp_path: Path):
    body = '{"id":"d", "object":"chat.completion","model":"m-x","choices":[{"index":0,"message":{"role":"assistant","content":'
    body += (
        json.dumps(DRAFT)
        + '},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":20}, "new":1.50}'
    )
    async with pair(tmp_path, Behaviour(body=body), APPROVED) as (running, _, big):
        answer = await asked(running)
        assert answer.body == body.encode()
        assert await paid(running, answer) == [("small", "ok"), ("big", "reviewed")]
        story = await running.story(answer.request_id)
    assert answer.headers["x-suffice-draft"] == "drafted by groq/small, reviewed by openai/big: approved"
    assert (answer.headers["x-suffice-model"], answer.headers["x-suffice-attempts"]) == ("groq/small", "2")
    assert story.decision is not None and story.decision.given == 1
    told = "\n".join(render(story, 120))
    assert f"draft:           {answer.headers['x-suffice-draft']}" in told and "openai/big at big: reviewed" in told
    assert f"draft:{answer.headers['x-suffice-draft']}" in story.decision.signals
    (request,) = big.requests
    asked_of_it = json.loads(request.body)["messages"]
    assert asked_of_it[:2] == [{"role": "user", "content": WORDS}, {"role": "assistant", "content": DRAFT}]
    assert "APPROVED" in asked_of_it[2]["content"] and len(asked_of_it) == 3


@pytest.mark.parametrize(
    "dialects", [("chat", "messages"), ("messages", "chat"), ("gemini", "chat"), ("chat", "gemini")]
)
@pytest.mark.parametrize("client", ["chat", "messages", "gemini"])
async def test_a_small_edit_of_the_reviewer_repairs_the_draft(client: str, dialects: tuple[str, str], tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), REPAIR, dialects=dialects) as (running, _, _):
        body = json.dumps(CLIENTS[client].body("text", False)).replace(ASK, WORDS)
        path = "v1beta/models/one:generateContent" if client == "gemini" else CLIENTS[client].path
        answer = await running.post(path, body.encode(), {"x-suffice-repair-usd": BIG_FIRST})
        told = CLIENTS[client].told(answer)
        assert (told.text, told.stop) == (RIGHT, CLIENTS[client].stops["end"])
        assert await paid(running, answer) == [("small", "ok"), ("big", "reviewed")]
    assert answer.headers["x-suffice-draft"].endswith(": repaired")
    assert answer.headers["x-suffice-verdict"] == "accepted"


async def test_a_draft_that_the_gates_reject_is_repaired_with_what_they_found(tmp_path: Path):
    repair = Behaviour(text="<<<<<<< SEARCH\ndef add(a, b:\n=======\ndef add(a, b):\n>>>>>>> REPLACE")
    async with pair(tmp_path, Behaviour(text=BROKEN), repair) as (running, _, big):
        answer = await asked(running)
        assert (answer.text, answer.headers["x-suffice-verdict"]) == (RIGHT, "accepted")
        assert await paid(running, answer) == [("small", "rejected"), ("big", "reviewed")]
    assert "not accepted" in json.loads(big.requests[0].body)["messages"][-1]["content"]


@pytest.mark.parametrize("small", [DRAFT, BROKEN])
@pytest.mark.parametrize(
    "said", ["It looks fine to me.", RIGHT, "<<<<<<< SEARCH\nnowhere\n=======\nx\n>>>>>>> REPLACE", ""]
)
async def test_after_a_review_of_no_use_the_plan_goes_on_and_its_words_are_never_given(
    small: str, said: str, tmp_path: Path
):
    answered = Behaviour(text=RIGHT + "\nDone.")
    async with pair(tmp_path, Behaviour(text=small), [Behaviour(text=said), answered]) as (running, _, _):
        answer = await asked(running)
        first = "ok" if small == DRAFT else "rejected"
        assert await paid(running, answer) == [("small", first), ("big", "reviewed"), ("big", "ok")]
    assert answer.text == answered.text
    assert (answer.headers["x-suffice-model"], "review failed" in answer.headers["x-suffice-draft"]) == (
        "openai/big",
        True,
    )


async def test_approval_of_a_draft_that_the_gates_reject_is_none(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=BROKEN), [APPROVED, Behaviour(text=RIGHT)]) as (running, _, _):
        answer = await asked(running)
        assert await paid(running, answer) == [("small", "rejected"), ("big", "reviewed"), ("big", "ok")]
    assert answer.text == RIGHT


async def test_a_useless_review_of_what_the_plan_would_have_asked_first_gives_its_answer(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), Behaviour(text="Hm.")) as (running, _, _):
        answer = await asked(running, SMALL_FIRST)
        assert await paid(running, answer) == [("small", "ok"), ("big", "reviewed")]
    assert answer.text == DRAFT


@pytest.mark.parametrize("repair", [BIG_FIRST, SMALL_FIRST])
async def test_a_review_that_fails_leaves_the_accepted_draft(repair: str, tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), Behaviour(status=500)) as (running, _, _):
        answer = await asked(running, repair)
        assert await paid(running, answer) == [("small", "ok"), ("big", "failed")]
    assert (answer.status, answer.text) == (200, DRAFT)
    assert answer.headers["x-suffice-draft"].startswith(
        "drafted by groq/small, reviewed by openai/big: review failed: "
    )


async def test_a_review_that_fails_after_a_rejected_draft_leads_on(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=BROKEN), [Behaviour(status=500), Behaviour(text=RIGHT)]) as (
        running,
        _,
        _,
    ):
        answer = await asked(running)
        assert await paid(running, answer) == [("small", "rejected"), ("big", "failed"), ("big", "ok")]
    assert answer.text == RIGHT


async def test_a_drafting_model_that_fails_leaves_the_plan(tmp_path: Path):
    async with pair(tmp_path, Behaviour(status=500), Behaviour(text=RIGHT)) as (running, _, _):
        answer = await asked(running)
        assert await paid(running, answer) == [("small", "failed"), ("big", "ok")]
    assert answer.text == RIGHT
    assert ": no draft: " in answer.headers["x-suffice-draft"]


async def test_nothing_is_drafted_where_that_would_be_dearer(tmp_path: Path):
    async with pair(tmp_path, Behaviour(text=DRAFT), Behaviour(text=RIGHT), price=20) as (running, small, _):
        answer = await asked(running, "1")
        assert await paid(running, answer) == [("big", "ok")]
    assert "x-suffice-draft" not in answer.headers and not small.requests


async def test_off_by_default_and_by_header_on_by_header(tmp_path: Path):
    big = [Behaviour(text=RIGHT), REPAIR, REPAIR, Behaviour(text=RIGHT)]
    async with pair(tmp_path, Behaviour(text=DRAFT), big, on=False) as (running, _, _):
        assert "x-suffice-draft" not in (await asked(running)).headers
        answer = await asked(running, x_suffice_draft="on")
        assert answer.text == RIGHT and answer.headers["x-suffice-draft"].endswith("repaired")
        await running.adopt(
            (tmp_path / "suffice.toml").read_text().split("\n", 3)[3].replace("draft = false", "draft = true")
        )
        assert "x-suffice-draft" in (await asked(running)).headers
        assert "x-suffice-draft" not in (await asked(running, x_suffice_draft="off")).headers
        bad = await asked(running, x_suffice_draft="maybe")
        assert (bad.status, bad.error["param"]) == (400, "x-suffice-draft")
