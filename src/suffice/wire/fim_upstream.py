"""Fill in the middle, written for a provider, in the style that it takes.

Styles: `mistral` (Codestral, /fim/completions), `inception` (the same path, few fields), `deepseek` (/beta/completions with
suffix, at most 4096 tokens), `completions` (any server that takes a suffix), `infill` (llama.cpp), `template` (open models on
/completions, the template applied here). The last resort, a chat prompt, is a neutral request: `as_chat`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from suffice.errors import RequestError
from suffice.wire import fim_templates
from suffice.wire.codec import Encoded, Target
from suffice.wire.fim import FimRequest
from suffice.wire.neutral import Loss, Message, Request, Sampling, Text

Style = Literal["mistral", "inception", "deepseek", "completions", "infill", "template"]
_DEEPSEEK_MOST = 4096
_CHAT_TOKENS = 256
_MAX_TEMPLATE_STOP = 4
_CHAT_SYSTEM = (
    "You complete code at a cursor. You get the code before the cursor in <before> and the code after it in <after>. "
    "Answer with exactly the text to insert at the cursor: no explanation, no code fence, nothing of the given code repeated, "
    "indentation as it must stand. An empty answer is right when nothing is missing."
)


def style_of(provider: str, path: str, style: str) -> Style | Literal["chat"]:
    """Return the style of a catalogue row: its provider id and `fim.path` and `fim.style` ("" path: no filling in: chat)."""
    if not path or style == "prefix":
        return "chat"
    if style in ("template", "infill"):
        return style  # type: ignore[return-value]
    if path.endswith("/fim/completions"):
        return "inception" if provider == "inception" else "mistral"
    return "deepseek" if provider == "deepseek" else "completions"


def encode(request: FimRequest, style: Style, target: Target, family: str = "") -> Encoded:
    """Return the upstream body. `family` overrides the template chosen by the model's name (style `template`).

    Raises RequestError (code `untranslatable`) when no template is known, or the client's own cannot be taken apart.
    """
    return _Writer(request, style, target, family).write()


class _Writer:
    def __init__(self, request: FimRequest, style: Style, target: Target, family: str) -> None:
        self._request = request
        self._style = style
        self._target = target
        self._family = family
        self._losses: list[Loss] = []

    def write(self) -> Encoded:
        request = self._request
        body: dict[str, Any] = self._infill() if self._style == "infill" else self._plain()
        for name in self._target.unsupported:
            if body.pop(name, None) is not None:
                self._dropped(name, "the provider does not take it")
        own = request.shape == (
            "infill" if self._style == "infill" else "fim" if self._style == "mistral" else "completions"
        )
        for name, value in request.extra.items():
            if own:
                body.setdefault(name, value)
            else:
                self._dropped(name, "belongs to the client's shape")
        return Encoded(body=msgspec.json.encode(body), losses=tuple(self._losses))

    def _dropped(self, field: str, why: str) -> None:
        self._losses.append(Loss(kind="dropped", field=field, why=why))

    def _plain(self) -> dict[str, Any]:
        request, style = self._request, self._style
        body: dict[str, Any] = {"model": self._target.model}
        stop = list(request.stop)
        if style == "template":
            prompt, tokens = self._template()
            body["prompt"] = prompt
            stop += [token for token in tokens if token not in stop]
            most = self._target.max_stop or max(_MAX_TEMPLATE_STOP, len(request.stop))
            stop = stop[:most]
        else:
            if request.raw:
                raise _untranslatable("prompt", f"is written for {request.family} models, with parts no other takes")
            body |= {"prompt": request.prefix, "suffix": request.suffix}
            if request.files:
                self._dropped("input_extra", "the provider takes one file")
            if self._target.max_stop is not None and len(stop) > self._target.max_stop:
                stop = stop[: self._target.max_stop]
                self._dropped("stop", f"at most {self._target.max_stop}")
        limit = self._limit()
        if limit is not None:
            body["max_tokens"] = limit
        if stop:
            body["stop"] = stop
        self._sampling(body)
        if request.stream:
            body["stream"] = True
            if style != "mistral" and style != "inception" and self._target.stream_options:
                body["stream_options"] = {"include_usage": True}
        return body

    def _limit(self) -> int | None:
        limit = self._target.max_output_tokens or self._request.max_tokens
        if self._style == "deepseek" and limit is not None and limit > _DEEPSEEK_MOST:
            limit = _DEEPSEEK_MOST
            self._dropped("max_tokens", f"at most {_DEEPSEEK_MOST}, sent as that")
        return limit

    def _sampling(self, body: dict[str, Any]) -> None:
        request = self._request
        seed = "random_seed" if self._style == "mistral" else "seed"
        values = {
            "temperature": request.temperature,
            "top_p": request.top_p,
            seed: request.seed,
            "min_tokens": request.min_tokens,
            "top_k": request.top_k,
        }
        taken = {"temperature", "top_p", seed}
        if self._style == "inception":
            taken = {"temperature"}
        elif self._style == "mistral":
            taken.add("min_tokens")
        for name, value in values.items():
            if value is None:
                continue
            if name in taken:
                body[name] = value
            elif name != "min_tokens" or value:
                self._dropped(name, "the provider has no such field")

    def _template(self) -> tuple[str, tuple[str, ...]]:
        request = self._request
        family = self._family or fim_templates.family_of(self._target.model)
        if family not in fim_templates.TEMPLATES:
            raise _untranslatable("model", f"no template to fill in is known for {self._target.model!r}")
        template = fim_templates.TEMPLATES[family]
        if request.raw:
            if request.family != family:
                raise _untranslatable("prompt", f"is written for {request.family} models, not for {family}")
            return request.raw, template.stop
        files = tuple((file.name, file.text) for file in request.files)
        if files and not template.file:
            self._dropped("input_extra", "the model's template takes one file")
        prompt, apart = fim_templates.apply(family, request.prefix, request.suffix, files if template.file else ())
        if apart:
            self._losses.append(Loss(kind="emulated", field="prompt", why="tokens of the template in the code"))
        return prompt, template.stop

    def _infill(self) -> dict[str, Any]:
        request = self._request
        if request.raw:
            raise _untranslatable("prompt", "its template cannot be taken apart")
        before = request.prefix.removesuffix(request.line) if request.line else request.prefix
        body: dict[str, Any] = {"input_prefix": before, "input_suffix": request.suffix, "prompt": request.line}
        if request.files:
            body["input_extra"] = [{"filename": file.name, "text": file.text} for file in request.files]
        limit = self._target.max_output_tokens or request.max_tokens
        values = {
            "n_predict": 0 if request.warm_up else limit,
            "stop": list(request.stop) or None,
            "temperature": request.temperature,
            "top_p": request.top_p,
            "top_k": request.top_k,
            "seed": request.seed,
        }
        body |= {name: value for name, value in values.items() if value is not None}
        if self._target.model:
            body["model"] = self._target.model
        if request.min_tokens:
            self._dropped("min_tokens", "the provider has no such field")
        return body | {"cache_prompt": True, "stream": request.stream}


def _untranslatable(field: str, why: str) -> RequestError:
    return RequestError(f"{field}: {why}", code="untranslatable", param=field)


def as_chat(request: FimRequest) -> Request:
    """Return the neutral chat request that asks any model for the middle; strip its answer with `fim_answer.FenceFilter`.

    Raises RequestError (code `untranslatable`) for a prompt that only its own template can read.
    """
    if request.raw:
        raise _untranslatable("prompt", "its template cannot be taken apart")
    head = "".join(f'<file name="{file.name}">\n{file.text}\n</file>\n' for file in request.files)
    kind = " ".join(part for part in (request.language, request.path) if part)
    ask = f"{head}<before>{request.prefix}</before>\n<after>{request.suffix}</after>"
    return Request(
        dialect="fim",
        model=request.model,
        system=(Message(role="system", parts=(Text(text=_CHAT_SYSTEM + (f" The file: {kind}." if kind else "")),)),),
        messages=(Message(role="user", parts=(Text(text=ask),)),),
        max_output_tokens=request.max_tokens or _CHAT_TOKENS,
        sampling=Sampling(
            temperature=request.temperature,
            top_p=request.top_p,
            top_k=request.top_k,
            stop=request.stop,
            seed=request.seed,
        ),
        stream=request.stream,
    )
