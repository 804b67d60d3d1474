import json

from suffice.wire.codec import ClientContext
from suffice.wire.neutral import (
    Done,
    Failure,
    OpaqueBlock,
    Reasoning,
    ReasoningDelta,
    ReasoningEnd,
    RefusalDelta,
    Start,
    Stop,
    TextDelta,
    ToolCall,
    ToolReady,
)
from suffice.wire.responses_request import decode_request
from suffice.wire.responses_stream import StreamEncoder
from suffice.wire.sealed import HmacSealer

SEALER = HmacSealer(b"0123456789abcdef")


def run(events: list[object], **body: object) -> tuple[StreamEncoder, list[dict[str, object]]]:
    request = decode_request(json.dumps({"input": "x", **body}).encode(), SEALER)
    encoder = StreamEncoder(ClientContext(request=request, response_id="resp_a"), SEALER)
    wire = b"".join(encoder.feed(event) for event in events)
    return encoder, [json.loads(block.partition(b"data: ")[2]) for block in wire.split(b"\n\n") if block]


END = [Stop(reason="end"), Done()]


def test_reasoning_state_is_sealed_and_shown_only_when_asked_for() -> None:
    events = [ReasoningDelta(text="t", issuer="anthropic"), ReasoningEnd(signature="S", issuer="anthropic"), *END]
    encoder, told = run(events)
    assert "encrypted_content" not in json.dumps(told)
    block = Reasoning(text="t", signature="S", issuer="anthropic")
    assert SEALER.unseal(encoder.carried[0]["encrypted_content"]) == block
    encoder, told = run(events, include=["reasoning.encrypted_content"])
    assert encoder.response["output"] == encoder.carried == told[-1]["response"]["output"]
    assert SEALER.unseal(encoder.carried[0]["encrypted_content"]) == block


def test_hidden_thinking_is_an_item_without_summary() -> None:
    encoder, _ = run([ReasoningEnd(encrypted="E", issuer="x"), ReasoningEnd(), TextDelta(text="a"), *END])
    assert [item["type"] for item in encoder.carried] == ["reasoning", "message"]
    assert encoder.carried[0]["summary"] == []


def test_text_and_refusal_are_parts_of_one_message() -> None:
    encoder, told = run([TextDelta(text="a", logprobs=[{"token": "a"}]), RefusalDelta(text="no"), *END])
    (message,) = encoder.response["output"]
    assert [part["type"] for part in message["content"]] == ["output_text", "refusal"]
    assert message["content"][0]["logprobs"] == [{"token": "a"}]
    assert [e["content_index"] for e in told if "content_index" in e] == [0, 0, 0, 0, 1, 1, 1, 1]
    assert [e["type"] for e in told].count("response.output_item.added") == 1


def test_namespaces_and_searches_come_back_as_the_client_knows_them() -> None:
    tools = [{"type": "tool_search", "execution": "client", "parameters": {}}]
    calls = [
        ToolReady(index=0, call=ToolCall(id="c0", name="go", namespace="ns")),
        ToolReady(index=1, call=ToolCall(id="c1", name="tool_search", arguments='{"query":"q"}')),
        ToolReady(index=2, call=ToolCall(id="c2", name="p", kind="custom")),
    ]
    encoder, told = run([Start(), *calls, *END], tools=tools)
    first, second, third = encoder.response["output"]
    assert (first["name"], first["namespace"], first["arguments"]) == ("go", "ns", "{}")
    assert (second["type"], second["arguments"], second["call_id"]) == ("tool_search_call", {"query": "q"}, "c1")
    assert (third["type"], third["input"]) == ("custom_tool_call", "")
    assert len({item["id"] for item in encoder.response["output"]}) == 3
    assert [e["item"] for e in told if e["type"] == "response.output_item.done"] == encoder.response["output"]


def test_blocks_of_other_dialects_are_passed_over() -> None:
    encoder, _ = run(
        [OpaqueBlock(dialect="messages", value={"a": 1}), OpaqueBlock(dialect="responses", value={"type": "x"}), *END]
    )
    assert encoder.response["output"] == [{"type": "x"}]


def test_a_failure_of_the_provider_is_the_end() -> None:
    encoder, told = run([Failure(message="m", code="c"), *END])
    assert [e["type"] for e in told] == ["response.created", "response.in_progress", "error", "response.failed"]
    assert encoder.response["status"] == "failed"


def test_an_empty_answer_is_complete() -> None:
    encoder, told = run(END)
    assert told[-1]["type"] == "response.completed"
    assert encoder.response["output"] == []
    assert encoder.keep_alive() == b""


def test_thinking_is_shown_to_those_who_asked_for_a_summary() -> None:
    events = [ReasoningDelta(text="t", issuer="x"), ReasoningDelta(text="u", issuer="x"), TextDelta(text="a"), *END]
    encoder, told = run(events)
    assert "summary_text" not in json.dumps(told)
    assert SEALER.unseal(encoder.carried[0]["encrypted_content"]) == Reasoning(text="tu", issuer="x")
    encoder, told = run(events, reasoning={"effort": "low", "summary": "auto"})
    assert [e["delta"] for e in told if e["type"] == "response.reasoning_summary_text.delta"] == ["t", "u"]
    assert encoder.response["output"][0]["summary"] == [{"type": "summary_text", "text": "tu"}]
