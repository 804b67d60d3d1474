import json
from typing import Any

import pytest

from suffice.errors import RequestError
from suffice.gateway.responses_compact import compact, input_tokens
from suffice.values.system_env import SystemEnv
from suffice.wire.neutral import Reasoning, Text
from suffice.wire.responses_request import decode_request
from suffice.wire.sealed import HmacSealer

SEALER = HmacSealer(b"0123456789abcdef")
ITEMS: list[dict[str, Any]] = [
    {"role": "developer", "content": "Rules."},
    {"role": "user", "content": "We launch on Tuesday."},
    {"type": "function_call", "call_id": "c", "name": "run", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c", "output": "x" * 5000},
    {"role": "assistant", "content": "Understood."},
]


def run(items: Any, **more: Any) -> dict[str, Any]:
    body = json.dumps({"model": "m", "input": items, **more}).encode()
    return compact(body, SEALER, SystemEnv())


def test_a_compaction_keeps_rules_and_can_be_continued() -> None:
    made = run(ITEMS)
    assert made["object"] == "response.compaction"
    assert [item["type"] for item in made["output"]] == ["message", "compaction"]
    assert made["output"][0]["role"] == "developer"
    assert made["usage"]["total_tokens"] == 0
    body = json.dumps({"input": [*made["output"], {"role": "user", "content": "When?"}]}).encode()
    request = decode_request(body, SEALER)
    assert request.system[0].parts == (Text(text="Rules."),)
    (text,) = request.messages[0].parts
    assert isinstance(text, Text)
    assert "USER: We launch on Tuesday." in text.text
    assert "TOOL CALL run (c)" in text.text
    assert "[...]" in text.text
    assert len(text.text) < 2000


def test_a_long_history_keeps_its_beginning_and_its_end() -> None:
    items = [{"role": "user", "content": f"message {n} " + "x" * 1000} for n in range(200)]
    made = compact(json.dumps({"model": "m", "input": items}).encode(), SEALER, SystemEnv(), budget_chars=10_000)
    opened = SEALER.unseal(made["output"][-1]["encrypted_content"])
    assert opened is not None
    assert "message 0 " in opened.text
    assert "message 199 " in opened.text
    assert "entries left out here" in opened.text
    assert len(opened.text) < 11_000


def test_the_model_is_required() -> None:
    with pytest.raises(RequestError) as caught:
        compact(b'{"input":"x"}', SEALER, SystemEnv())
    assert (caught.value.status, caught.value.param) == (400, "model")


def test_reasoning_and_compaction_cannot_stand_for_each_other() -> None:
    state = run(ITEMS)["output"][-1]["encrypted_content"]
    request = decode_request(
        json.dumps({"input": [{"type": "reasoning", "summary": [], "encrypted_content": state}]}).encode(), SEALER
    )
    (block,) = request.messages[0].parts
    assert isinstance(block, Reasoning)
    assert block.text == ""
    thought = SEALER.seal(Reasoning(text="t", issuer="openai"))
    request = decode_request(
        json.dumps({"input": [{"type": "compaction", "encrypted_content": thought}]}).encode(), SEALER
    )
    assert not any(isinstance(part, Text) for message in request.messages for part in message.parts)


def test_tokens_of_everything_are_counted() -> None:
    tools = [{"type": "function", "name": "run", "parameters": {"type": "object"}}]
    body = json.dumps({"input": ITEMS, "tools": tools, "instructions": "Be brief."}).encode()
    seen: list[str] = []

    def estimate(text: str) -> int:
        seen.append(text)
        return len(text) // 4

    counted = input_tokens(body, SEALER, estimate)
    assert counted == {"object": "response.input_tokens", "input_tokens": len(seen[0]) // 4}
    for piece in ("Rules.", "Tuesday", "x" * 5000, '"run"', "Be brief."):
        assert piece in seen[0]
