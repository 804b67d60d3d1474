import json

from suffice.testing import infill
from suffice.testing.chat import Identity
from suffice.testing.script import Behaviour, Call, Frames

IDENTITY = Identity("fake-1", 0, "m")


def call(**body: object) -> Call:
    data = json.dumps(body).encode()
    return Call(method="POST", path="/infill", model="m", body=data, parsed=body, stream=bool(body.get("stream")))


def test_a_stream_says_what_the_whole_answer_says_and_ends_with_stop():
    behaviour = Behaviour(text="return a + b", prompt_tokens=50, cached_tokens=20)
    whole = json.loads(infill.body(behaviour, call(), IDENTITY))
    rows = [json.loads(chunk.payload) for chunk in infill.stream(behaviour, call(stream=True), IDENTITY)]
    assert "".join(row["content"] for row in rows) == whole["content"] == "return a + b"
    assert [row["stop"] for row in rows] == [False] * (len(rows) - 1) + [True]
    assert whole["timings"]["prompt_n"] == 30
    assert rows[-1]["tokens_predicted"] == whole["tokens_predicted"] == 3


def test_a_stream_without_end_has_no_stop():
    cut = Behaviour(text="abcdefgh", frames=Frames(no_terminal=True))
    assert [json.loads(c.payload)["stop"] for c in infill.stream(cut, call(stream=True), IDENTITY)] == [False, False]
