"""What providers really say, in the words and shapes of their documentation, and what we make of it: row of the matrix, client's status."""

from __future__ import annotations

import json
from typing import Any

import pytest

from suffice.upstream.faults import classify

ACCOUNT = "123456789012"
ARN = f"arn:aws:iam::{ACCOUNT}:user/ci"
CONTEXT, FILTER, MODEL, AUTH, BILLING, QUOTA = 24, 23, 27, 26, 25, 13
RATE, BARE_RATE, SERVER, OVERLOADED, INVALID, CONFLICT = 11, 12, 14, 15, 28, 29


def plain(message: str, code: Any = None, kind: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "code": code, "param": None}}


def anthropic(kind: str, message: str) -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def google(code: int, status: str, message: str, *details: Any) -> dict[str, Any]:
    return {"error": {"code": code, "status": status, "message": message, "details": list(details)}}


# provider, status, body, kind of AWS, row, status that a chat client sees
CASES: list[tuple[str, int, Any, str, int, int]] = [
    ("openai", 400, plain("This model's maximum context length is 8 tokens.", "context_length_exceeded"), "", CONTEXT, 400),
    ("openai", 401, plain("Incorrect API key provided: sk-proj-abcdefgh", "invalid_api_key"), "", AUTH, 502),
    ("openai", 429, plain("You exceeded your current quota", "insufficient_quota"), "", QUOTA, 503),
    ("openai", 503, plain("The engine is currently overloaded", None, "server_error"), "", OVERLOADED, 503),
    ("anthropic", 400, anthropic("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), "", CONTEXT, 400),
    ("anthropic", 400, anthropic("invalid_request_error", "Your credit balance is too low"), "", BILLING, 503),
    ("anthropic", 400, anthropic("invalid_request_error", "You have reached your specified API usage limits."), "", BILLING, 503),
    ("anthropic", 400, anthropic("invalid_request_error", "This organization has been disabled."), "", AUTH, 502),
    ("anthropic", 529, anthropic("overloaded_error", "Overloaded"), "", OVERLOADED, 503),
    ("google-gemini", 400,
     google(400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8)."),
     "", CONTEXT, 400),
    ("google-gemini", 400, google(400, "INVALID_ARGUMENT", "API key not valid.", {"reason": "API_KEY_INVALID"}), "", AUTH, 502),
    ("google-gemini", 503, google(503, "UNAVAILABLE", "The model is overloaded. Please try again later."), "", OVERLOADED, 503),
    ("google-gemini", 429,
     google(429, "RESOURCE_EXHAUSTED", "Quota", {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}),
     "", RATE, 429),
    ("google-vertex", 403,
     google(403, "PERMISSION_DENIED", f"Permission denied on resource project {ACCOUNT}.", {"reason": "BILLING_DISABLED"}),
     "", BILLING, 503),
    ("bedrock", 429, {"message": "Too many requests, please wait"}, "ThrottlingException", BARE_RATE, 429),
    ("bedrock", 400, {"message": "Input is too long for requested model."}, "ValidationException", CONTEXT, 400),
    ("bedrock", 400, {"message": "Malformed input request"}, "ValidationException:http://internal.amazon.com/coral/", INVALID, 400),
    ("bedrock", 403, {"message": "You don't have access to the model with the specified model ID."}, "AccessDeniedException", MODEL, 404),
    ("bedrock", 403, {"Message": f"User: {ARN} is not authorized to perform: bedrock:InvokeModel"}, "AccessDeniedException", AUTH, 502),
    ("bedrock", 403, {"message": "The security token included in the request is expired"}, "ExpiredTokenException", AUTH, 502),
    ("bedrock", 400, {"message": "The security token included in the request is invalid"}, "UnrecognizedClientException", AUTH, 502),
    ("bedrock", 404, {"message": "Could not resolve the foundation model"}, "ResourceNotFoundException", MODEL, 404),
    ("bedrock", 429, {"message": "Model is not ready"}, "ModelNotReadyException", OVERLOADED, 503),
    ("bedrock", 503, {"message": "unavailable"}, "ServiceUnavailableException", SERVER, 503),
    ("azure-openai", 404, plain("The API deployment for this resource does not exist.", "DeploymentNotFound"), "", MODEL, 404),
    ("azure-openai", 400, plain("The response was filtered", "content_filter"), "", FILTER, 400),
    ("azure-openai", 401, plain("Access denied due to invalid subscription key", "401"), "", AUTH, 502),
    ("deepseek", 402, plain("Insufficient Balance", "invalid_request_error"), "", BILLING, 503),
    ("mistral", 400,
     {"object": "error", "message": "Prompt contains 40 tokens, too large for model with 32 maximum context length",
     "type": "invalid_request_error", "code": 3051},
     "", CONTEXT, 400),
    ("mistral", 401, {"detail": "Unauthorized"}, "", AUTH, 502),
    ("mistral", 429,
     {"object": "error", "message": "Service tier capacity exceeded for this model.",
     "type": "service_tier_capacity_exceeded", "code": "3505"},
     "", OVERLOADED, 503),
    ("cohere", 400, {"id": "1", "message": "too many tokens: total number of tokens in the prompt cannot exceed 8"}, "", CONTEXT, 400),
    ("cohere", 401, {"id": "1", "message": "invalid api token"}, "", AUTH, 502),
    ("xai", 400, plain("This model's maximum prompt length is 8 but the request contains 9 tokens."), "", CONTEXT, 400),
    ("xai", 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***yz."}, "", AUTH, 502),
    ("xai", 403, {"code": "permission", "error": "Your newly created teams doesn't have any credits yet."}, "", BILLING, 503),
    ("groq", 400, plain("Failed to call a function.", "tool_use_failed", "invalid_request_error"), "", SERVER, 502),
    ("groq", 498, plain("flex capacity exceeded", "capacity_exceeded"), "", OVERLOADED, 503),
    ("moonshot", 400,
     plain("Invalid request: Your request exceeded model token limit: 8", None, "invalid_request_error"),
     "", CONTEXT, 400),
    ("moonshot", 429, plain("Your account is suspended, please check your plan", None, "exceeded_current_quota_error"), "", QUOTA, 503),
    ("moonshot", 429, plain("The engine is currently overloaded", None, "engine_overloaded_error"), "", OVERLOADED, 503),
    ("zai", 400, plain("Prompt exceeds max length", "1261"), "", CONTEXT, 400),
    ("zai", 429, plain("Insufficient balance", "1113"), "", QUOTA, 503),
    ("zai", 429, plain("High concurrency usage of this API", "1302"), "", BARE_RATE, 429),
    ("zai", 401, plain("Authorization Token invalid", "1002"), "", AUTH, 502),
    ("alibaba-dashscope", 400, plain("Range of input length should be [1, 8]", "invalid_parameter_error"), "", CONTEXT, 400),
    ("alibaba-dashscope", 400, plain("Output data may contain inappropriate content.", "data_inspection_failed"), "", FILTER, 400),
    ("alibaba-dashscope", 401, plain("Incorrect API key provided.", "InvalidApiKey"), "", AUTH, 502),
    ("openrouter", 402, plain("Insufficient credits. Add more using https://x.example", 402), "", BILLING, 503),
    ("openrouter", 403, plain("x requires moderation on openrouter.ai. Your input was flagged for \"a\".", 403), "", FILTER, 400),
    ("openrouter", 404, plain("No endpoints found for x.", 404), "", MODEL, 404),
    ("fireworks", 412, {"error": "Account acme is suspended, possibly due to reaching the monthly spending limit"}, "", BILLING, 503),
    ("together", 422, plain("Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8"), "", CONTEXT, 400),
    ("cerebras", 429,
     plain("We're experiencing high traffic right now!", "queue_exceeded", "too_many_requests_error"),
     "", OVERLOADED, 503),
    ("cloudflare-workers-ai", 400,
     {"success": False, "errors": [{"code": 5021, "message": "AiError: tokens (9) exceeded this model context window limit (8)"}]},
     "", CONTEXT, 400),
    ("nvidia", 402, {"status": 402, "title": "Payment Required", "detail": "Account 'acme': Cloud credits expired"}, "", BILLING, 503),
    ("vllm", 400,
     {"object": "error", "message": "This model's maximum context length is 8 tokens.", "type": "BadRequestError", "code": 400},
     "", CONTEXT, 400),
    ("llamacpp", 400,
     {"error": {"code": 400, "message": "the request exceeds the available context size", "type": "exceed_context_size_error"}},
     "", CONTEXT, 400),
    ("llamacpp", 503, {"error": {"code": 503, "message": "Loading model", "type": "unavailable_error"}}, "", SERVER, 503),
    ("ollama", 404, {"error": 'model "x" not found, try pulling it first'}, "", MODEL, 404),
    ("sglang", 400, plain("The input (9 tokens) is longer than the model's context length (8 tokens)."), "", CONTEXT, 400),
    ("lmstudio", 400, {"error": "Trying to keep the first 9 tokens when context the overflows."}, "", CONTEXT, 400),
]  # fmt: skip


@pytest.mark.parametrize(
    ("provider", "status", "body", "kind", "row", "seen"), CASES, ids=[f"{c[0]}-{n}" for n, c in enumerate(CASES)]
)
def test_a_providers_words_are_understood(
    provider: str, status: int, body: Any, kind: str, row: int, seen: int
) -> None:
    headers = [(b"x-amzn-errortype", kind.encode())] if kind else []
    fault = classify(status, headers, json.dumps(body).encode())
    assert (fault.row, fault.client_status("chat")) == (row, seen), fault
    shown = str(fault.error(dialect="chat"))
    assert ACCOUNT not in shown and "acme" not in shown and "arn:" not in shown
    if row in (AUTH, BILLING, QUOTA):
        assert fault.status not in (401, 402, 403)


@pytest.mark.parametrize("status", [401, 402, 403])
@pytest.mark.parametrize("body", [{}, {"message": "x"}, plain("x"), anthropic("permission_error", "x"), "x"])
@pytest.mark.parametrize("dialect", ["chat", "messages", "responses", "gemini"])
def test_a_refusal_of_our_account_is_never_the_clients(status: int, body: Any, dialect: str) -> None:
    fault = classify(status, [], json.dumps(body).encode())
    assert fault.client_status(dialect) in (502, 503) and fault.row in (AUTH, BILLING)
