"""CPU of translation between all four dialects: requests in milliseconds, streams as ratios to the pass-through of the same stream.

Run: `python -m bench.wire.matrix_speed [--json FILE]`. A request of 31 KB with 10 tools is decoded from the client's dialect and
encoded for the provider's. A chunk of a translated stream is compared with a chunk of the same upstream stream passed on by the
relay of its dialect. Medians of process time; the two of a ratio are measured in turn, so that a busy machine slows both.
Bounds (docs/dialects.md): 0.5 ms, 2 x.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.wire.gemini_speed import gemini_stream
from bench.wire.translation_speed import CHAT, CHUNKS, WORDS, chat_stream, messages_stream, request_body

from suffice.wire import anthropic_messages, gemini, translate
from suffice.wire.chat_relay import ChatRelay
from suffice.wire.codec import ClientContext, Emulation, Target
from suffice.wire.gemini_relay import GeminiRelay
from suffice.wire.messages_relay import MessagesRelay
from suffice.wire.neutral import Request
from suffice.wire.openai_responses import OpenAIResponses
from suffice.wire.responses_relay import ResponsesRelay
from suffice.wire.sealed import HmacSealer

CODECS: dict[str, Any] = {
    "chat": CHAT,
    "messages": anthropic_messages.CODEC,
    "responses": OpenAIResponses(HmacSealer(b"0123456789abcdef")),
    "gemini": gemini.CODEC,
}
RELAYS: dict[str, Any] = {
    "chat": ChatRelay,
    "messages": MessagesRelay,
    "responses": ResponsesRelay,
    "gemini": GeminiRelay,
}
TARGET = Target(model="m", issuer="p", cache_breakpoints=4)
ROUNDS, REQUESTS = 9, 40
BYTES = 31_000


def responses_stream() -> list[bytes]:
    """Return the chunks of a Responses stream, one text delta each."""
    out = []
    for i in range(CHUNKS):
        event = {"type": "response.output_text.delta", "sequence_number": i + 4, "item_id": "msg_1", "output_index": 0}
        event |= {"content_index": 0, "delta": WORDS[i % len(WORDS)], "logprobs": []}
        out.append(
            b"event: response.output_text.delta\ndata: " + json.dumps(event, separators=(",", ":")).encode() + b"\n\n"
        )
    return out


STREAMS: dict[str, Callable[[], list[bytes]]] = {
    "chat": chat_stream,
    "messages": messages_stream,
    "responses": responses_stream,
    "gemini": gemini_stream,
}


def bodies() -> dict[str, bytes]:
    """Return one and the same request of 31 KB in every dialect, as its clients write it."""
    whole = json.loads(request_body())
    whole["messages"][0]["content"] += " " + "Keep it small. " * ((BYTES - len(request_body())) // 15)
    chat = json.dumps(whole).encode()
    request = CHAT.decode_request(chat)
    return {"chat": chat} | {d: CODECS[d].encode_request(request, TARGET).body for d in CODECS if d != "chat"}


def process_s(work: Callable[[], object]) -> float:
    """Return the process time of one call in seconds."""
    before = time.process_time()
    work()
    return time.process_time() - before


def requests_ms() -> dict[str, float]:
    """Return milliseconds of CPU per request for each pair."""
    found = {}
    for a, body in bodies().items():
        for b in CODECS:
            work = _translation(a, b, body)
            work()
            found[f"{a} to {b}"] = statistics.median(process_s(work) for _ in range(ROUNDS)) / REQUESTS * 1e3
    return found


def _translation(a: str, b: str, body: bytes) -> Callable[[], object]:
    decode, encode = CODECS[a].decode_request, CODECS[b].encode_request
    return lambda: [encode(decode(body), TARGET) for _ in range(REQUESTS)]


def streams() -> dict[str, tuple[float, float]]:
    """Return for each pair (microseconds of CPU per translated chunk, ratio to the passed-on chunk of the same stream)."""
    found = {}
    for a in STREAMS:
        chunks = STREAMS[a]()
        passed, plain = _passing(a, chunks), {b: _reading(a, b, chunks) for b in CODECS}
        ratios: dict[str, list[tuple[float, float]]] = {b: [] for b in CODECS}
        for _ in range(ROUNDS):
            base = process_s(passed)
            for b, work in plain.items():
                own = process_s(work)
                ratios[b].append((own / CHUNKS * 1e6, own / base))
        for b, rows in ratios.items():
            found[f"{a} to {b}"] = (statistics.median(r[0] for r in rows), statistics.median(r[1] for r in rows))
    return found


def _passing(a: str, chunks: list[bytes]) -> Callable[[], object]:
    def work() -> None:
        reader = RELAYS[a]()
        for chunk in chunks:
            reader.feed(chunk)

    return work


def _reading(a: str, b: str, chunks: list[bytes]) -> Callable[[], object]:
    context = ClientContext(request=Request(dialect=b, stream=True), response_id="r")

    def work() -> None:
        reader = translate.stream(CODECS[a], CODECS[b], TARGET, context, Emulation())
        for chunk in chunks:
            reader.feed(chunk)

    return work


def main() -> None:
    """Print the tables; write them with --json."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    chosen = parser.parse_args()
    asked, told = requests_ms(), streams()
    print(f"requests of {len(bodies()['chat']):,} bytes with 10 tools, ms of CPU (bound 0.5)")
    for pair, cost in asked.items():
        print(f"  {pair}: {cost:.3f}")
    print("streams, us of CPU per chunk and ratio to pass-through of the same stream (bound 2)")
    for pair, (cost, ratio) in told.items():
        print(f"  {pair}: {cost:.2f} us, {ratio:.2f} x")
    if chosen.json:
        rows = {pair: {"us_per_chunk": round(c, 2), "ratio": round(r, 2)} for pair, (c, r) in told.items()}
        data = {"request_ms": {pair: round(cost, 3) for pair, cost in asked.items()}, "stream": rows}
        chosen.json.write_text(json.dumps(data, indent=1) + "\n")


if __name__ == "__main__":
    main()
