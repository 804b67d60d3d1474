import asyncio
import contextlib

import msgspec
import pytest

from suffice.catalog.load import load
from suffice.config.load import parse
from suffice.gateway import fleet
from suffice.gateway.checkup import State
from suffice.gateway.checkup_providers import Providers, cheapest, control, refusal
from suffice.testing.fake_upstream import FakeProvider, closed_port
from suffice.testing.presets import answer, bad_credential, failing, login_page
from suffice.testing.script import Timing
from suffice.upstream.authorization import TokenHeader
from suffice.upstream.credentials import Fixed, Issued, Keeper
from suffice.upstream.deadlines import Deadlines
from suffice.upstream.endpoints import make_endpoint
from suffice.upstream.transport import Transport
from suffice.values.system_env import SystemEnv

KEY = "sk-canary-0123456789abcdef"
SHORT = Deadlines(connect_s=2, head_s=0.2, first_byte_s=0.2, between_s=0.2, total_s=1)


def settings(base_url, key="${K}"):
    line = f'api_key = "{key}"\n' if key else ""
    head = 'version = 1\n[endpoints.here]\nprovider = "openai"\nprivate = true\nmodels = ["gpt-4o-mini", "gpt-4o"]\n'
    text = f'{head}base_url = "{base_url}"\n{line}'
    return parse(text, "suffice.toml", {"K": KEY}, None)


@contextlib.asynccontextmanager
async def asked(base_url, key="${K}", deadlines=SHORT):
    """Yield (providers, the arguments of `key`, the fleet)."""
    given = settings(base_url, key)
    built = fleet.build(given, load(), "2026-11-22")
    transport = Transport(SystemEnv())
    section = given.endpoints["here"]
    provider = built.catalog.provider("openai")
    try:
        yield (
            Providers(SystemEnv(), transport, deadlines=deadlines),
            (built.endpoints["here"], section, provider),
            built,
        )
    finally:
        await transport.close()


async def check_key(base_url, key="${K}"):
    async with asked(base_url, key) as (providers, given, _):
        found = await providers.key(*given)
        assert KEY not in f"{found}" and "canary" not in f"{found}"
        return found, providers


async def test_a_key_that_is_accepted_and_one_that_is_not():
    async with FakeProvider(api_key=KEY) as provider:
        found, _ = await check_key(provider.base_url)
        assert found.state is State.OK and "${K}" in found.message
        assert [r.path for r in provider.requests] == ["/v1/models"] * 2
    async with FakeProvider(api_key="another") as provider:
        found, _ = await check_key(provider.base_url)
        assert found.state is State.FAILED and "${K}" in found.message and "401" in found.message and found.fix
        found, _ = await check_key(provider.base_url, key="")
        assert found.state is State.FAILED and found.fix == "set api_key"


async def test_a_public_list_proves_nothing():
    async with FakeProvider() as provider:
        found, _ = await check_key(provider.base_url)
        assert found.state is State.WARNING and "public" in found.message and "--deep" in found.fix
        found, _ = await check_key(provider.base_url, key="")
        assert found.state is State.OK


async def test_nobody_there():
    with closed_port() as port:
        found, providers = await check_key(f"http://127.0.0.1:{port}/v1")
        assert found.state is State.UNREACHABLE and "is the server running" in found.fix
        assert providers.clock().state is State.SKIPPED


@contextlib.asynccontextmanager
async def raw(reply, wait_s=0.0):
    """A server that answers everything with the same bytes."""

    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(wait_s)
                writer.write(reply)
                await writer.drain()
        finally:
            writer.close()
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.gather(*tasks, return_exceptions=True)


def http(body, *headers, status="200 OK"):
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers]
    return "\r\n".join([*lines, "", body]).encode()


async def test_a_login_page_is_no_provider():
    async with raw(http("<html>Sign in</html>", "content-type: text/html")) as url:
        found, _ = await check_key(url)
        assert found.state is State.FAILED and "text/html" in found.message and "login page" in found.fix
    async with raw(http('{"error": {"message": "no ' + KEY + '"}}')) as url:
        assert (await check_key(url))[0].state is State.FAILED


async def test_a_silent_server_ends_in_a_check():
    async with raw(b"", wait_s=1.0) as url:
        found, _ = await check_key(url)
        assert found.state is State.UNREACHABLE and "header_timeout" in found.message


