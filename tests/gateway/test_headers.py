from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.running import one_provider

from suffice.gateway.headers import clean, dollars, passed, unchecked, verdict_text
from suffice.testing.script import Behaviour, Error
from suffice.values.verdict import Outcome, Verdict


@given(st.text())
def test_a_value_is_one_line_of_printable_ascii(text: str):
    value = clean(text)
    assert len(value) <= 300
    assert all(32 <= byte <= 126 for byte in value)


@pytest.mark.parametrize(
    ("nano", "text"), [(0, b"0"), (1, b"0.000000001"), (1_500_000_000, b"1.5"), (-2_000_000, b"-0.002")]
)
def test_money_is_a_plain_decimal(nano: int, text: bytes):
    assert dollars(nano) == text or float(dollars(nano)) == float(text)
    assert b"E" not in dollars(nano)


def test_of_the_upstreams_headers_only_harmless_ones_pass():
    upstream = [(b"set-cookie", b"a"), (b"server", b"x"), (b"openai-organization", b"o"), (b"content-type", b"t")]
    assert passed(upstream) == [(b"content-type", b"t")]


async def test_the_account_of_the_operator_stays_hidden(tmp_path: Path):
    mine = (("openai-organization", "org-1"), ("x-ratelimit-remaining-requests", "5"), ("set-cookie", "c=1"))
    async with one_provider(tmp_path, Behaviour(headers=mine)) as (running, _):
        for stream in (False, True):
            names = set((await running.chat(stream=stream)).headers)
            assert not names & {name for name, _ in mine}


async def test_a_saving_is_against_the_reference_and_named_an_estimate(tmp_path: Path):
    head = '[routing]\nreference_model = "openai/m"\n'
    async with one_provider(tmp_path, head=head) as (running, _):
        answer = await running.chat()
        assert float(answer.headers["x-suffice-saving-estimate-usd"]) == 0.0
        stream = await running.chat(stream=True)
        assert "x-suffice-cost-estimate-usd" in stream.headers
        assert "x-suffice-cost-usd" not in stream.headers


async def test_an_error_says_what_its_attempts_cost(tmp_path: Path):
    broken = Behaviour(status=400, error=Error(message="no such parameter"))
    async with one_provider(tmp_path, broken) as (running, _):
        answer = await running.chat()
        assert answer.status == 400
        (row,) = await running.rows(answer.headers["x-request-id"])
        assert answer.headers["x-suffice-cost-estimate-usd"] == "0" == str(row.row.charge_nano)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"complete": "accept", "check:unit": "accept"}, "accepted"),
        ({"complete": "accept", "check:unit": "unknown"}, "unknown by check:unit"),
        ({"complete": "unknown", "parses": "unknown"}, "unknown"),
        ({"complete": "accept", "parses": "unknown"}, "accepted"),
        ({"complete": "reject", "check:unit": "unknown"}, "rejected by complete"),
    ],
)
def test_the_verdict_says_accepted_only_where_somebody_accepted(said: dict[str, str], told: str):
    assert verdict_text([Verdict(gate=gate, outcome=Outcome(outcome)) for gate, outcome in said.items()]) == told


def test_a_client_is_told_why_its_check_said_nothing_and_nothing_of_the_sandbox():
    def check(outcome: Outcome, kind: str = "", reason: str = "'gone' cannot be read") -> Verdict:
        return Verdict(gate="check:unit", outcome=outcome, kind=kind, reason=reason)

    static = Verdict(gate="complete", outcome=Outcome.UNKNOWN, reason="no answer")
    assert unchecked([static, check(Outcome.UNKNOWN, "commit")]) == ["'gone' cannot be read"]
    assert unchecked([check(Outcome.UNKNOWN, "sandbox", "/srv/trees is full")]) == ["the check could not be run"]
    assert unchecked([static, check(Outcome.ACCEPT)]) == []


async def test_a_check_that_cannot_be_run_tells_the_client_what_to_do(tmp_path: Path):
    async with one_provider(tmp_path, more='[checks.unit]\ncommand = ["true"]\n') as (running, _):

        async def gone(*asked: object) -> Verdict:
            return Verdict(
                gate="check:unit", outcome=Outcome.UNKNOWN, kind="commit", reason="'x' is not there: fetch it"
            )

        running.runtime.pipeline._judging._run_check = gone
        answer = await running.chat(headers={"x-suffice-check": "unit"})
        assert answer.headers["x-suffice-verdict"] == "unknown by check:unit"
        assert answer.headers["x-suffice-check-unknown"] == "'x' is not there: fetch it"
        running.runtime.pipeline._judging._run_check = None
        answer = await running.chat(headers={"x-suffice-check": "unit"})
        assert answer.headers["x-suffice-check-unknown"] == "no sandbox is available"
