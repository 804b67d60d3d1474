"""Every kind of tool with every pair of dialects, over real sockets: what the provider is told, and what comes back to the client."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.clients import SCHEMA, Told, ask
from tests.e2e.test_dialects import CLIENTS, PAIRS, PROVIDERS, seeing, settings, talking
from tests.gateway.running import Gateway, gateway

from suffice.testing.fake_upstream import FakeProvider
from suffice.testing.script import Behaviour, ToolCall

BOTH = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
# The dialects that have freeform tools; the others' clients cannot send one.
FREEFORM = [(c, p) for c, p in PAIRS if c in ("chat", "responses")]
PATCH = '*** Begin\n+ a "b" \\ c é\n'
GRAMMAR = 'start: "*** Begin" LF'
CALLED = Behaviour(text="", tool_calls=(ToolCall(name="patch", arguments=json.dumps({"input": PATCH})),))
# What a provider is told in its own words when a tool is free text.
NATIVE = {"chat": '"type": "custom"', "responses": '"type": "custom"'}


def with_grammar(client: str) -> dict[str, Any]:
    """A freeform tool bound by a grammar, as the dialect of the client declares it."""
    form = {"syntax": "lark", "definition": GRAMMAR}
    row: dict[str, Any] = {"name": "patch", "description": "Edit."}
    if client == "chat":
        return {"type": "custom", "custom": row | {"format": {"type": "grammar", "grammar": form}}}
    return {"type": "custom", **row, "format": {"type": "grammar", **form}}


def goes_on(client: str, told: Told) -> list[dict[str, Any]]:
    """The turns of a loop after a freeform call, in the words of the client's dialect."""
    if client == "chat":
        call = {"id": told.ids[0], "type": "custom", "custom": {"name": "patch", "input": PATCH}}
        result = {"role": "tool", "tool_call_id": told.ids[0], "content": "Done."}
        return [{"role": "assistant", "content": None, "tool_calls": [call]}, result]
    call = {"type": "custom_tool_call", "call_id": told.ids[0], "name": "patch", "input": PATCH}
    return [call, {"type": "custom_tool_call_output", "call_id": told.ids[0], "output": "Done."}]


@pytest.mark.parametrize(("client", "provider"), FREEFORM, ids=["-to-".join(pair) for pair in FREEFORM])
@BOTH
async def test_freeform_tools_and_their_grammar_with_history(client: str, provider: str, stream: bool, tmp_path: Path):
    """Kept where the provider has them, functions elsewhere; in both turns of a loop, the call of the first included."""
    async with talking(tmp_path, provider, [CALLED, Behaviour(text="Good.")]) as (running, fake):
        speaker = CLIENTS[client]
        body = speaker.body("custom", stream) | {"tools": [with_grammar(client)]}
        told = speaker.told(await running.post(speaker.path, body))
        assert (told.calls, told.ended) == ([("patch", PATCH)], True)
        key = "messages" if client == "chat" else "input"
        again = body | {key: [*body[key], *goes_on(client, told)]}
        answer = speaker.told(await running.post(speaker.path, again))
        assert (answer.text, answer.ended) == ("Good.", True)
        first, second = (request.parsed for request in fake.requests)
        declared, history = json.dumps(first["tools"]), json.dumps(second, ensure_ascii=False)
        assert json.dumps(GRAMMAR)[1:-1] in declared and "Done." in history
        losses = told.answer.headers.get("x-suffice-losses", "")
        if provider in NATIVE:
            assert NATIVE[provider] in declared and losses == ""
            assert json.dumps(PATCH, ensure_ascii=False) in history
        else:
            assert "custom" not in declared and losses == "emulated=tools.custom"
            assert '"input"' in declared and "+ a" in history


def apart(rows: list[dict[str, Any]]) -> list[str]:
    return [row.get("name", row["type"]) for row in rows]


# What Codex sends for models that it does not know: tools in a namespace, found by a search that the client itself runs.
SPACE = {"type": "namespace", "name": "ns", "description": "d", "tools": [{"type": "function", "name": "weather"}]}
SPACE["tools"][0] |= {"description": "d", "parameters": SCHEMA, "strict": False}  # type: ignore[index]
SEARCH = {"type": "tool_search", "execution": "client", "description": "find", "parameters": {"type": "object"}}


