"""Token usage in disjoint buckets: every token of a call is counted in exactly one of them."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """Tokens of one call. All counts are >= 0; no token is in two buckets.

    `input_tokens` are fresh prompt tokens, neither read from nor written to a cache; `cache_write_tokens` are written with
    the provider's default time to live (5 or 30 minutes); `output_tokens` are visible output without `reasoning_tokens`.
    `estimated` says that we counted because the provider did not; `suspect` that the provider's numbers contradicted
    each other and were repaired. `stated_nano` is the provider's own price of the call in nano-dollars, None when it named none;
    whether it is the bill is for `gateway.settlement` to say.
    """

    input_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    cache_write_12h_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    estimated: bool = False
    suspect: bool = False
    stated_nano: int | None = None

    @property
    def prompt_tokens(self) -> int:
        """All tokens of the prompt, cached or not."""
        return (
            self.input_tokens
            + self.cache_read_tokens
            + self.cache_write_tokens
            + self.cache_write_1h_tokens
            + self.cache_write_12h_tokens
        )

    @property
    def completion_tokens(self) -> int:
        """All tokens that the model produced, reasoning included."""
        return self.output_tokens + self.reasoning_tokens

    def __add__(self, other: Usage) -> Usage:
        """Return the sum; it is estimated or suspect as soon as one part is."""
        return Usage(
            input_tokens=self.input_tokens + other.input_tokens,
            cache_read_tokens=self.cache_read_tokens + other.cache_read_tokens,
            cache_write_tokens=self.cache_write_tokens + other.cache_write_tokens,
            cache_write_1h_tokens=self.cache_write_1h_tokens + other.cache_write_1h_tokens,
            cache_write_12h_tokens=self.cache_write_12h_tokens + other.cache_write_12h_tokens,
            output_tokens=self.output_tokens + other.output_tokens,
            reasoning_tokens=self.reasoning_tokens + other.reasoning_tokens,
            estimated=self.estimated or other.estimated,
            suspect=self.suspect or other.suspect,
            # A sum of which a part is missing is no price.
            stated_nano=None
            if self.stated_nano is None or other.stated_nano is None
            else self.stated_nano + other.stated_nano,
        )
