"""Rows 1 to 27 of the fault matrix through the whole gateway: what the client sees, what is charged, what rests."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.e2e.providers import BETWEEN, CONNECT, FIRST, GOOD, HEAD_HANG, SHORT, alone, pair
from tests.gateway.running import Answer, endpoint, gateway

from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider, closed_port, silent_port
from suffice.testing.script import Behaviour, Timing, Toxic


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`status` and `code` with nothing left to try; `charge` of the failed attempt; `rests` whether something cools at once.

    `elsewhere`: a second endpoint of the same model answers instead. `attempts` without one.
    """

    row: int
    script: Behaviour
    status: int
    code: str
    charge: str = "none"
    rests: bool = True
    elsewhere: bool = True
    attempts: int = 1
    stream: tuple[bool, ...] = (False, True)
    head: str = ""
    inner: int = 0
    name: str = field(default="")


CASES = (
    Case(row=19, script=presets.reset(), status=502, code="stream_truncated", charge="unk", rests=False, name="rst"),
    Case(row=7, script=HEAD_HANG, status=504, code="upstream_header_timeout", charge="unk", head=FIRST),
    Case(
        row=8, script=Behaviour(timing=Timing(before_first_token_s=60)), status=504, head=FIRST, rests=False,
        code="upstream_first_token_timeout", charge="unk", stream=(True,),
    ),
    Case(row=9, script=presets.stalled(0), status=504, code="stream_stalled", head=BETWEEN, rests=False, charge="est",
         stream=(False,)),
    Case(row=11, script=presets.rate_limited("30"), status=429, code="upstream_rate_limited"),
    # The wait of a second at least that the row asks for does not fit into what is left.
    Case(row=12, script=presets.rate_limited(), status=429, code="upstream_rate_limited_no_hint", head=SHORT),
    Case(row=13, script=presets.quota_exceeded(), status=503, code="upstream_quota"),
    Case(row=14, script=presets.failing(500), status=502, code="upstream_error", rests=False, attempts=2),
    Case(row=14, script=presets.failing(503), status=503, code="upstream_error", rests=False, attempts=2, name="503"),
    Case(row=14, script=presets.failing(504), status=504, code="upstream_error", rests=False, attempts=2, name="504"),
    Case(row=15, script=presets.failing(529), status=503, code="upstream_overloaded", elsewhere=False),
    Case(row=16, script=presets.error_in_200(), status=502, code="upstream_error", rests=False),
    Case(row=17, script=presets.error_event(), status=502, code="upstream_error", rests=False, stream=(True,)),
    Case(row=19, script=presets.cut(after_bytes=30), status=502, code="stream_truncated", rests=False, charge="est"),
    Case(row=20, script=presets.malformed(0), status=502, code="upstream_malformed", rests=False, charge="est"),
    Case(row=21, script=presets.login_page(), status=502, code="upstream_wrong_content_type"),
    Case(row=23, script=presets.filtered(), status=400, code="content_filter", rests=False, charge="est",
         elsewhere=False),
    Case(row=24, script=presets.too_long(), status=400, code="context_length_exceeded", rests=False, elsewhere=False),
    Case(row=25, script=presets.no_credit(), status=503, code="upstream_billing"),
    Case(row=26, script=presets.bad_credential(), status=502, code="upstream_auth"),
    Case(row=26, script=presets.bad_credential(403), status=502, code="upstream_auth", name="403"),
    Case(row=27, script=presets.unknown_model(), status=404, code="model_not_available"),
    Case(row=28, script=presets.invalid(), status=400, code="invalid_request", rests=False, elsewhere=False),
    Case(row=30, script=presets.failing(413), status=413, code="request_too_large", rests=False, elsewhere=False),
)  # fmt: skip
EACH = [
    pytest.param(case, stream, id=f"row{case.row}{case.name and '-' + case.name}-{'stream' if stream else 'whole'}")
    for case in CASES
    for stream in case.stream
]


def honest(answer: Answer) -> None:
    """The answer says plainly that it is an error, in the caller's dialect, and tells SDKs not to multiply our retries."""
    assert set(answer.error) == {"message", "type", "param", "code"}
    assert answer.headers["content-type"] == "application/json"
    later = answer.status in (429, 529) and "retry-after" in answer.headers
    assert answer.headers.get("x-should-retry") == (None if later else "false")
    assert "x-request-id" in answer.headers
    assert b"[DONE]" not in answer.body


