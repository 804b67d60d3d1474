from __future__ import annotations

from typing import Any

import pytest

from suffice.wire.codec import Target
from suffice.wire.disguise import Disguise
from suffice.wire.gemini_config import read_config, read_tool_choice, write_config, write_tool_choice
from suffice.wire.neutral import OutputFormat, ReasoningRequest, Request, Sampling, Tool, ToolChoice


def write(model: str = "gemini-3-flash", own: bool = False, **request: Any) -> tuple[dict[str, Any], str, str]:
    disguise = Disguise()
    out, instruction = write_config(Request(dialect="chat", **request), Target(model=model), disguise, own=own)
    return out, instruction, ",".join(f"{loss.kind}={loss.field}" for loss in disguise.losses)


def test_sampling_goes_there_and_back() -> None:
    config = {
        "temperature": 0.5,
        "topP": 0.9,
        "topK": 40,
        "stopSequences": ["a"],
        "seed": 3,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "maxOutputTokens": 99,
    }
    read = read_config(config)
    assert write(sampling=read.sampling, max_output_tokens=read.max_output_tokens)[0] == config


@pytest.mark.parametrize(
    ("model", "asked", "config", "losses"),
    [
        ("gemini-2.5-flash", ReasoningRequest(mode="off"), {"thinkingBudget": 0}, ""),
        ("gemini-2.5-pro", ReasoningRequest(mode="off"), {"thinkingBudget": 128}, "emulated=reasoning"),
        (
            "gemini-2.5-flash",
            ReasoningRequest(budget_tokens=99999),
            {"thinkingBudget": 24576, "includeThoughts": True},
            "",
        ),
        ("gemini-2.5-flash", ReasoningRequest(mode="adaptive"), {"thinkingBudget": -1, "includeThoughts": True}, ""),
        ("gemini-2.5-flash-lite", ReasoningRequest(budget_tokens=5, summary="omitted"), {"thinkingBudget": 512}, ""),
        ("gemini-3-flash", ReasoningRequest(effort="medium"), {"thinkingLevel": "medium", "includeThoughts": True}, ""),
        ("gemini-3-pro", ReasoningRequest(effort="max"), {"thinkingLevel": "high", "includeThoughts": True}, ""),
        ("gemini-3-flash", ReasoningRequest(mode="off"), {"thinkingLevel": "minimal"}, "emulated=reasoning"),
        ("gemini-3-flash", ReasoningRequest(mode="adaptive"), {"includeThoughts": True}, ""),
    ],
)
def test_thinking_by_generation(model: str, asked: ReasoningRequest, config: dict[str, Any], losses: str) -> None:
    out, _, lost = write(model, reasoning=asked)
    assert out == {"thinkingConfig": config}
    assert lost == losses


@pytest.mark.parametrize(
    ("config", "asked"),
    [
        ({"thinkingBudget": 0}, ReasoningRequest(mode="off")),
        ({"thinkingBudget": -1, "includeThoughts": True}, ReasoningRequest(mode="adaptive", summary="auto")),
        ({"thinking_budget": 8192}, ReasoningRequest(budget_tokens=8192, summary="omitted")),
        ({"thinkingLevel": "HIGH"}, ReasoningRequest(effort="high", summary="omitted")),
        ({}, None),
    ],
)
def test_thinking_is_read(config: dict[str, Any], asked: ReasoningRequest | None) -> None:
    assert read_config({"thinkingConfig": config}).reasoning == asked


def test_structured_output_by_schema_form() -> None:
    plain = OutputFormat(kind="schema", schema={"type": "object", "properties": {"a": {"type": "string"}}})
    out, _, lost = write(output=plain)
    assert out["responseSchema"] == {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}
    assert (out["responseMimeType"], lost) == ("application/json", "")
    assert read_config(out).output == plain
    strict = OutputFormat(kind="schema", schema={"type": "object", "additionalProperties": False})
    out, _, lost = write(output=strict)
    assert (out["responseJsonSchema"], lost) == (strict.schema, "")
    assert read_config(out).output == strict
    assert write(output=OutputFormat(kind="json"))[0] == {"responseMimeType": "application/json"}


def test_json_beside_tools_is_an_instruction_before_gemini_3() -> None:
    wanted = OutputFormat(kind="schema", schema={"type": "object"})
    out, instruction, lost = write("gemini-2.5-flash", output=wanted, tools=(Tool(name="a"),))
    assert out == {}
    assert '{"type":"object"}' in instruction
    assert lost == "emulated=response_format"
    assert write("gemini-3-flash", output=wanted, tools=(Tool(name="a"),))[1] == ""


def test_what_has_no_field_is_declared() -> None:
    many = Sampling(stop=("a", "b", "c", "d", "e", "f"))
    out, _, lost = write(sampling=many, choices=2, logprobs=0)
    assert out == {"stopSequences": ["a", "b", "c", "d", "e"]}
    assert lost == "dropped=stop,dropped=n,dropped=logprobs"


def test_own_fields_come_back_to_the_own_dialect_only() -> None:
    read = read_config({"responseModalities": ["TEXT"], "thinkingConfig": {"x": 1}})
    assert write(own=True, extra={"generationConfig": read.rest}, reasoning=read.reasoning)[0] == {
        "responseModalities": ["TEXT"],
        "thinkingConfig": {"x": 1},
    }
    assert write(extra={"generationConfig": read.rest})[0] == {}


@pytest.mark.parametrize(
    ("config", "choice"),
    [
        ({"mode": "AUTO"}, ToolChoice(mode="auto")),
        ({"mode": "NONE"}, ToolChoice(mode="none")),
        ({"mode": "ANY"}, ToolChoice(mode="required")),
        ({"mode": "ANY", "allowedFunctionNames": ["a"]}, ToolChoice(mode="tool", name="a")),
        (
            {"mode": "ANY", "allowedFunctionNames": ["a", "b"]},
            ToolChoice(mode="allowed", names=("a", "b"), required=True),
        ),
        ({"mode": "VALIDATED", "allowedFunctionNames": ["a"]}, ToolChoice(mode="allowed", names=("a",))),
        ({"mode": "VALIDATED"}, ToolChoice(mode="auto")),
    ],
)
def test_tool_choice_goes_there_and_back(config: dict[str, Any], choice: ToolChoice) -> None:
    read, rest = read_tool_choice({"functionCallingConfig": config})
    assert read == choice
    request = Request(dialect="gemini", tool_choice=read, extra={"toolConfig": rest})
    assert write_tool_choice(request, Disguise(), own=True) == {"functionCallingConfig": config}
