import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.running import Gateway, endpoint, gateway
from tests.gateway.test_pipeline import ASK, BROKEN, CODE, Planner

from suffice.decision.router import RouteRequest
from suffice.gateway.evidence import MOST_EVIDENCE, MOST_NOTE, told, with_evidence
from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm, Mode, Plan, Step
from suffice.values.verdict import Outcome, Verdict
from suffice.wire.prescan import scan

texts = st.text(max_size=3000)


def rejected(reason: str = "line 1: '(' was never closed", evidence: str = "def add(a, b:") -> Verdict:
    return Verdict(gate="parses", outcome=Outcome.REJECT, reason=reason, evidence=evidence)


@given(texts, texts, st.integers(0, 4))
def test_evidence_is_compact_and_only_of_rejections(reason: str, evidence: str, count: int) -> None:
    accepted = Verdict(gate="complete", outcome=Outcome.ACCEPT, reason="ACCEPTED-REASON")
    verdicts = (*[rejected(reason, evidence)] * count, accepted)
    for same, most in ((True, MOST_EVIDENCE), (False, MOST_NOTE)):
        text = told(verdicts, same=same)
        assert len(text) <= most
        assert bool(text) == bool(count)
        assert count == 0 or "parses" in text
        assert "ACCEPTED-REASON" not in text


def test_another_model_is_told_the_reason_and_not_the_evidence() -> None:
    assert "def add" in told((rejected(),), same=True)
    note = told((rejected(),), same=False)
    assert "never closed" in note
    assert "def add" not in note


@given(st.lists(st.dictionaries(st.text(), st.text(), max_size=3), max_size=3), texts, st.integers(0, 3))
def test_the_message_is_appended_and_every_byte_before_it_stays(rows: list[object], evidence: str, indent: int) -> None:
    body = json.dumps({"model": "m", "messages": rows, "n": 1}, indent=indent or None).encode()
    top = scan(body)
    spliced = b"".join(top.splice(with_evidence(top, evidence)))
    assert json.loads(spliced)["messages"] == [*rows, {"role": "user", "content": evidence}]
    raw = top.value("messages")
    assert raw is not None
    prefix = body.index(raw) + len(raw) - 1
    assert spliced[:prefix] == body[:prefix]
    assert spliced.endswith(body[prefix:])


@pytest.mark.parametrize(
    ("dialect", "body", "field", "appended"),
    [
        ("messages", {"messages": [{"role": "user", "content": "x"}]}, "messages",
         {"role": "user", "content": [{"type": "text", "text": "e"}]}),
        ("responses", {"input": [{"role": "user", "content": "x"}]}, "input",
         {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "e"}]}),
        ("gemini", {"contents": []}, "contents", {"role": "user", "parts": [{"text": "e"}]}),
    ],
)  # fmt: skip
def test_each_dialect_has_its_own_message_of_the_user(
    dialect: str, body: dict[str, list[object]], field: str, appended: dict[str, object]
) -> None:
    top = scan(json.dumps(body).encode())
    assert json.loads(b"".join(top.splice(with_evidence(top, "e", dialect)))) == {field: [*body[field], appended]}


def test_an_input_of_one_text_becomes_a_list_and_what_was_expanded_before_it_stays() -> None:
    top = scan(b'{"input":"do \\"it\\""}')
    first, second = json.loads(with_evidence(top, "e", "responses")["input"])
    assert (first, second["content"][0]["text"]) == ({"type": "message", "role": "user", "content": 'do "it"'}, "e")
    given = b'[{"role":"user","content":"before"}]'
    assert with_evidence(top, "e", "responses", given)["input"].startswith(given[:-1] + b",")


def test_a_body_without_an_array_of_messages_is_left_alone() -> None:
    assert with_evidence(scan(b'{"prompt":"x"}'), "e") == {}
    assert with_evidence(scan(b'{"messages":"x"}'), "e") == {}


async def test_an_escalation_tells_the_stronger_model_what_failed(tmp_path: Path):
    small, big = (FakeProvider(Behaviour(text=text), models=("m",)) for text in (BROKEN, CODE))
    async with small, big:
        places = endpoint("small", small.base_url, provider="groq") + endpoint("big", big.base_url)
        async with gateway('[aliases]\ncoding = ["groq/m", "openai/m"]\n' + places, tmp_path) as running:
            running.runtime.state.router = lambda target: Planner()  # type: ignore[method-assign,assignment,return-value]
            answer = await running.chat(model="coding", messages=ASK)
            rows = await running.rows(answer)
    (first,), (second,) = small.requests, big.requests
    assert json.loads(first.body)["messages"] == ASK
    *before, told_it = json.loads(second.body)["messages"]
    assert before == ASK
    assert told_it["role"] == "user"
    assert "parses" in told_it["content"]
    assert "return a +" not in told_it["content"]  # the reason, not the failed answer
    # Nothing before the closing bracket of the messages has moved, but for the model's name.
    assert (
        first.body.split(b'"messages"')[1].split(b"]")[0] == second.body.split(b'"messages"')[1].split(b',{"role"')[0]
    )
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]


class Again:
    """Plans the same model again with its evidence."""

    def plan(self, request: RouteRequest) -> Plan:
        arms = [Arm(model="openai/m", endpoint="one", mode=mode) for mode in (Mode.FRESH, Mode.RETRY)]
        steps = tuple(Step(arm=arm, reach=1.0, p_success=0.5, cost=NanoUsd(1)) for arm in arms)
        return Plan(
            steps=steps, expected_total=NanoUsd(1), p_complete=0.5, repair=NanoUsd(1), propensity=1.0, reason="again"
        )

    def reconsider(self, request: RouteRequest, tried: object) -> None:
        """Nothing is planned again."""


@asynccontextmanager
async def again(folder: Path, script: list[Behaviour]) -> AsyncIterator[tuple[Gateway, FakeProvider]]:
    """One model, which the plan asks twice."""
    async with FakeProvider(script, models=("m",)) as fake:
        toml = '[aliases]\ncoding = ["openai/m"]\n' + endpoint("one", fake.base_url)
        async with gateway(toml, folder) as running:
            running.runtime.state.router = lambda target: Again()  # type: ignore[method-assign,assignment,return-value]
            yield running, fake


async def test_a_retry_of_the_same_model_carries_its_evidence_and_is_its_own_row(tmp_path: Path):
    async with again(tmp_path, [Behaviour(text=BROKEN), Behaviour(text=CODE)]) as (running, fake):
        answer = await running.chat(model="coding", messages=ASK)
        rows = await running.rows(answer)
        assert await running.findings() == []
    assert answer.text == CODE
    assert [r.row.outcome for r in rows] == ["rejected", "ok"]
    last = json.loads(fake.requests[1].body)["messages"][-1]["content"]
    assert last.startswith("Your previous answer was checked")
    assert len(last) <= MOST_EVIDENCE