@pytest.mark.parametrize(("case", "stream"), EACH)
async def test_with_nothing_left_the_client_sees_the_truth(case: Case, stream: bool, tmp_path: Path):
    async with alone(tmp_path, case.script, case.head) as (running, _):
        answer = await running.chat(stream=stream)
        assert (answer.status, answer.error["code"]) == (case.status, case.code)
        honest(answer)
        rows = await running.rows(answer)
        assert [r.row.attempt for r in rows] == list(range(1, case.attempts + 1))
        last = rows[-1]
        assert (last.detail.result.fault_row, last.row.charge_class) == (case.row, case.charge)
        assert last.row.outcome == "failed"
        if case.charge == "unk":
            assert last.row.charge_nano == last.row.reserved_nano > 0
        elif case.charge == "none":
            assert (last.row.kind, last.row.charge_nano) == ("X", 0)
        else:
            assert 0 < last.row.charge_nano < last.row.reserved_nano
        assert list(running.cooling().values()) == ([case.row] if case.rests else [])
        assert await running.findings() == []


@pytest.mark.parametrize(("case", "stream"), [p for p in EACH if p.values[0].elsewhere])
async def test_failover_is_invisible(case: Case, stream: bool, tmp_path: Path):
    async with pair(tmp_path, case.script, case.head) as (running, bad):
        answer = await running.chat(stream=stream)
        assert answer.status == 200
        assert answer.text == GOOD.text
        assert answer.headers["x-suffice-endpoint"] == "b-good"
        assert len(bad.requests) == case.attempts
        rows = await running.rows(answer)
        assert [r.row.outcome for r in rows] == ["failed"] * case.attempts + ["ok"]
        assert rows[0].row.charge_class == case.charge
        assert rows[-1].row.charge_class == "exact"
        assert answer.headers["x-suffice-attempts"] == str(len(rows))
        if stream:
            assert answer.events[-1] == "[DONE]"
        assert await running.findings() == []


@pytest.mark.parametrize("stream", [False, True])
async def test_a_refused_connection_goes_elsewhere_and_rests(stream: bool, tmp_path: Path):
    with closed_port() as port:
        async with FakeProvider(GOOD, models=("m",)) as good:
            bad = endpoint("a-bad", f"http://127.0.0.1:{port}/v1")
            async with gateway(bad + endpoint("b-good", good.base_url), tmp_path) as running:
                answer = await running.chat(stream=stream)
                assert (answer.status, answer.text) == (200, GOOD.text)
                assert running.cooling() == {"a-bad": 1}
                again = await running.chat(stream=stream)
                assert [r.row.endpoint for r in await running.rows(again)] == ["b-good"]
                assert [r.row.charge_class for r in await running.rows(answer)] == ["none", "exact"]


async def test_nothing_but_a_refused_connection(tmp_path: Path):
    with closed_port() as port:
        async with gateway(endpoint("a-bad", f"http://127.0.0.1:{port}/v1"), tmp_path) as running:
            answer = await running.chat()
            assert (answer.status, answer.error["code"]) == (502, "upstream_unavailable")
            honest(answer)
            rested = await running.chat()
            assert rested.status in (502, 503)


async def test_a_name_that_does_not_resolve(tmp_path: Path):
    async with gateway(endpoint("a-bad", "http://nowhere.invalid/v1"), tmp_path) as running:
        answer = await running.chat()
        assert (answer.status, answer.error["code"]) == (502, "upstream_dns")
        assert list(running.cooling().values()) == [2]
        assert [r.row.charge_class for r in await running.rows(answer)] == ["none"]


async def test_a_provider_that_speaks_no_tls(tmp_path: Path):
    async with FakeProvider(models=("m",)) as fake:
        async with gateway(endpoint("a-bad", fake.base_url.replace("http:", "https:")), tmp_path) as running:
            answer = await running.chat()
        assert (answer.status, answer.error["code"]) == (502, "upstream_tls")
        assert fake.requests == []


async def test_a_connection_that_is_never_accepted(tmp_path: Path):
    async with silent_port() as port:
        bad = endpoint("a-bad", f"http://127.0.0.1:{port}/v1")
        async with gateway(CONNECT + bad, tmp_path) as running:
            answer = await running.chat()
            assert (answer.status, answer.error["code"]) == (504, "upstream_connect_timeout")
            assert [r.row.charge_class for r in await running.rows(answer)] == ["none"]


async def test_a_connection_that_died_while_idle_costs_the_client_nothing(tmp_path: Path):
    script = [replace(GOOD, toxic=Toxic(close_after=True)), GOOD]
    async with FakeProvider(script, models=("m",)) as fake:
        async with gateway(endpoint("one", fake.base_url), tmp_path) as running:
            assert (await running.chat()).status == 200
            assert (await running.chat()).status == 200
        assert fake.connections == 2