@pytest.mark.parametrize("provider", list(PROVIDERS))
@BOTH
async def test_namespaces_and_a_search_of_the_client(provider: str, stream: bool, tmp_path: Path):
    name = "weather" if provider == "responses" else "ns__weather"
    call = Behaviour(text="", tool_calls=(ToolCall(name=name, arguments='{"city":"Oslo"}'),))
    async with talking(tmp_path, provider, call) as (running, fake):
        speaker = CLIENTS["responses"]
        answer = await running.post(
            speaker.path, speaker.body("tools", stream) | {"tools": [SPACE, SEARCH, {"type": "web_search"}]}
        )
        told = speaker.told(answer)
        assert (told.calls, told.ended) == ([("weather", {"city": "Oslo"})], True)
        asked, losses = fake.requests[0].parsed, answer.headers.get("x-suffice-losses", "")
        if provider == "responses":
            assert apart(asked["tools"]) == ["ns", "tool_search", "web_search"] and not losses
            return
        declared = json.dumps(asked["tools"])
        assert '"ns__weather"' in declared and '"tool_search"' in declared and "web_search" not in declared
        # A name that is mapped back is no loss.
        assert losses == "dropped=tools.web_search"
        assert '"namespace":"ns"' in answer.body.decode().replace(": ", ":")


@pytest.mark.parametrize("provider", list(PROVIDERS))
@pytest.mark.parametrize("client", ["chat", "responses"])
@BOTH
async def test_a_developer_is_heard_everywhere(client: str, provider: str, stream: bool, tmp_path: Path):
    async with talking(tmp_path, provider, Behaviour(text="Yes.")) as (running, fake):
        speaker = CLIENTS[client]
        body = speaker.body("text", stream)
        key = "messages" if client == "chat" else "input"
        body |= {key: [{"role": "developer", "content": "Say yes."}, *body[key]]}
        told = speaker.told(await running.post(speaker.path, body))
        assert (told.text, told.ended) == ("Yes.", True)
        asked = fake.requests[0].parsed
        place = {"chat": "messages", "responses": "input", "messages": "system", "gemini": "systemInstruction"}
        assert "Say yes." in json.dumps(asked[place[provider]])


@pytest.mark.parametrize("provider", list(PROVIDERS))
@BOTH
async def test_logprobs_are_told_or_named_as_lost(provider: str, stream: bool, tmp_path: Path):
    async with talking(tmp_path, provider, Behaviour(text="Yes.")) as (running, fake):
        body = CLIENTS["chat"].body("text", stream) | {"logprobs": True, "top_logprobs": 2}
        told = CLIENTS["chat"].told(await running.post(CLIENTS["chat"].path, body))
        assert (told.text, told.ended) == ("Yes.", True)
        asked = json.dumps(fake.requests[0].parsed)
        lost = "dropped=logprobs" in told.answer.headers.get("x-suffice-losses", "")
        assert lost == (provider not in ("chat", "responses"))
        assert ("top_logprobs" in asked) == (not lost)


# Another provider of the same dialect.
ELSEWHERE = {"chat": "together", "messages": "minimax", "responses": "xai", "gemini": "google-vertex"}


@pytest.mark.parametrize("client", list(CLIENTS))
@pytest.mark.parametrize("first", list(PROVIDERS))
@pytest.mark.parametrize("second", list(PROVIDERS))
async def test_a_loop_changes_providers_in_the_middle(client: str, first: str, second: str, tmp_path: Path):
    """The second provider gets the call, the result and no state of thinking that another one issued."""
    call = Behaviour(
        text="", reasoning="Look it up.", tool_calls=(ToolCall(name="weather", arguments='{"city":"Oslo"}'),)
    )
    async with (
        FakeProvider(call, models=("m",)) as one,
        FakeProvider(Behaviour(text="Rain."), models=("n",)) as two,
        gateway(two_providers(first, one.base_url, second, two.base_url), tmp_path) as running,
    ):
        speaker = CLIENTS[client]
        told = await ask(running, speaker, "tools", False)
        assert told.calls == [("weather", {"city": "Oslo"})]
        answer = await switched(running, client, second, speaker.history(told, ["It rains."]))
        assert (answer.status, answer.text) == (200, "Rain."), answer.answer
        body = json.dumps(two.requests[0].parsed)
        assert "It rains." in body and "Oslo" in body
        assert not any(state in body for state in ("c2lnbmVk", "ZmFrZS1zdGF0ZQ", "sfx1.", "signed-by"))


def two_providers(first: str, url: str, second: str, other: str) -> str:
    """Two accounts at different providers; where the dialects are one, the second provider is another one of that dialect."""
    toml = f'[aliases]\none = ["{PROVIDERS[first][0]}/m"]\n' + seeing(first) + settings(first, url, "a")
    made = settings(second, other, "b").replace('"m"', '"n"').replace(PROVIDERS[second][0], ELSEWHERE[second])
    if second == "gemini":
        made = made.replace("private", 'region = "us-east1"\nproject = "acme"\nprivate')
    return toml + made