@pytest.mark.parametrize(("date", "state"), [("Wed, 01 Jan 2020 00:00:00 GMT", "warning"), ("nonsense", "skipped")])
async def test_the_clock_is_compared_with_the_providers(date, state):
    async with raw(http('{"data": []}', f"date: {date}")) as url:
        _, providers = await check_key(url)
        found = providers.clock()
        assert found.state.value == state
        assert state != "warning" or ("ahead of" in found.message and "NTP" in found.fix)


def test_the_middle_clock_counts():
    providers = Providers(SystemEnv(), None)
    providers.clock_skews_s = [0.5, 1e6, -1.0]
    assert providers.clock().state is State.OK


async def stream(behaviour):
    async with FakeProvider(behaviour, api_key=KEY) as provider, asked(provider.base_url) as (providers, given, built):
        row = cheapest(built.served, built.catalog, 1.8e9)
        assert row.model.name == "gpt-4o-mini"
        found = await providers.stream(given[0], given[1], row.paths["chat"], row.model.name)
        assert len(provider.requests) == 1 and KEY not in f"{found}"
        return found


async def test_a_stream_that_flows_and_one_that_does_not():
    flowing = answer("one, two, three, four, five, six")
    found = await stream(msgspec.structs.replace(flowing, timing=Timing(between_tokens_s=0.02)))
    assert found.state is State.OK and "not held back" in found.message
    found = await stream(login_page())
    assert found.state is State.FAILED and "not as a stream" in found.message
    assert (await stream(bad_credential(403))).state is State.FAILED
    assert (await stream(failing(503))).state is State.UNREACHABLE


async def test_a_stream_that_came_in_one_go_is_told():
    events = "".join(f'data: {{"n": {n}}}\n\n' for n in range(9)) + "data: [DONE]\n\n"
    async with raw(http(events, "content-type: text/event-stream")) as url, asked(url) as (providers, given, _):
        found = await providers.stream(given[0], given[1], b"/v1/chat/completions", "m")
        assert found.state is State.WARNING and "in one go" in found.message and "proxy" in found.fix


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, None),
        (401, "failed"),
        (403, "failed"),
        (402, "warning"),
        (429, "warning"),
        (404, "failed"),
        (500, "unreachable"),
        (529, "unreachable"),
    ],
)
def test_each_status_has_a_meaning_and_a_fix(status, state):
    found = refusal("x", status, settings("http://127.0.0.1:1/v1").endpoints["here"])
    assert (found.state.value if found else None) == state and (found is None or found.fix)


async def test_providers_without_a_free_call_are_skipped():
    given = parse(f'version = 1\n[endpoints.z]\nprovider = "zai"\napi_key = "{KEY}"\n', "s", {}, None)
    built = fleet.build(given, load(), "2026-11-22")
    transport = Transport(SystemEnv())
    found = await Providers(SystemEnv(), transport).key(
        built.endpoints["z"], given.endpoints["z"], built.catalog.provider("zai")
    )
    assert found.state is State.SKIPPED and "--deep" in found.fix


@pytest.mark.parametrize(
    ("status", "body", "state"),
    [("200 OK", '{"ready": true}', "ok"), ("503 No", '{"ready": false, "why": "starting"}', "failed"), ("500 No", "x", "failed")],
)  # fmt: skip
async def test_a_running_gateway_is_asked(status, body, state):
    async with raw(http(body, status=status)) as url:
        port = url.split(":")[2].split("/")[0]
        given = parse(f"version = 1\n[server]\ncontrol_port = {port}\n", "s", {}, None)
        transport = Transport(SystemEnv())
        assert (await control(given, transport, False)).state is State.SKIPPED
        found = await control(given, transport, True)
        assert found.state.value == state and ("why starting" in found.message) == ("starting" in body)
        await transport.close()


async def test_a_running_gateway_that_does_not_answer():
    with closed_port() as port:
        given = parse(f"version = 1\n[server]\ncontrol_port = {port}\n", "s", {}, None)
        transport = Transport(SystemEnv())
        found = await control(given, transport, True)
        assert found.state is State.UNREACHABLE and "same file" in found.fix
        await transport.close()


async def test_a_credential_that_is_made_for_each_request_is_left_to_the_deep_check():
    keeper = Keeper(Fixed(Issued(token="t")), "one")
    endpoint = make_endpoint("one", provider="x", base_url="https://x.example", authorizer=TokenHeader(keeper))
    found = await Providers(SystemEnv(), None).key(endpoint, None, None)
    assert found.state is State.SKIPPED and "--deep" in found.fix
