"""CPU of translation: a request of about 30 KB with 10 tools, and chunks of a stream beside the pass-through of the same.

Run: `python -m bench.wire.translation_speed`. Prints medians of process time over several rounds, in milliseconds for a
request and microseconds for a chunk, and the ratio to pass-through for each pair of dialects.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

from suffice.wire import anthropic_messages, openai_chat, translate
from suffice.wire.chat_relay import ChatRelay
from suffice.wire.codec import ClientContext, Emulation, Target
from suffice.wire.neutral import Request

CHAT, MESSAGES = openai_chat.CODEC, anthropic_messages.CODEC
CHUNKS = 2000
WORDS = ["def", " add", "(a", ", b", "):\n", "    return", " a", " + b", "\n"]


def request_body() -> bytes:
    """Return a chat request as an agent sends it: long instructions, 10 tools, some turns with calls."""
    prose = "Read the file before you edit it, and keep the change small. "
    properties = {f"option_{i}": {"type": "string", "description": prose} for i in range(12)}
    schema = {"type": "object", "properties": properties, "required": ["option_1"]}
    tools = [
        {"type": "function", "function": {"name": f"tool_{i}", "description": prose * 8, "parameters": schema}}
        for i in range(10)
    ]
    messages: list[dict[str, object]] = [{"role": "system", "content": prose * 120}, {"role": "user", "content": prose}]
    for i in range(4):
        function = {"name": "tool_1", "arguments": json.dumps({"option_1": "x"})}
        messages.append(
            {"role": "assistant", "tool_calls": [{"id": f"call_{i}", "type": "function", "function": function}]}
        )
        messages.append({"role": "tool", "tool_call_id": f"call_{i}", "content": prose * 5})
    body = {"model": "m", "messages": messages, "tools": tools, "stream": True, "max_tokens": 4000}
    return json.dumps(body).encode()


def chat_stream() -> list[bytes]:
    """Return the chunks of a chat stream, one text delta each."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "some-model-2026"}
    out = []
    for i in range(CHUNKS):
        choice = {"index": 0, "delta": {"content": WORDS[i % len(WORDS)]}, "logprobs": None, "finish_reason": None}
        out.append(b"data: " + json.dumps(head | {"choices": [choice]}, separators=(",", ":")).encode() + b"\n\n")
    return out


def messages_stream() -> list[bytes]:
    """Return the chunks of a Messages stream, one text delta each."""
    out = []
    for i in range(CHUNKS):
        delta = {"type": "text_delta", "text": WORDS[i % len(WORDS)]}
        event = {"type": "content_block_delta", "index": 0, "delta": delta}
        out.append(b"event: content_block_delta\ndata: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n")
    return out


def cpu_s(work: Callable[[], object], rounds: int = 7) -> float:
    """Return the median process time of `work` in seconds."""
    times = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        times.append(time.process_time() - before)
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    body = request_body()
    target = Target(model="x", issuer="p", cache_breakpoints=4)
    for name, codec in (("chat", CHAT), ("messages", MESSAGES)):
        codec_out = codec
        work = lambda c=codec_out: [c.encode_request(CHAT.decode_request(body), target) for _ in range(100)]  # noqa: E731
        print(f"request {len(body)} bytes, chat -> {name}: {cpu_s(work) * 10:.3f} ms")
    chunks = {"chat": chat_stream(), "messages": messages_stream()}

    def relay() -> None:
        reader = ChatRelay()
        for chunk in chunks["chat"]:
            reader.feed(chunk)

    base = cpu_s(relay) / CHUNKS * 1e6
    print(f"stream chat -> chat, passed through: {base:.2f} us per chunk")
    for upstream, provider in (("chat", CHAT), ("messages", MESSAGES)):
        for name, client in (("chat", CHAT), ("messages", MESSAGES)):
            context = ClientContext(request=Request(dialect=name, stream=True), response_id="r")

            def run(p: object = provider, c: object = client, x: ClientContext = context, u: str = upstream) -> None:
                reader = translate.stream(p, c, target, x, Emulation())  # type: ignore[arg-type]
                for chunk in chunks[u]:
                    reader.feed(chunk)

            cost = cpu_s(run) / CHUNKS * 1e6
            print(f"stream {upstream} -> {name}: {cost:.2f} us per chunk, {cost / base:.2f} x")


if __name__ == "__main__":
    main()