async def switched(running: Gateway, client: str, second: str, body: dict[str, Any]) -> Told:
    """Ask again at the second provider."""
    speaker, model = CLIENTS[client], f"{ELSEWHERE[second]}/n"
    return speaker.told(await running.post(speaker.path.replace("one", model), body | {"model": model}))


# Where the turns of a conversation stand, and how many there are before the first answer.
TURNS = {"chat": ("messages", 2), "messages": ("messages", 1), "gemini": ("contents", 1)}
# The state that each scripted provider issues with its thinking.
STATE = {"messages": "c2lnbmVkLWJ5LXRoZS1mYWtl", "gemini": "c2lnbmVkLWJ5LXRoZS1mYWtl", "responses": "ZmFrZS1zdGF0ZQ=="}


@pytest.mark.parametrize("client", list(CLIENTS))
@pytest.mark.parametrize("first", list(STATE))
@pytest.mark.parametrize("second", ["chat", "messages"])
async def test_state_of_thinking_comes_back_to_its_issuer_alone(client: str, first: str, second: str, tmp_path: Path):
    """A loop goes from one provider to another and back: the first finds its own state again, whatever the client kept."""
    call = ToolCall(name="weather", arguments='{"city":"Oslo"}')
    script = [Behaviour(text="", reasoning="Look it up.", tool_calls=(call,)), Behaviour(text="Rain in both.")]
    other = Behaviour(text="", tool_calls=(ToolCall(name="weather", arguments='{"city":"Rome"}', id="call_of_two"),))
    async with (
        FakeProvider(script, models=("m",)) as one,
        FakeProvider(other, models=("n",)) as two,
        gateway(two_providers(first, one.base_url, second, two.base_url), tmp_path) as running,
    ):
        speaker = CLIENTS[client]
        begun = await ask(running, speaker, "tools", False)
        turns = speaker.history(begun, ["It rains."])
        told = await switched(running, client, second, turns)
        assert told.calls == [("weather", {"city": "Rome"})], told.answer
        again = speaker.history(told, ["It pours."])
        if client in TURNS:
            key, base = TURNS[client]
            again = turns | {key: [*turns[key], *again[key][base:]]}
        answer = speaker.told(await running.post(speaker.path, again | {"model": "one"}))
        assert (answer.status, answer.text) == (200, "Rain in both."), answer.answer
        foreign, own = (json.dumps(request.parsed) for request in (two.requests[0], one.requests[1]))
        assert STATE[first] not in foreign
        assert STATE[first] in own
        assert all(word in own for word in ("Oslo", "Rome", "It rains.", "It pours."))


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("dialect", ["messages", "gemini"])
async def test_what_passed_through_is_remembered_beyond_the_provider_that_answered_last(
    dialect: str, stream: bool, tmp_path: Path
):
    """Client and both providers speak one dialect: the state of the first, unsealed, must not reach the second in any later turn."""
    call = ToolCall(name="weather", arguments='{"city":"Oslo"}')
    thought = Behaviour(text="", reasoning="Look it up.", tool_calls=(call,))
    async with (
        FakeProvider(thought, models=("m",)) as one,
        FakeProvider(Behaviour(text="Rain."), models=("n",)) as two,
        gateway(two_providers(dialect, one.base_url, dialect, two.base_url), tmp_path) as running,
    ):
        speaker, said = CLIENTS[dialect], STATE[dialect]
        told = await ask(running, speaker, "tools", stream)
        assert told.calls == [("weather", {"city": "Oslo"})] and said in told.answer.body.decode()
        body = speaker.body("tools", False)
        if dialect == "messages":
            block = {"type": "thinking", "thinking": "Look it up.", "signature": said}
            use = {"type": "tool_use", "id": told.ids[0], "name": "weather", "input": {"city": "Oslo"}}
            result = {"type": "tool_result", "tool_use_id": told.ids[0], "content": "Rain."}
            body["messages"] += [{"role": "assistant", "content": [block, use]}, {"role": "user", "content": [result]}]
        else:
            use = {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": said}
            result = {"functionResponse": {"name": "weather", "response": {"output": "Rain."}}}
            body["contents"] += [{"role": "model", "parts": [use]}, {"role": "user", "parts": [result]}]
        for _ in range(3):
            assert (await switched(running, dialect, dialect, body)).text == "Rain."
        assert len(two.requests) == 3 and all(said not in json.dumps(request.parsed) for request in two.requests)
        back = speaker.told(await running.post(speaker.path, body | {"model": "one"}))
        assert back.calls and said in json.dumps(one.requests[1].parsed)
