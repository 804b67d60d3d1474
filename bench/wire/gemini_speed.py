"""CPU of the Gemini codec beside its relay, of other provider codecs, and of the token estimator.

Run: `python -m bench.wire.gemini_speed`. Prints medians of process time: milliseconds for a request of about 29 KB with 10
tools, microseconds for a chunk of a stream, megabytes a second for the estimator.
"""

from __future__ import annotations

import json
from pathlib import Path

from bench.wire.translation_speed import CHAT, CHUNKS, WORDS, cpu_s, request_body

from suffice.wire import bedrock_converse, cohere, gemini, translate
from suffice.wire.codec import ClientContext, Emulation, Target
from suffice.wire.gemini_relay import GeminiRelay
from suffice.wire.neutral import Request
from suffice.wire.tokens import Estimator

TARGET = Target(model="gemini-3-flash", issuer="p")


def gemini_stream() -> list[bytes]:
    """Return the chunks of a Gemini stream, one piece of text and a usage report each."""
    out = []
    for i in range(CHUNKS):
        content = {"parts": [{"text": WORDS[i % len(WORDS)]}], "role": "model"}
        report = {"promptTokenCount": 9, "candidatesTokenCount": i + 1, "totalTokenCount": 10 + i}
        row = {"candidates": [{"content": content, "index": 0}], "usageMetadata": report, "responseId": "x"}
        out.append(b"data: " + json.dumps(row, separators=(",", ":")).encode() + b"\r\n\r\n")
    return out


def main() -> None:
    """Print the table."""
    body = request_body()
    codecs = {"gemini": gemini.CODEC, "converse": bedrock_converse.CODEC, "cohere": cohere.CODEC, "chat": CHAT}
    for name, codec in codecs.items():
        cost = cpu_s(lambda c=codec: [c.encode_request(CHAT.decode_request(body), TARGET) for _ in range(100)])  # type: ignore[misc]
        print(f"request {len(body)} bytes, chat -> {name}: {cost * 10:.3f} ms")
    chunks = gemini_stream()

    def relay() -> None:
        reader = GeminiRelay()
        for chunk in chunks:
            reader.feed(chunk)

    base = cpu_s(relay) / CHUNKS * 1e6
    print(f"stream gemini -> gemini, passed through: {base:.2f} us per chunk")
    for name in ("chat", "gemini"):
        context = ClientContext(request=Request(dialect=name, stream=True), response_id="r")

        def run(client: str = name, context: ClientContext = context) -> None:
            reader = translate.stream(gemini.CODEC, codecs[client], TARGET, context, Emulation())  # type: ignore[arg-type]
            for chunk in chunks:
                reader.feed(chunk)

        cost = cpu_s(run) / CHUNKS * 1e6
        print(f"stream gemini -> {name}: {cost:.2f} us per chunk, {cost / base:.2f} x")
    estimator = Estimator()
    code = Path(__file__).read_bytes() * 200
    for kind, data in (("agent request", body * 30), ("Python code", code)):
        speed = len(data) / cpu_s(lambda d=data: estimator.estimate(d, "o200k")) / 1e6  # type: ignore[misc]
        print(f"token estimate, {kind}: {speed:.0f} MB/s")


if __name__ == "__main__":
    main()
