"""Gemini's `generationConfig` and `toolConfig`, read and written."""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire import fields
from suffice.wire.codec import Target
from suffice.wire.disguise import Disguise
from suffice.wire.efforts import budget_of, effort_of
from suffice.wire.gemini_keys import camel, generation
from suffice.wire.gemini_schema import from_gemini, to_gemini
from suffice.wire.neutral import OutputFormat, ReasoningRequest, Request, Sampling, ToolChoice

_SAMPLING = "maxOutputTokens temperature topP topK stopSequences seed presencePenalty frequencyPenalty candidateCount"
_FORM = "responseLogprobs logprobs thinkingConfig responseMimeType responseSchema responseJsonSchema"
_READ = frozenset(f"{_SAMPLING} {_FORM}".split())
_MAX_STOP = 5
_JSON = "application/json"
JSON_SCHEMA_FIELD = "parametersJsonSchema"
# Thinking budgets of the 2.5 models, (least, most): from Google's page on thinking; Pro cannot stop thinking.
_BUDGETS = {"pro": (128, 32768), "lite": (512, 24576), "": (0, 24576)}


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """What `generationConfig` said; `rest` are the fields that only this dialect knows."""

    max_output_tokens: int
    sampling: Sampling
    reasoning: ReasoningRequest | None
    output: OutputFormat | None
    choices: int
    logprobs: int | None
    rest: dict[str, Any]


def read_config(decoded: dict[str, Any]) -> Config:
    """Return what a decoded generationConfig says. Raises RequestError."""
    row, at = camel(decoded), "generationConfig."
    asked = fields.flag(row.get("responseLogprobs"), at + "responseLogprobs")
    top_k = fields.number(row.get("topK"), at + "topK")
    rest = {k: v for k, v in row.items() if k not in _READ and v is not None}
    thinking, more = _thinking(row.get("thinkingConfig"))
    output = _output(row)
    if more:
        rest["thinkingConfig"] = more
    if output is None and row.get("responseMimeType"):
        rest["responseMimeType"] = row["responseMimeType"]
    return Config(
        max_output_tokens=fields.whole(row.get("maxOutputTokens"), at + "maxOutputTokens", 0) or 0,
        sampling=Sampling(
            temperature=fields.number(row.get("temperature"), at + "temperature"),
            top_p=fields.number(row.get("topP"), at + "topP"),
            top_k=None if top_k is None else int(top_k),
            stop=fields.texts(row.get("stopSequences"), at + "stopSequences"),
            seed=fields.whole(row.get("seed"), at + "seed"),
            presence_penalty=fields.number(row.get("presencePenalty"), at + "presencePenalty"),
            frequency_penalty=fields.number(row.get("frequencyPenalty"), at + "frequencyPenalty"),
        ),
        reasoning=thinking,
        output=output,
        choices=fields.whole(row.get("candidateCount"), at + "candidateCount", 1) or 1,
        logprobs=(fields.whole(row.get("logprobs"), at + "logprobs", 0) or 0) if asked else None,
        rest=rest,
    )


def _thinking(value: Any) -> tuple[ReasoningRequest | None, dict[str, Any]]:
    row = camel(fields.mapping(value, "generationConfig.thinkingConfig"))
    if not row:
        return None, {}
    budget = fields.whole(row.pop("thinkingBudget", None), "generationConfig.thinkingConfig.thinkingBudget")
    level = fields.text(row.pop("thinkingLevel", None), "generationConfig.thinkingConfig.thinkingLevel").lower()
    shown = fields.flag(row.pop("includeThoughts", None), "generationConfig.thinkingConfig.includeThoughts")
    summary = "auto" if shown else "omitted"
    if budget == 0:
        return ReasoningRequest(mode="off"), row
    if level and level != "thinking_level_unspecified":
        return ReasoningRequest(effort=level, summary=summary), row
    if budget is not None and budget > 0:
        return ReasoningRequest(budget_tokens=budget, summary=summary), row
    return ReasoningRequest(mode="adaptive", summary=summary), row


def _output(row: dict[str, Any]) -> OutputFormat | None:
    given = row.get("responseJsonSchema")
    if given is not None:
        return OutputFormat(kind="schema", schema=fields.mapping(given, "generationConfig.responseJsonSchema"))
    given = row.get("responseSchema")
    if given is not None:
        schema = from_gemini(fields.mapping(given, "generationConfig.responseSchema"))
        return OutputFormat(kind="schema", schema=schema)
    return OutputFormat(kind="json") if row.get("responseMimeType") == _JSON else None


def read_tool_choice(decoded: dict[str, Any]) -> tuple[ToolChoice | None, dict[str, Any]]:
    """Return (the neutral tool choice or None, the fields of toolConfig that only this dialect knows)."""
    row = camel(decoded)
    config = camel(fields.mapping(row.pop("functionCallingConfig", None), "toolConfig.functionCallingConfig"))
    mode = fields.text(config.pop("mode", None), "toolConfig.functionCallingConfig.mode").upper()
    names = fields.texts(
        config.pop("allowedFunctionNames", None), "toolConfig.functionCallingConfig.allowedFunctionNames"
    )
    if mode == "VALIDATED":
        config["mode"] = mode
    if config:
        row["functionCallingConfig"] = config
    if mode == "NONE":
        return ToolChoice(mode="none"), row
    if mode == "ANY":
        if not names:
            return ToolChoice(mode="required"), row
        if len(names) == 1:
            return ToolChoice(mode="tool", name=names[0]), row
        return ToolChoice(mode="allowed", names=names, required=True), row
    if mode in ("AUTO", "VALIDATED"):
        return (ToolChoice(mode="allowed", names=names) if names else ToolChoice(mode="auto")), row
    if mode and mode != "MODE_UNSPECIFIED":
        where = "toolConfig.functionCallingConfig.mode"
        raise RequestError(f"{where} must be AUTO, ANY, NONE or VALIDATED", param=where)
    return None, row


