"""Names of models: one normal form, dates stripped, families and vendors recognised.

Providers and resellers spell one model in many ways (`claude-sonnet-4.5`, `anthropic/claude-sonnet-4-5-20250929`). These
pure functions map spellings to keys; they never decide that two differently priced models are the same one, because the
book asks for an exact name first. Invariant: `normal(normal(x)) == normal(x)`.
"""

from __future__ import annotations

import re

_SEPARATORS = str.maketrans({".": "-", "_": "-", "@": "-", " ": "-"})
_DATE = re.compile(r"-(20\d\d-?[01]\d-?[0-3]\d)$")
_LATEST = re.compile(r"-latest$")
_CONTEXT_MARK = re.compile(r"\[[^\]]*\]$")
_SIZE = re.compile(r"^[a-z]?\d+(x\d+)?[bkmt]?$|^\d+e$|^v\d+$|^p\d+$")
_NOISE = frozenset(
    {
        *("preview", "latest", "instruct", "chat", "it", "hf", "free", "exp", "beta", "thinking"),
        *("fp8", "bf16", "int8", "awq", "gguf", "turbo", "maas", "batch", "v"),
    }
)

VENDORS: dict[str, str] = {
    "google": "google-gemini",
    "gemini": "google-gemini",
    "vertex": "google-vertex",
    "vertex_ai": "google-vertex",
    "x-ai": "xai",
    "moonshotai": "moonshot",
    "z-ai": "zai",
    "zai-org": "zai",
    "zhipuai": "zai",
    "mistralai": "mistral",
    "qwen": "alibaba-dashscope",
    "alibaba": "alibaba-dashscope",
    "dashscope": "alibaba-dashscope",
    "azure": "azure-openai",
    "aws": "bedrock",
    "amazon-bedrock": "bedrock",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "deepseek-ai": "deepseek",
    "minimaxai": "minimax",
    "vercel": "vercel-ai-gateway",
    "cloudflare": "cloudflare-workers-ai",
    "stepfun-ai": "stepfun",
    "cohere_chat": "cohere",
}
"""Other spellings of provider ids: vendor prefixes of resellers and of other gateways."""


def normal(name: str) -> str:
    """Return `name` in lower case with `.`, `_`, `@` and blanks as `-`; a trailing `[1m]` context mark is dropped."""
    return _CONTEXT_MARK.sub("", name.strip().lower()).translate(_SEPARATORS)


def undated(key: str) -> str:
    """Return a normalised name without a trailing date or `-latest`."""
    return _LATEST.sub("", _DATE.sub("", key))


def is_snapshot_of(name: str, base: str) -> bool:
    """True when `name` is `base` spelt otherwise, or a dated snapshot or `-latest` pointer of it."""
    return undated(normal(name)) == undated(normal(base))


def canonical(name: str) -> str:
    """Return the key under which one model is found at many endpoints: the last path segment, normalised and undated.

    Bedrock's `global.anthropic.claude-x-v1:0` loses its geography, vendor and version; `:free` and `:nebius` go too.
    """
    last = name.strip().lower().rsplit("/", 1)[-1].split(":", 1)[0]
    dotted = re.match(
        r"^(?:(?:global|us|eu|apac|jp|au|us-gov)\.)?(?:anthropic|amazon|meta|mistral|openai|deepseek|qwen|zai)\.(.+)$",
        last,
    )
    if dotted:
        last = re.sub(r"-v\d+$", "", dotted.group(1))
    key = undated(re.sub(r"(?<=\d)p(?=\d)", "-", normal(last)))
    key = re.sub(r"^claude-(\d+(?:-\d+)?)-(haiku|sonnet|opus)\b", r"claude-\2-\1", key)
    return re.sub(r"-(instruct|it|hf)$", "", key)


def family(name: str) -> str:
    """Return the family of a model: the words of its canonical name without sizes, versions and release words."""
    words = [w for w in canonical(name).split("-") if w and not _SIZE.match(w) and w not in _NOISE]
    cleaned = [re.sub(r"\d+$", "", w) or w for w in words]
    return "-".join(cleaned[:3]) or canonical(name)