async def test_a_kept_connection_that_dies_under_a_request_costs_the_client_nothing(tmp_path: Path):
    """Two connections are kept and both are dead: the retry opens a third instead of trying the other one."""
    slow = replace(GOOD, timing=Timing(before_head_s=0.2))
    async with (
        FakeProvider([slow, slow, presets.reset(), GOOD], models=("m",)) as fake,
        gateway(endpoint("one", fake.base_url), tmp_path) as running,
    ):
        await asyncio.gather(running.chat(), running.chat())
        assert fake.connections == 2
        answer = await running.chat()
        assert (answer.status, answer.text) == (200, GOOD.text)
        assert [r.connection for r in fake.requests[2:]] in ([0, 2], [1, 2])
        rows = await running.rows(answer)
        assert [(r.detail.result.fault_row, r.row.charge_class) for r in rows] == [(6, "unk"), (0, "exact")]
        assert running.runtime.transport.connections() == {"one": (1, 1, 0)}
        assert running.cooling() == {}


async def test_a_kept_connection_that_dies_is_asked_elsewhere_first(tmp_path: Path):
    async with (
        FakeProvider([GOOD, presets.reset()], models=("m",)) as bad,
        FakeProvider(GOOD, models=("m",)) as good,
        gateway(endpoint("a-bad", bad.base_url) + endpoint("b-good", good.base_url), tmp_path) as running,
    ):
        assert (await running.chat()).headers["x-suffice-endpoint"] == "a-bad"
        answer = await running.chat()
        assert (answer.status, answer.headers["x-suffice-endpoint"]) == (200, "b-good")


async def test_a_request_that_cannot_be_written_is_asked_again_and_costs_nothing(tmp_path: Path):
    async def slams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        slammed.append(len(await reader.read(1000)))
        writer.transport.abort()

    slammed: list[int] = []
    server = await asyncio.start_server(slams, "127.0.0.1", 0, limit=1000)
    server.sockets[0].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with (
        server,
        FakeProvider(GOOD, models=("m",)) as good,
        gateway(endpoint("a-bad", url) + endpoint("b-good", good.base_url), tmp_path) as running,
    ):
        answer = await running.chat(user="x" * 12_000_000)
        assert (answer.status, answer.text) == (200, GOOD.text)
        rows = await running.rows(answer)
        assert [(r.detail.result.fault_row, r.row.charge_class) for r in rows] == [
            (5, "none"),
            (5, "none"),
            (0, "exact"),
        ]
        assert slammed == [1000, 1000]


async def test_a_short_wait_that_the_provider_asked_for_is_waited(tmp_path: Path):
    script = [presets.rate_limited(milliseconds=20), GOOD]
    async with (
        FakeProvider(script, models=("m",)) as fake,
        gateway(endpoint("one", fake.base_url), tmp_path) as running,
    ):
        answer = await running.chat()
        assert (answer.status, answer.text) == (200, GOOD.text)
        assert [r.detail.result.fault_row for r in await running.rows(answer)] == [11, 0]
        # The second attempt was the probe that ended the rest.
        assert running.cooling() == {}


async def test_the_least_wait_over_all_candidates_is_told(tmp_path: Path):
    async with (
        FakeProvider(presets.rate_limited("40"), models=("m",)) as one,
        FakeProvider(presets.rate_limited("20"), models=("m",)) as two,
        gateway(endpoint("one", one.base_url) + endpoint("two", two.base_url), tmp_path) as running,
    ):
        answer = await running.chat()
        assert answer.status == 429
        assert 1 <= int(answer.headers["retry-after"]) <= 20


async def test_overload_goes_to_another_provider_never_the_same(tmp_path: Path):
    async with (
        FakeProvider(presets.failing(529), models=("m",)) as bad,
        FakeProvider(GOOD, models=("m",)) as same,
        FakeProvider(GOOD, models=("m",)) as other,
    ):
        toml = endpoint("a-bad", bad.base_url) + endpoint("b-same", same.base_url)
        toml += endpoint("c-other", other.base_url, provider="groq")
        async with gateway('[aliases]\ncoding = ["openai/m", "groq/m"]\n' + toml, tmp_path) as running:
            answer = await running.chat(model="coding", stream=True)
            assert answer.status == 200
            if bad.requests:
                assert answer.headers["x-suffice-endpoint"] == "c-other"
                assert not same.requests


async def test_a_pinned_model_is_never_replaced(tmp_path: Path):
    async with (
        FakeProvider(presets.failing(500), models=("m",)) as bad,
        FakeProvider(GOOD, models=("n",)) as other,
        gateway(endpoint("a", bad.base_url) + endpoint("b", other.base_url, model="n"), tmp_path) as running,
    ):
        assert (await running.chat()).status == 502
        assert other.requests == []
