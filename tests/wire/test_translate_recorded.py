"""Streams that real providers sent, replayed as upstream into every client dialect. Data only, outside of the repository.

Recordings of Gemini, Bedrock and Cohere are replayed by the tests of their codecs.
"""

import os
import re
import tarfile
from pathlib import Path

import pytest

from suffice.wire import anthropic_messages, gemini, openai_chat, translate
from suffice.wire.codec import ClientContext, Emulation, Target
from suffice.wire.neutral import Request
from suffice.wire.openai_responses import OpenAIResponses
from suffice.wire.sealed import HmacSealer

NAME = "fixtures/recorded_provider_streams.tar.gz"
PLACES = [os.environ.get("SUFFICE_SHARED"), Path(__file__).resolve().parents[3] / "shared"]
ARCHIVE = next((p for place in PLACES if place and (p := Path(place) / NAME).exists()), None)
CHAT, MESSAGES = openai_chat.CODEC, anthropic_messages.CODEC
RESPONSES, GEMINI = OpenAIResponses(HmacSealer(b"0123456789abcdef")), gemini.CODEC
CLIENTS = pytest.mark.parametrize("client", [CHAT, MESSAGES, RESPONSES, GEMINI], ids=lambda codec: codec.dialect)
END = re.compile(rb'"type":"message_stop"|"finish_reason":"|"type":"response\.(completed|incomplete|failed)"')
CHAT_MAKERS = ("mistral", "groq", "deepseek", "alibaba", "moonshotai", "xai", "openai-compatible", "openai/src/chat")


def speaks(path):
    """Return the codec of a recording, or None when it is of another dialect (or no recording of an answer)."""
    maker = path.removeprefix("packages/")
    if "skills" in path or "error" in path or "parallel-tool-call-wrapper" in path:  # the last is not in lines of JSON
        return None
    if "responses" in path:
        return RESPONSES
    if maker.startswith("anthropic/"):
        return MESSAGES
    return CHAT if maker.startswith(CHAT_MAKERS) else None


@pytest.fixture(scope="module")
def recordings():
    if ARCHIVE is None:
        pytest.skip(
            "the recorded provider streams are not here (set SUFFICE_SHARED to the folder that holds fixtures/)"
        )
    with tarfile.open(ARCHIVE) as archive:
        rows = []
        for member in archive:
            name = member.name.removeprefix("./")
            file = archive.extractfile(member)
            if file is not None and (codec := speaks(name)) is not None:
                rows.append((name, codec, file.read()))
    return rows


def counted(name, usage):
    """Tell whether the usage is there and sound; one recording has none."""
    return usage is None if "programmatic-tool-calling.2" in name else usage is not None and not usage.suspect


def context(dialect):
    request = Request(dialect=dialect, model="m", stream=True)
    return ClientContext(request=request, response_id="r", created_s=1)


@CLIENTS
def test_recorded_streams(recordings, client):
    seen = 0
    for name, provider, data in recordings:
        if not name.endswith(".chunks.txt"):
            continue
        frames = [b"data: " + line + b"\n\n" for line in data.split(b"\n") if line.strip()]
        stop = b"data: [DONE]\n\n" if provider is CHAT else b""
        reader = translate.stream(provider, client, Target(model="m", issuer="p"), context(client.dialect), Emulation())
        out = b"".join(reader.feed(frame) for frame in frames) + reader.feed(stop) + reader.close()
        assert reader.done and reader.failure is None, name
        assert counted(name, reader.usage()), name
        again = translate.stream(client, client, Target(model="m"), context(client.dialect), Emulation())
        again.feed(out)
        assert again.answer().text == reader.answer().text, name
        shown, made = again.answer().tool_calls, reader.answer().tool_calls
        if provider is RESPONSES:  # custom tools and namespaces are written as functions where a dialect lacks them
            shown, made = [call[0] for call in shown], [call[0] for call in made]
        assert shown == made, name
        ends = next(i for i, frame in enumerate(frames) if END.search(frame))
        cut = translate.stream(provider, client, Target(model="m"), context(client.dialect), Emulation())
        for frame in frames[:ends]:
            cut.feed(frame)
        cut.close()
        assert not cut.done, name
        seen += 1
    assert seen > 40


@CLIENTS
def test_recorded_whole_answers(recordings, client):
    seen = 0
    for name, provider, data in recordings:
        if name.endswith(".json"):
            target = Target(model="m", issuer="p")
            body, failure, pump = translate.whole(provider, client, data, target, context(client.dialect), Emulation())
            assert body and failure is None and counted(name, pump.usage()), name
            seen += 1
    assert seen > 40
