"""The response object of the Responses dialect, with every field that strict clients look for.

Field list: the OpenAI reference and the Open Responses schema. `phase` and other optional fields of items are absent rather than
null; numbers that the client did not set carry OpenAI's defaults, because their schemas know no null.
"""

from __future__ import annotations

from typing import Any

from suffice.values.usage import Usage
from suffice.wire import responses_tools
from suffice.wire.neutral import Request, Text
from suffice.wire.responses_request import INSTRUCTIONS
from suffice.wire.responses_tools import DIALECT


def skeleton(request: Request, *, response_id: str, model: str, created_s: int) -> dict[str, Any]:
    """Return the object of a response in progress: the request's settings told back, no output, no usage."""
    said = request.sampling
    extra = request.extra if request.dialect == DIALECT else {}
    return {
        "id": response_id,
        "object": "response",
        "created_at": created_s,
        "status": "in_progress",
        "background": bool(extra.get("background")),
        "completed_at": None,
        "error": None,
        "frequency_penalty": said.frequency_penalty or 0,
        "incomplete_details": None,
        "instructions": _instructions(request),
        "max_output_tokens": request.max_output_tokens or None,
        "max_tool_calls": extra.get("max_tool_calls"),
        "metadata": request.metadata,
        "model": model or request.model,
        "output": [],
        "parallel_tool_calls": request.parallel_tools is not False,
        "presence_penalty": said.presence_penalty or 0,
        "previous_response_id": extra.get("previous_response_id"),
        "prompt_cache_key": request.cache.key or None,
        "prompt_cache_retention": request.cache.retention or None,
        "reasoning": _reasoning(request),
        "safety_identifier": extra.get("safety_identifier"),
        "service_tier": request.service_tier or "default",
        "store": extra.get("store") is not False,
        "temperature": 1 if said.temperature is None else said.temperature,
        "text": _text(request),
        "tool_choice": extra.get("tool_choice") or responses_tools.write_choice(request.tool_choice) or "auto",
        "tools": responses_tools.native(request.tools),
        "top_logprobs": request.logprobs or 0,
        "top_p": 1 if said.top_p is None else said.top_p,
        "truncation": extra.get("truncation") or "disabled",
        "usage": None,
        "user": request.user or None,
    }


def _instructions(request: Request) -> str | None:
    first = request.system[0] if request.system else None
    if first is None or not first.extra.get(INSTRUCTIONS):
        return None
    return "".join(part.text for part in first.parts if isinstance(part, Text))


def _reasoning(request: Request) -> dict[str, Any]:
    asked = request.reasoning
    if asked is None:
        return {"effort": None, "summary": None}
    return {"effort": "none" if asked.mode == "off" else asked.effort or None, "summary": asked.summary or None}


def _text(request: Request) -> dict[str, Any]:
    wanted = request.output
    form: dict[str, Any] = {"type": "text"}
    if wanted is not None and wanted.kind == "json":
        form = {"type": "json_object"}
    elif wanted is not None:
        form = {
            "type": "json_schema",
            "name": wanted.name,
            "description": wanted.description or None,
            "schema": wanted.schema,
            "strict": bool(wanted.strict),
        }
    return {"format": form} | ({"verbosity": request.verbosity} if request.verbosity else {})


def report(found: Usage | None) -> dict[str, Any]:
    """Return the usage object; counts are tokens, input includes the cache, output includes reasoning."""
    found = found or Usage()
    written = found.cache_write_tokens + found.cache_write_1h_tokens + found.cache_write_12h_tokens
    details = {"cached_tokens": found.cache_read_tokens, "cache_write_tokens": written}
    return {
        "input_tokens": found.prompt_tokens,
        "input_tokens_details": details,
        "output_tokens": found.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": found.reasoning_tokens},
        "total_tokens": found.prompt_tokens + found.completion_tokens,
    }
