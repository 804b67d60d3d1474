"""Token estimates without a tokenizer: byte-class counts times coefficients, corrected by what providers really counted.

Three layers, each pure: `Estimator.estimate` (coefficients per tokenizer family, fitted and measured by tools/fit_tokens.py),
`Correction` (the bounded ratio between a model's real counts and our estimates, state given and returned), `anchored` (a
session's last real count plus the estimate of what was added since, so that the error is only that of the new text).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.resources import files

import msgspec

from suffice.wire.token_features import NAMES, VERSION, features

# Around messages, roles and tools every chat template adds some tokens.
PER_MESSAGE_TOKENS = 4
_LEAST_RATIO, _MOST_RATIO = 0.5, 2.0
_WEIGHT = 0.2
_LEAST_TOKENS = 200
OTHER = "other"
# The first that stands in a model's name counts; a family whose tokenizer is not public is a guess and says so.
_NAMES = (
    ("claude", "claude"),
    ("gemini", "gemini"),
    ("gemma", "gemini"),
    ("deepseek", "deepseek"),
    ("qwen", "qwen"),
    ("mistral", "tekken"),
    ("codestral", "tekken"),
    ("devstral", "tekken"),
    ("ministral", "tekken"),
    ("magistral", "tekken"),
    ("gpt-4-", "cl100k"),
    ("gpt-3.5", "cl100k"),
    ("text-embedding", "cl100k"),
    ("gpt-", "o200k"),
    ("o1", "o200k"),
    ("o3", "o200k"),
    ("o4", "o200k"),
    ("codex", "o200k"),
)


class _Row(msgspec.Struct):
    coefficients: tuple[float, ...] = ()
    mean_error: float | None = None
    p95_error: float | None = None
    base: str = ""
    factor: float = 1.0


class _Table(msgspec.Struct):
    version: int
    features: tuple[str, ...]
    families: dict[str, _Row]


@cache
def _table() -> _Table:
    table = msgspec.json.decode(files("suffice.wire").joinpath("data/tokens.json").read_bytes(), type=_Table)
    if table.version != VERSION or table.features != NAMES:
        raise RuntimeError("data/tokens.json was fitted for other features: run tools/fit_tokens.py")
    return table


def family_of(model: str) -> str:
    """Return the tokenizer family by a model's name, `other` when none is known."""
    name = model.lower().rpartition("/")[2]
    return next((family for word, family in _NAMES if word in name), OTHER)


def exact_counters() -> dict[str, Callable[[str], int]]:
    """Return the counting functions of OpenAI's families if the package `bpe-openai` is installed, else none.

    They count about 5 MB a second and take a second to load.
    """
    try:
        module = import_module("bpe_openai")
    except ImportError:
        return {}
    out: dict[str, Callable[[str], int]] = {}
    for family in ("o200k", "cl100k"):
        encode = module.get_encoding(f"{family}_base").encode_ordinary
        out[family] = lambda text, encode=encode: len(encode(text))  # type: ignore[misc]
    return out


class Estimator:
    """Estimates by family. `exact` are counting functions to prefer, see `exact_counters`; without any it needs no package."""

    def __init__(self, exact: Mapping[str, Callable[[str], int]] | None = None) -> None:
        self._exact = dict(exact or {})
        self._weights: dict[str, tuple[float, ...]] = {}
        rows = _table().families
        for family, row in rows.items():
            base = rows[row.base] if row.base else row
            self._weights[family] = tuple(value * row.factor for value in base.coefficients)

    @property
    def families(self) -> tuple[str, ...]:
        """The known families."""
        return tuple(self._weights)

    def estimate(self, data: bytes, family: str) -> int:
        """Return the tokens of UTF-8 `data`; an unknown family counts as `other`. At least 1 for anything but nothing."""
        if not data:
            return 0
        counter = self._exact.get(family)
        if counter is not None:
            return counter(data.decode(errors="replace"))
        weights = self._weights.get(family) or self._weights[OTHER]
        total = math.fsum(w * n for w, n in zip(weights, features(data), strict=True))
        # No tokenizer makes more tokens than bytes.
        return min(max(1, round(total)), len(data))

    def measured_error(self, family: str) -> tuple[float, float] | None:
        """Return (mean, 95 % quantile) of the relative error on held-out texts, None for a family that could not be measured."""
        row = _table().families.get(family)
        if row is None or row.mean_error is None or row.p95_error is None:
            return None
        return row.mean_error, row.p95_error


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """How a model's real counts relate to our estimates: `ratio` within [0.5, 2.0], learned from `seen` requests."""

    ratio: float = 1.0
    seen: int = 0

    def observe(self, estimated_tokens: int, real_tokens: int) -> Correction:
        """Return the correction after one request. Small or absurd pairs teach nothing; one request moves little."""
        if estimated_tokens < _LEAST_TOKENS or real_tokens < _LEAST_TOKENS:
            return self
        found = real_tokens / estimated_tokens
        if not _LEAST_RATIO / 2 <= found <= _MOST_RATIO * 2:
            return self
        found = min(max(found, _LEAST_RATIO), _MOST_RATIO)
        # The first few count as a plain mean, later ones decay.
        weight = max(_WEIGHT, 1 / (self.seen + 1))
        return Correction(ratio=self.ratio + weight * (found - self.ratio), seen=self.seen + 1)

    def apply(self, tokens: int) -> int:
        """Return the corrected estimate."""
        return max(1, round(tokens * self.ratio)) if tokens > 0 else 0


class Anchor(msgspec.Struct, frozen=True, kw_only=True):
    """The last real count of a session: `prompt_tokens` for a prompt whose text had `prompt_bytes` bytes."""

    prompt_tokens: int
    prompt_bytes: int


def anchored(estimator: Estimator, data: bytes, family: str, anchor: Anchor | None, correction: Correction) -> int:
    """Return the tokens of a prompt whose beginning an earlier request of the session has already counted.

    `data` is the whole text. The caller vouches that it begins with the anchor's text (the session's prefix hash says so);
    a prompt shorter than the anchor was compacted, and is estimated anew.
    """
    if anchor is None or len(data) < anchor.prompt_bytes:
        return correction.apply(estimator.estimate(data, family))
    return anchor.prompt_tokens + correction.apply(estimator.estimate(data[anchor.prompt_bytes :], family))
