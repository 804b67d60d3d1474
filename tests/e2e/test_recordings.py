"""Every recorded answer of a real provider goes through the codec of its provider: text, tools and usage add up."""

from __future__ import annotations

from collections import Counter

import pytest
from tests.e2e import recordings
from tests.e2e.recordings import READERS, Recording

from suffice.catalog.load import load as load_catalog
from suffice.catalog.models import Model
from suffice.gateway.translation import PROVIDERS, target_of
from suffice.wire.codec import Emulation
from suffice.wire.translate import Pump

pytestmark = pytest.mark.skipif(
    recordings.ARCHIVE is None,
    reason="the recordings are not here: set SUFFICE_SHARED to the folder that holds fixtures/",
)
CATALOG = load_catalog()


def read(recording: Recording, size: int = 0) -> Pump:
    """Return what the provider's codec makes of a recording that comes in pieces of `size` bytes."""
    codec, row = PROVIDERS[recording.dialect], CATALOG.provider(recording.provider)
    model = Model(id=f"{recording.provider}/m", provider=recording.provider, name="m")
    target = target_of(row, model, recording.dialect, limit=0, session_key="")
    pump, data = Pump(Emulation()), recording.wire()
    if not recording.stream:
        pump.push(codec.decode_response(data, target))
        return pump
    decoder = codec.stream_decoder(target)
    for at in range(0, len(data), size or len(data)):
        pump.push(decoder.feed(data[at : at + (size or len(data))]))
    pump.push(decoder.close())
    return pump


def test_text_tools_and_usage_add_up():
    seen: Counter[str] = Counter()
    wrong = []
    for recording in recordings.load():
        pump = read(recording)
        if recording.broken:
            # An answer that begins anew inside a call goes on with the second try alone.
            assert pump.done == ("spliced" in recording.name), recording.name
            assert [call.id for call in pump.calls] == ["toolu_second"] * pump.done
            continue
        said, answer, usage = READERS[recording.dialect](recording.rows), pump.answer(), pump.usage()
        if not pump.done or (usage is None and said.prompt + said.output):
            wrong.append((recording.name, "done", pump.done, pump.failure, usage))
            continue
        seen[recording.provider] += 1
        found = (answer.text.strip(), tuple(name for _, name, _ in answer.tool_calls))
        if found != (said.text.strip(), said.tools):
            wrong.append((recording.name, "said", found, said))
        counted = (usage.prompt_tokens, usage.completion_tokens, usage.suspect) if usage else (0, 0, False)
        if counted != (said.prompt, said.output, False):
            wrong.append((recording.name, "usage", usage, said))
    assert wrong == []
    assert len(seen) == 15 and sum(seen.values()) > 250, seen


@pytest.mark.parametrize("size", [1, 61])
def test_pieces_make_no_difference(size: int):
    for recording in recordings.load():
        if recording.stream and len(recording.wire()) < 30_000:
            whole, cut = read(recording), read(recording, size)
            assert (cut.answer(), cut.usage(), cut.done) == (whole.answer(), whole.usage(), whole.done), recording.name
