"""The Gemini hold: chunks with calls wait, signatures stay on their calls."""

import json
from typing import Any

from suffice.values.usage import Usage
from suffice.wire.gemini_hold import GeminiHold
from suffice.wire.gemini_relay import GeminiRelay
from suffice.wire.hold import payloads

USAGE = Usage(input_tokens=7, output_tokens=5)


def chunk(*parts: dict[str, Any], finish: str = "", usage: dict[str, Any] | None = None, name: str = "a") -> bytes:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": list(parts)}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    row: dict[str, Any] = {"candidates": [candidate], "modelVersion": f"m-{name}", "responseId": name}
    return b"data: " + json.dumps(row | ({"usageMetadata": usage} if usage else {})).encode() + b"\r\n\r\n"


def call(name: str = "f", **more: Any) -> dict[str, Any]:
    return {"functionCall": {"name": name, "args": {}}, **more}


TEXT = chunk({"text": "hi"})
REPORT = {"promptTokenCount": 1, "candidatesTokenCount": 1, "promptTokensDetails": [{"modality": "TEXT"}]}


def test_text_flows_and_from_the_first_call_on_everything_waits() -> None:
    hold = GeminiHold()
    empty = chunk({"text": ""})
    quoting = chunk({"text": '"functionCall": {'})
    assert hold.feed(empty) == b""
    assert hold.feed(TEXT) == empty + TEXT
    assert hold.feed(quoting) == quoting
    rest = chunk(call()) + chunk({"text": "more"}, finish="STOP")
    assert hold.feed(rest) == b""
    assert (hold.held, hold.holding, hold.spoke) == (rest, True, True)


def test_the_end_waits_too() -> None:
    hold = GeminiHold()
    end = chunk({"text": ""}, finish="STOP", usage=REPORT)
    assert hold.feed(TEXT + end) == TEXT
    assert (hold.held, hold.holding) == (end, False)


def test_another_answers_calls_follow_with_their_signatures_and_without_its_words() -> None:
    hold = GeminiHold()
    out = hold.feed(TEXT + chunk(call("wrong")))
    other = chunk({"text": "thought", "thought": True}, {"text": "prose"}, call(thoughtSignature="s"), name="b")
    other += chunk({"text": ""}, finish="STOP", usage=REPORT, name="b")
    out += hold.replaced(other, USAGE)
    relay = GeminiRelay()
    relay.feed(out)
    read = relay.answer()
    assert relay.done and relay.usage() == USAGE
    assert (read.text, read.reasoning, [name for _, name, _ in read.tool_calls]) == ("hi", "", ["f"])
    rows = [json.loads(one) for one in payloads(out)]
    assert {row["responseId"] for row in rows} == {"a"} and rows[-1]["modelVersion"] == "m-b"
    assert '"thoughtSignature":"s"' in out.decode() and "Details" not in json.dumps(rows[-1])


def test_without_visible_text_the_other_answer_is_given_whole() -> None:
    hold = GeminiHold()
    hold.feed(chunk(call("wrong")))
    out = hold.replaced(chunk({"text": "prose"}, name="b") + chunk(finish="STOP", usage=REPORT, name="b"), USAGE)
    relay = GeminiRelay()
    relay.feed(out)
    assert (relay.answer().text, relay.usage()) == ("prose", USAGE)
