import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import UpstreamError, WireError
from suffice.wire import fim
from suffice.wire.codec import Target
from suffice.wire.fim_client import FimContext
from suffice.wire.fim_relay import FimRelay

TARGET = Target(model="m")


def relay(shape: fim.Shape) -> FimRelay:
    body = b'{"model":"m","prompt":"a","suffix":"b","input_prefix":"a","stream":true}'
    return FimRelay(FimContext(request=fim.decode(shape, body), response_id="r1"), TARGET)


def event(row: object) -> bytes:
    return b"data: " + json.dumps(row).encode() + b"\n\n"


def chat(text: str, finish: str | None = None, **more: object) -> bytes:
    return event({"id": "c", "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": finish}], **more})


MISTRAL = (
    b": hello\n\n"
    + chat("ret")
    + chat("urn é", "stop", usage={"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9})
    + b"data: [DONE]\n\n"
)
LLAMA = event({"content": "ret", "stop": False}) + event(
    {"content": "urn", "stop": True, "stop_type": "eos", "tokens_evaluated": 7, "tokens_predicted": 2, "x": [1]}
)


@pytest.mark.parametrize(
    ("shape", "wire"), [("fim", MISTRAL), ("infill", LLAMA), ("fim", MISTRAL.replace(b"\n", b"\r\n"))]
)
@given(data=st.data())
def test_every_byte_goes_on_at_every_split(shape: fim.Shape, wire: bytes, data: st.DataObject):
    reader = relay(shape)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    pieces = [wire[a:b] for a, b in zip([0, *cuts], [*cuts, len(wire)], strict=True)]
    out = b"".join(reader.feed(piece) for piece in pieces) + reader.close()
    assert out == wire
    assert reader.done and reader.finished and reader.started and reader.failure is None
    usage = reader.usage()
    assert usage is not None and (usage.prompt_tokens, usage.completion_tokens) == (7, 2)
    assert reader.answer().text.startswith("return")
    assert reader.finish_reason == "stop"


@pytest.mark.parametrize(("shape", "wire"), [("fim", MISTRAL.removesuffix(b"data: [DONE]\n\n")), ("infill", LLAMA)])
@given(data=st.data())
def test_a_stream_cut_anywhere_is_not_complete(shape: fim.Shape, wire: bytes, data: st.DataObject):
    whole = wire.rindex(b"data: ")
    reader = relay(shape)
    reader.feed(wire[: data.draw(st.integers(0, whole))])
    with contextlib.suppress(WireError):  # half an event
        reader.close()
    assert not reader.done


def test_llama_cpp_has_no_terminator_so_its_last_piece_ends_the_answer():
    reader = relay("infill")
    reader.feed(LLAMA)
    assert reader.done
    assert reader.keep_alive() == b""


def test_an_error_is_not_passed_on():
    reader = relay("infill")
    assert reader.feed(event({"error": {"message": "no", "code": 501}})) == b""
    assert reader.failure == {"message": "no", "code": 501}
    told = reader.fail(UpstreamError("broken"))
    assert b"error" in told and b"DONE" not in told


def test_what_is_no_json_is_refused():
    with pytest.raises(WireError):
        relay("fim").feed(b"data: {nope\n\n")
    assert relay("fim").quiet is False
