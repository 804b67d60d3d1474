from pathlib import Path

import pytest
from tests.gateway.running import endpoint, gateway, one_provider

from suffice.errors import RequestError
from suffice.gateway.hops import HEADER, MAX_HOPS, onward, told


def test_each_gateway_says_one_more():
    assert (told({}), onward({})) == (0, (b"x-suffice-hops", b"1"))
    assert onward({HEADER: str(MAX_HOPS - 1)}) == (b"x-suffice-hops", b"3")


@pytest.mark.parametrize("text", ["3", "4", "999"])
def test_a_loop_is_refused(text: str):
    with pytest.raises(RequestError) as refused:
        told({HEADER: text})
    assert (refused.value.status, refused.value.code) == (508, "loop_detected")


@pytest.mark.parametrize("text", ["", "-1", "+1", "1.0", "x", "\u00b2", "1000", "9" * 5000])
def test_what_is_no_small_number_is_refused(text: str):
    with pytest.raises(RequestError) as refused:
        told({HEADER: text})
    assert refused.value.status == 400


async def test_a_provider_is_told_the_count_and_a_fourth_gateway_refuses(tmp_path: Path):
    async with one_provider(tmp_path) as (running, fake):
        assert (await running.chat()).status == 200
        assert (await running.chat(headers={HEADER: "2"})).status == 200
        assert [r.header("x-suffice-hops") for r in fake.requests] == ["1", "3"]
        refused = await running.chat(headers={HEADER: "3"})
        assert (refused.status, refused.error["code"]) == (508, "loop_detected")
        assert (await running.get("/models", {HEADER: "3"})).status == 508
        assert len(fake.requests) == 2


async def test_a_gateway_that_leads_back_to_itself_ends(tmp_path: Path):
    async with gateway(endpoint("one", "http://127.0.0.1:1/v1"), tmp_path) as running:
        # Its own address is known only once it listens.
        await running.adopt(endpoint("one", running.base_url))
        answer = await running.chat()
        assert (answer.status, answer.error["code"]) == (508, "upstream_error")
        # Nobody was asked twice: three turns, each recorded, nothing charged.
        assert [r.row.charge_nano for r in await running.recent()] == [0, 0, 0]
