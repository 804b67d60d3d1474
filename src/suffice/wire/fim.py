"""Fill in the middle: one neutral request, read from the four shapes that editors send.

`/v1/completions` with `suffix` (or with a template already in the prompt), `/beta/completions` (DeepSeek, the same body),
`/v1/fim/completions` (Mistral) and `/infill` (llama.cpp). `fim_upstream` writes it for providers, `fim_answer` and `fim_client`
read and write answers as the neutral events of every other dialect.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from suffice.errors import RequestError
from suffice.wire import fields, fim_templates

Shape = Literal["completions", "fim", "infill"]
_SAMPLING = frozenset(
    {"model", "prompt", "suffix", "max_tokens", "min_tokens", "stop", "temperature", "top_p", "stream"}
)
_KNOWN = _SAMPLING | {"seed", "random_seed", "n", "stream_options", "max_completion_tokens"}
_INFILL = frozenset(
    {"input_prefix", "input_suffix", "input_extra", "prompt", "n_predict", "max_tokens", "stop", "temperature"}
)
_INFILL_KNOWN = _INFILL | {"top_p", "top_k", "seed", "stream", "model", "response_fields"}
_MAX_FILES = 256


class FimFile(msgspec.Struct, frozen=True, kw_only=True):
    """Another piece of the project that helps the model."""

    name: str
    text: str


class FimRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What to fill in, between `prefix` and `suffix`. `max_tokens` None: not said; 0: only warm the cache, write nothing.

    `line` is the end of `prefix` that llama.cpp takes apart from it (what stands on the cursor's line). `language` and `path`
    are hints, "" when unknown. `family` names the template that the client's own prompt was written with. `raw` is a prompt
    that must go on as it is, because its template has parts we do not take apart; then prefix and suffix are empty.
    `fields` are the names of the answer's fields that an `/infill` client wants (empty: all). `extra` are the shape's others.
    """

    shape: Shape
    model: str = ""
    prefix: str = ""
    suffix: str = ""
    line: str = ""
    files: tuple[FimFile, ...] = ()
    language: str = ""
    path: str = ""
    max_tokens: int | None = None
    min_tokens: int | None = None
    stop: tuple[str, ...] = ()
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    seed: int | None = None
    stream: bool = False
    include_usage: bool = True
    family: str = ""
    raw: str = ""
    fields: tuple[str, ...] = ()
    extra: dict[str, Any] = {}

    @property
    def warm_up(self) -> bool:
        """True when nothing shall be written: answer it without a provider, unless that is llama.cpp, which fills its cache."""
        return self.max_tokens == 0


def decode(shape: Shape, body: bytes) -> FimRequest:
    """Return the neutral request of a body. Raises RequestError, also for a completion that is no filling in."""
    top = fields.decode_object(body)
    return _infill(top) if shape == "infill" else _completions(shape, top)


def is_fim(body: dict[str, Any]) -> bool:
    """True when a decoded `/v1/completions` body asks to fill in: it has a suffix or a prompt in a known template."""
    if isinstance(body.get("suffix"), str) and body["suffix"]:
        return True
    prompt = body.get("prompt")
    return isinstance(prompt, str) and (fim_templates.split(prompt) is not None or bool(_raw_family(prompt)))


def _completions(shape: Shape, top: dict[str, Any]) -> FimRequest:
    prompt = top.get("prompt")
    if isinstance(prompt, list) and len(prompt) == 1:
        prompt = prompt[0]
    prefix = fields.text(prompt, "prompt")
    suffix = fields.text(top.get("suffix"), "suffix")
    family = raw = ""
    if not suffix:
        found = fim_templates.split(prefix)
        if found is not None:
            family, prefix, suffix = found
        elif family := _raw_family(prefix):
            prefix, raw = "", prefix
        elif shape == "completions" and "suffix" not in top:
            raise RequestError("a completion without suffix is no request to fill in", param="suffix")
    if (fields.whole(top.get("n"), "n", 1) or 1) > 1:
        raise RequestError("n: one completion at a time can be filled in", param="n")
    options = fields.mapping(top.get("stream_options"), "stream_options")
    stream = bool(fields.flag(top.get("stream"), "stream"))
    limit = fields.whole(top.get("max_tokens"), "max_tokens", 0)
    seed = top.get("seed") if top.get("seed") is not None else top.get("random_seed")
    return FimRequest(
        shape=shape,
        model=fields.text(top.get("model"), "model"),
        prefix=prefix,
        suffix=suffix,
        family=family,
        raw=raw,
        max_tokens=limit if limit is not None else fields.whole(top.get("max_completion_tokens"), "max_tokens", 0),
        min_tokens=fields.whole(top.get("min_tokens"), "min_tokens", 0),
        stop=fields.texts(top.get("stop"), "stop"),
        temperature=fields.number(top.get("temperature"), "temperature"),
        top_p=fields.number(top.get("top_p"), "top_p"),
        seed=fields.whole(seed, "seed"),
        stream=stream,
        include_usage=shape == "fim" or not stream or bool(options.get("include_usage")),
        extra={k: v for k, v in top.items() if k not in _KNOWN and v is not None},
    )


def _infill(top: dict[str, Any]) -> FimRequest:
    files = []
    for row in fields.rows(top.get("input_extra"), "input_extra")[:_MAX_FILES]:
        name = fields.text(row.get("filename"), "input_extra.filename")
        files.append(FimFile(name=name, text=fields.text(row.get("text"), "input_extra.text")))
    line = fields.text(top.get("prompt"), "prompt")
    limit = fields.whole(top.get("n_predict", top.get("max_tokens")), "n_predict", -2)
    return FimRequest(
        shape="infill",
        model=fields.text(top.get("model"), "model"),
        prefix=fields.text(top.get("input_prefix"), "input_prefix") + line,
        suffix=fields.text(top.get("input_suffix"), "input_suffix"),
        line=line,
        files=tuple(files),
        # Negative numbers mean without limit there.
        max_tokens=limit if limit is not None and limit >= 0 else None,
        stop=fields.texts(top.get("stop"), "stop"),
        temperature=fields.number(top.get("temperature"), "temperature"),
        top_p=fields.number(top.get("top_p"), "top_p"),
        top_k=fields.whole(top.get("top_k"), "top_k"),
        seed=fields.whole(top.get("seed"), "seed"),
        stream=bool(fields.flag(top.get("stream"), "stream")),
        fields=fields.texts(top.get("response_fields"), "response_fields"),
        extra={k: v for k, v in top.items() if k not in _INFILL_KNOWN and v is not None},
    )


def _raw_family(prompt: str) -> str:
    """Return the family whose template a prompt ends with, though more stands before it; "" when there is none."""
    for family, template in fim_templates.TEMPLATES.items():
        if (
            template.middle
            and prompt.endswith(template.middle)
            and template.suffix in prompt
            and template.prefix in prompt
        ):
            return family
    return ""
