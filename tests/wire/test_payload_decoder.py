from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.frames import Frames
from suffice.wire.neutral import Event, TextDelta
from suffice.wire.payload_decoder import PayloadDecoder


class Words(PayloadDecoder):
    """A dialect in which a payload is a word; the end of the bytes says so."""

    def _payload(self, payload: bytes, out: list[Event]) -> None:
        out.append(TextDelta(text=payload.decode()))

    def _at_end(self, out: list[Event]) -> None:
        out.append(TextDelta(text="end"))


@given(st.lists(st.text("abc", min_size=1, max_size=5), max_size=6), st.integers(1, 9), st.booleans())
def test_every_payload_is_read_once_in_order_however_the_bytes_are_split(words: list[str], step: int, cut: bool):
    stream = b"".join(b"data: " + word.encode() + b"\n\n" for word in words)
    if cut:
        stream = stream.removesuffix(b"\n\n")
    decoder = Words(Frames())
    seen: list[Event] = []
    for at in range(0, len(stream), step):
        seen += decoder.feed(stream[at : at + step])
    seen += decoder.close()
    assert [event.text for event in seen if isinstance(event, TextDelta)] == [*words, "end"]
