"""Streams that real providers sent, replayed as upstream into every client dialect. Data only, outside of the repository."""

import os
import re
import tarfile
from pathlib import Path

import pytest

from suffice.wire import anthropic_messages, openai_chat, translate
from suffice.wire.codec import ClientContext, Emulation, Target
from suffice.wire.neutral import Request

NAME = "fixtures/recorded_provider_streams.tar.gz"
PLACES = [os.environ.get("SUFFICE_SHARED"), Path(__file__).resolve().parents[3] / "shared"]
ARCHIVE = next((p for place in PLACES if place and (p := Path(place) / NAME).exists()), None)
CHAT, MESSAGES = openai_chat.CODEC, anthropic_messages.CODEC
END = re.compile(rb'"type":"message_stop"|"finish_reason":"')
CHAT_MAKERS = ("mistral", "groq", "deepseek", "alibaba", "moonshotai", "xai", "openai-compatible", "openai/src/chat")


def speaks(path):
    """Return the codec of a recording, or None when it is of another dialect (or no recording of an answer)."""
    maker = path.removeprefix("packages/")
    if "skills" in path or "error" in path or "responses" in path:
        return None
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


def context(dialect):
    request = Request(dialect=dialect, model="m", stream=True)
    return ClientContext(request=request, response_id="r", created_s=1)


@pytest.mark.parametrize("client", [CHAT, MESSAGES], ids=["chat", "messages"])
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
        assert reader.usage() is not None and not reader.usage().suspect, name
        again = translate.stream(client, client, Target(model="m"), context(client.dialect), Emulation())
        again.feed(out)
        assert (again.answer().text, again.answer().tool_calls) == (reader.answer().text, reader.answer().tool_calls), (
            name
        )
        ends = next(i for i, frame in enumerate(frames) if END.search(frame))
        cut = translate.stream(provider, client, Target(model="m"), context(client.dialect), Emulation())
        for frame in frames[:ends]:
            cut.feed(frame)
        cut.close()
        assert not cut.done, name
        seen += 1
    assert seen > 40


@pytest.mark.parametrize("client", [CHAT, MESSAGES], ids=["chat", "messages"])
def test_recorded_whole_answers(recordings, client):
    seen = 0
    for name, provider, data in recordings:
        if name.endswith(".json"):
            target = Target(model="m", issuer="p")
            body, failure, pump = translate.whole(provider, client, data, target, context(client.dialect), Emulation())
            assert body and failure is None and pump.usage() and not pump.usage().suspect, name
            seen += 1
    assert seen > 40
