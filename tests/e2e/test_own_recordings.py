"""Answers in the documented shape of each provider, kept in `recorded/`: read whole, at every split, at every cut, and passed on.

They were written by hand (the binary ones packed by `wire.eventstream`) for the providers and forms of which nobody else's recordings
may be had; `said.json` says what each one means. Every provider of the catalogue that is spoken to in chat has one or is in the
recordings of others (`test_recordings.py`).
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from suffice.catalog.load import load as load_catalog
from suffice.catalog.models import Model
from suffice.errors import WireError
from suffice.gateway.translation import PROVIDERS, target_of
from suffice.wire import messages_relay
from suffice.wire.chat_relay import ChatRelay
from suffice.wire.codec import Emulation
from suffice.wire.gemini_relay import GeminiRelay
from suffice.wire.responses_relay import ResponsesRelay
from suffice.wire.translate import Pump

HERE = Path(__file__).parent / "recorded"
SAID: dict[str, dict[str, Any]] = json.loads((HERE / "said.json").read_text())
CATALOG = load_catalog()
RELAYS: dict[str, Any] = {
    "chat": ChatRelay,
    "messages": messages_relay.MessagesRelay,
    "vertex-messages": messages_relay.MessagesRelay,
    "responses": ResponsesRelay,
    "gemini": GeminiRelay,
}
GOOD = [name for name, row in SAID.items() if "failed" not in row]
STREAMS = [name for name, row in SAID.items() if row["stream"]]


def wire(name: str) -> bytes:
    """The bytes as the provider sends them."""
    data = (HERE / name).read_bytes()
    return base64.decodebytes(data) if name.endswith(".b64") else data


def read(name: str, data: bytes, size: int = 0) -> Pump:
    """What the provider's codec makes of `data` in pieces of `size` bytes."""
    row = SAID[name]
    provider = CATALOG.provider(row["provider"])
    assert provider is not None
    model = Model(id=f"{provider.id}/m", provider=provider.id, name="m")
    target = target_of(provider, model, row["dialect"], limit=0, session_key="")
    pump, codec = Pump(Emulation()), PROVIDERS[row["dialect"]]
    if not row["stream"]:
        pump.push(codec.decode_response(data, target))
        return pump
    decoder, step = codec.stream_decoder(target), size or len(data) or 1
    for at in range(0, len(data), step):
        pump.push(decoder.feed(data[at : at + step]))
    pump.push(decoder.close())
    return pump


def meaning(pump: Pump) -> tuple[Any, ...]:
    answer, usage = pump.answer(), pump.usage()
    tools = [[name, json.loads(given)] for _, name, given in answer.tool_calls]
    counted = (
        (usage.prompt_tokens, usage.completion_tokens, usage.cache_read_tokens, usage.stated_nano) if usage else ()
    )
    return answer.text, answer.reasoning.strip(), tools, answer.finish_reason, counted, pump.done


@pytest.mark.parametrize("name", GOOD)
def test_an_answer_is_understood_whole_and_at_every_split(name: str):
    row, data = SAID[name], wire(name)
    counts = (row["prompt"], row["output"], row.get("cached", 0), row.get("stated"))
    expected = (row.get("text", ""), row.get("thought", ""), row.get("tools", []), row["stop"], counts, True)
    assert meaning(read(name, data)) == expected
    usage = read(name, data).usage()
    assert usage is not None and not usage.suspect
    for size in (1, 7, 61) if row["stream"] else ():
        assert meaning(read(name, data, size)) == expected


@pytest.mark.parametrize("name", [name for name, row in SAID.items() if "failed" in row])
def test_a_failure_is_told_and_nothing_finished(name: str):
    pump = read(name, wire(name))
    assert pump.failure is not None and pump.failure.message == SAID[name]["failed"]
    assert not pump.done and pump.answer().text == SAID[name].get("text", "")


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_cut_anywhere_is_no_success_and_shows_no_call(name: str):
    data, row = wire(name), SAID[name]
    whole = "failed" not in row
    for at in range(len(data)):
        try:
            pump = read(name, data[:at])
        except WireError:
            continue
        if pump.done:
            # Only where the provider has already said why it stopped: usage and a terminator may still be missing.
            assert whole and meaning(pump)[:4] == meaning(read(name, data))[:4], at


@pytest.mark.parametrize("name", [name for name in GOOD if SAID[name]["stream"] and SAID[name]["dialect"] in RELAYS])
@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_the_same_dialect_is_passed_on_and_counted_alike(name: str, size: int):
    data, relay = wire(name), RELAYS[SAID[name]["dialect"]]()
    out = b"".join(relay.feed(data[at : at + size]) for at in range(0, len(data), size)) + relay.close()
    assert relay.finished and relay.failure is None and out
    told, usage = relay.usage(), read(name, data).usage()
    assert told == usage
    answer = relay.answer()
    assert [[n, json.loads(a)] for _, n, a in answer.tool_calls] == SAID[name].get("tools", [])


def test_every_provider_of_chat_has_a_recording_or_is_in_those_of_others():
    others = {
        "alibaba-dashscope", "azure-openai", "cohere", "deepseek", "groq", "mistral", "moonshot", "openai", "xai", "anthropic",
        "google-gemini",
    }  # fmt: skip
    own = {row["provider"] for row in SAID.values()}
    assert {provider.id for provider in CATALOG.providers()} <= own | others
