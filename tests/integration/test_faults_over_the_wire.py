"""Fake providers, the real transport and the fault matrix together: each fault arrives as the row it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from suffice.testing import presets
from suffice.testing.fake_upstream import FakeProvider, closed_port, silent_port
from suffice.testing.script import Behaviour, Frames, Timing, Toxic
from suffice.upstream.deadlines import Deadlines
from suffice.upstream.endpoints import make_endpoint
from suffice.upstream.faults import Fault, check_body, check_head, classify, classify_event, classify_transport
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.system_env import SystemEnv

# Only the deadline under test is short, so that a busy machine changes nothing.
LONG = Deadlines(connect_s=30.0)
SHORT = {7: Deadlines(head_s=0.1), 8: Deadlines(first_byte_s=0.1), 9: Deadlines(between_s=0.1)}
LIMIT = 100_000


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    transport = Transport(SystemEnv())
    yield transport
    await transport.close()


async def fault_of(transport: Transport, url: str, *, stream: bool, deadlines: Deadlines = LONG) -> Fault | None:
    """Ask once and say what went wrong, the way a relay does; the last event is looked at whole."""
    endpoint = make_endpoint("e", provider="p", base_url=url, api_key="k", private=True)
    body = b'{"model":"m","messages":[],"stream":%s}' % (b"true" if stream else b"false")
    try:
        answer = await transport.request(
            endpoint, b"POST", b"/chat/completions", [(b"content-type", b"application/json")], [body], deadlines
        )
        try:
            data = await answer.read(LIMIT)
        finally:
            answer.close()
    except TransportFault as fault:
        return classify_transport(fault)
    if answer.status != 200:
        return classify(answer.status, answer.headers, data)
    if not stream:
        return check_body(answer.headers, data)
    wrong = check_head(answer.headers, stream=True)
    if wrong is None and b'data: {"error"' in data:
        head, _, event = data.partition(b'data: {"error"')
        return classify_event(b'{"error"' + event.split(b"\n")[0], tokens_seen=b'"content":"H' in head)
    return wrong


@pytest.mark.parametrize(
    ("behaviour", "row", "stream"),
    [
        (presets.reset(), 19, True),
        (Behaviour(toxic=Toxic(connection="close")), 19, True),
        (Behaviour(toxic=Toxic(connection="hang")), 7, True),
        (Behaviour(timing=Timing(before_head_s=60)), 7, False),
        (Behaviour(timing=Timing(before_first_token_s=60)), 8, True),
        (presets.stalled(), 9, True),
        (Behaviour(toxic=Toxic(stall_after_events=0)), 9, False),
        (presets.rate_limited("2"), 11, True),
        (presets.rate_limited(), 12, False),
        (presets.quota_exceeded(), 13, True),
        (presets.failing(503), 14, True),
        (presets.failing(529), 15, True),
        (presets.error_in_200(), 16, False),
        (presets.error_event(), 17, True),
        (presets.error_event(4), 18, True),
        (presets.cut(after_events=2), 19, True),
        (presets.cut(after_bytes=30), 19, False),
        (presets.cut(after_events=2, rst=True), 19, True),
        (Behaviour(toxic=Toxic(content_length_delta=9)), 19, False),
        (presets.malformed(), None, False),
        (presets.login_page(), 21, True),
        (presets.login_page(), 21, False),
        (presets.filtered(), 23, True),
        (presets.too_long(), 24, True),
        (presets.no_credit(), 25, True),
        (presets.bad_credential(), 26, True),
        (presets.unknown_model(), 27, True),
        (presets.invalid(), 28, True),
        (presets.failing(413), 30, True),
        (Behaviour(toxic=Toxic(bad_chunking=True)), 34, True),
        (Behaviour(toxic=Toxic(pad_bytes=LIMIT)), 35, False),
        (Behaviour(status=302, headers=(("location", "http://127.0.0.1:1/"),)), 36, True),
        (Behaviour(frames=Frames(comments=True, crlf=True), timing=Timing(write_bytes=7)), None, True),
        (Behaviour(), None, False),
    ],
)
async def test_each_fault_is_its_row(transport: Transport, behaviour: Behaviour, row: int | None, stream: bool) -> None:
    async with FakeProvider(behaviour) as provider:
        fault = await fault_of(transport, provider.base_url, stream=stream, deadlines=SHORT.get(row or 0, LONG))
        assert (fault and fault.row) == row
        if row is not None and row >= 11 and fault is not None and fault.charge == "none":
            assert provider.billed == []


async def test_ports_that_nobody_serves(transport: Transport) -> None:
    with closed_port() as port:
        fault = await fault_of(transport, f"http://127.0.0.1:{port}/v1", stream=True)
        assert fault is not None
        assert (fault.row, fault.charge) == (1, "none")
    async with silent_port() as port:
        short = Deadlines(connect_s=0.1)
        fault = await fault_of(transport, f"http://127.0.0.1:{port}/v1", stream=True, deadlines=short)
        assert fault is not None
        assert (fault.row, fault.charge) == (4, "none")


async def test_plain_text_where_tls_was_expected(transport: Transport) -> None:
    async with FakeProvider() as provider:
        fault = await fault_of(transport, f"https://127.0.0.1:{provider.port}/v1", stream=True)
        assert fault is not None
        assert (fault.row, fault.charge) == (3, "none")
        assert provider.billed == []


async def test_a_reset_on_a_kept_connection_is_a_stale_one_and_not_repeated(transport: Transport) -> None:
    async with FakeProvider([Behaviour(), presets.reset()]) as provider:
        endpoint = make_endpoint("e", provider="p", base_url=provider.base_url, private=True)
        for _ in range(2):
            try:
                answer = await transport.request(endpoint, b"POST", b"/chat/completions", [], [b"{}"], LONG)
                await answer.read(LIMIT)
                await asyncio.sleep(0)
            except TransportFault as error:
                fault = classify_transport(error)
        assert provider.connections == 1
        assert (fault.row, fault.charge, fault.retry[0].value) == (6, "unk", "other")
