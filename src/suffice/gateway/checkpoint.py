"""What a long stream is charged if the process dies now: what flowed and what may flow until the next look, not the whole bound.

Looks at a running stream every `EVERY_S` seconds of its life, so that short answers cost nothing. Invariant: the figure is never below
what the ledger would charge for what has been seen at that moment. Pure but for the values it reads.
"""

from __future__ import annotations

from msgspec import structs

from suffice.gateway.settlement import bill, estimate_usage
from suffice.values.money import NanoUsd, Price
from suffice.values.usage import Usage
from suffice.wire.chat_relay import Answer

EVERY_S = 5.0
# Up to here the answer itself is counted; of a longer stream the same tokens per byte are expected.
COUNTED_BYTES = 512 * 1024
# A model may get faster in the middle: twice its speed so far, and a few tokens in one event, are allowed for.
SPEED_UP = 2
SOME_TOKENS = 100


class Checkpoint:
    """The running figure of one stream; `due_s` seconds after its request was sent it is next wanted."""

    __slots__ = ("_tokens_per_byte", "due_s")

    def __init__(self) -> None:
        self.due_s = EVERY_S
        self._tokens_per_byte = 0.0

    def wants_answer(self, bytes_in: int) -> bool:
        """True while `bound` has to see the answer itself."""
        return bytes_in <= COUNTED_BYTES or not self._tokens_per_byte

    def bound(
        self,
        price: Price,
        prompt_tokens: int,
        bytes_in: int,
        flowing_s: float,
        *,
        answer: Answer | None,
        reported: Usage | None,
    ) -> NanoUsd:
        """Return what to charge if nothing more is heard, in nano-dollars.

        `bytes_in` > 0 came in the `flowing_s` seconds since the first of them; `reported` is the provider's usage so far, which may
        say more of the prompt than we know and less of the output.
        """
        if answer is not None:
            self._tokens_per_byte = estimate_usage(prompt_tokens, answer, bytes_in).completion_tokens / bytes_in
        growth = 1 + SPEED_UP * EVERY_S / max(flowing_s, EVERY_S / 2)
        output = int(self._tokens_per_byte * bytes_in * growth) + SOME_TOKENS
        usage = Usage(input_tokens=prompt_tokens, output_tokens=output, estimated=True)
        named = (reported.stated_nano or 0) if reported is not None else 0
        if reported is not None:
            output = max(output, reported.completion_tokens)
            usage = structs.replace(reported, output_tokens=output, reasoning_tokens=0)
        return NanoUsd(max(named, bill(price, None, usage).cost_nano))