def write_config(request: Request, target: Target, disguise: Disguise, *, own: bool) -> tuple[dict[str, Any], str]:
    """Return (generationConfig, an instruction to add where the output format must be asked for in words, else "")."""
    sampling = request.sampling
    out: dict[str, Any] = {}
    limit = target.max_output_tokens or request.max_output_tokens
    if limit:
        out["maxOutputTokens"] = limit
    pairs = (
        ("temperature", sampling.temperature),
        ("topP", sampling.top_p),
        ("topK", sampling.top_k),
        ("seed", sampling.seed),
        ("presencePenalty", sampling.presence_penalty),
        ("frequencyPenalty", sampling.frequency_penalty),
    )
    out |= {name: value for name, value in pairs if value is not None}
    if sampling.stop:
        most = target.max_stop or _MAX_STOP
        out["stopSequences"] = list(sampling.stop[:most])
        if len(sampling.stop) > most:
            disguise.dropped("stop", f"at most {most}")
    if request.choices > 1:
        disguise.dropped("n", "one answer is translated")
    if request.logprobs is not None:
        disguise.dropped("logprobs", "of another form here")
    instruction = _write_output(request, target, disguise, out)
    thinking = _write_thinking(request.reasoning, target, disguise)
    rest = request.extra.get("generationConfig") if own else None
    if isinstance(rest, dict):
        thinking |= rest.get("thinkingConfig") or {}
        out = rest | out
    if thinking:
        out["thinkingConfig"] = thinking
    else:
        out.pop("thinkingConfig", None)
    return out, instruction


def _write_output(request: Request, target: Target, disguise: Disguise, out: dict[str, Any]) -> str:
    wanted = request.output
    if wanted is None:
        return ""
    # Before Gemini 3 the API refuses JSON output beside function calls.
    if not target.structured or (request.tools and generation(target.model) < 3):
        disguise.emulated("response_format", "as an instruction")
        schema = (
            f" that follows this JSON Schema:\n{msgspec.json.encode(wanted.schema).decode()}" if wanted.schema else "."
        )
        return "When you give your final answer, give one JSON object and nothing else, no code fence" + schema
    out["responseMimeType"] = _JSON
    if wanted.kind == "schema" and wanted.schema:
        converted, lost = to_gemini(wanted.schema)
        if lost and "responseJsonSchema" not in target.unsupported:
            out["responseJsonSchema"] = wanted.schema
        else:
            out["responseSchema"] = converted
            for keyword in lost:
                disguise.dropped(f"response_format.{keyword}", "not in Gemini's schema form")
    return ""


def _write_thinking(asked: ReasoningRequest | None, target: Target, disguise: Disguise) -> dict[str, Any]:
    if asked is None:
        return {}
    if not target.reasoning:
        disguise.dropped("reasoning", "the model does not think")
        return {}
    out: dict[str, Any] = {}
    if asked.mode != "off" and asked.summary != "omitted":
        out["includeThoughts"] = True
    version = generation(target.model)
    pro = "pro" in target.model
    if version < 3:
        least, most = _BUDGETS["pro" if pro else "lite" if "lite" in target.model else ""]
        if asked.mode == "off":
            out["thinkingBudget"] = least if pro else 0
        elif asked.effort or asked.budget_tokens is not None:
            out["thinkingBudget"] = max(least, min(most, budget_of(asked)))
        else:
            out["thinkingBudget"] = -1
    else:
        known = ("low", "high") if pro and version == 3.0 else ("low", "medium", "high")
        known = known if pro else ("minimal", *known)
        level = known[0] if asked.mode == "off" else effort_of(asked, known)
        if level:
            out["thinkingLevel"] = level
    if asked.mode == "off" and (pro or version >= 3):
        disguise.emulated("reasoning", "this model cannot stop thinking; the least is asked for")
    return out


def write_tool_choice(request: Request, disguise: Disguise, *, own: bool) -> dict[str, Any]:
    """Return toolConfig, {} when there is nothing to say."""
    rest = request.extra.get("toolConfig") if own else None
    out: dict[str, Any] = dict(rest) if isinstance(rest, dict) else {}
    config: dict[str, Any] = {}
    choice = request.tool_choice
    if choice is not None:
        if choice.mode in ("auto", "none"):
            config["mode"] = choice.mode.upper()
        elif choice.mode == "allowed" and not choice.required:
            config["mode"] = "VALIDATED"
        else:
            config["mode"] = "ANY"
        names = (choice.name,) if choice.mode == "tool" else choice.names
        if names:
            config["allowedFunctionNames"] = [disguise.name(name) for name in names]
    given = out.get("functionCallingConfig")
    if isinstance(given, dict):
        config |= given
    if config:
        out["functionCallingConfig"] = config
    return out
