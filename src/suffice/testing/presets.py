"""Ready-made behaviours for the faults that providers really show. Each function returns one `Behaviour`.

They are data only; combine or change them with `msgspec.structs.replace`.
"""

from __future__ import annotations

from suffice.testing.script import Behaviour, Error, Frames, Timing, ToolCall, Toxic

LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in</body></html>"


def answer(text: str, *, usage_tokens: int | None = None) -> Behaviour:
    """A correct answer; `usage_tokens` sets the prompt tokens."""
    return Behaviour(text=text, prompt_tokens=usage_tokens)


def tool_call(name: str, arguments: str, *more: ToolCall) -> Behaviour:
    """A call of one tool, or of several in parallel."""
    return Behaviour(text="", tool_calls=(ToolCall(name=name, arguments=arguments), *more))


def rate_limited(retry_after: str = "", *, date_s: float | None = None, milliseconds: int | None = None) -> Behaviour:
    """429, with Retry-After as text, as an HTTP date `date_s` seconds ahead, in milliseconds, or without."""
    error = Error(message="Rate limit reached for requests", type="requests", code="rate_limit_exceeded")
    return Behaviour(
        status=429, error=error, retry_after=retry_after, retry_after_date_s=date_s, retry_after_ms=milliseconds
    )


def quota_exceeded() -> Behaviour:
    """429 that waiting does not mend: the account has no credit left."""
    error = Error(message="You exceeded your current quota.", type="insufficient_quota", code="insufficient_quota")
    return Behaviour(status=429, error=error)


def failing(status: int, *, retry_after: str = "") -> Behaviour:
    """A plain error of any status: 500, 502, 503, 504, 529, 408, 413."""
    kind = "overloaded_error" if status == 529 else "server_error" if status >= 500 else "invalid_request_error"
    return Behaviour(status=status, error=Error(type=kind), retry_after=retry_after)


def bad_credential(status: int = 401) -> Behaviour:
    """401 or 403 from the provider."""
    code = "invalid_api_key" if status == 401 else "permission_denied"
    error = Error(message="Incorrect API key provided", type="authentication_error", code=code)
    return Behaviour(status=status, error=error)


def no_credit() -> Behaviour:
    """402: the provider wants to be paid first."""
    return Behaviour(status=402, error=Error(message="Insufficient Balance", type="billing_error", code="billing"))


def unknown_model() -> Behaviour:
    """404: the model is gone, or not served here."""
    error = Error(message="The model does not exist", type="invalid_request_error", code="model_not_found")
    return Behaviour(status=404, error=error)


def too_long(limit: int = 8192, had: int = 9000) -> Behaviour:
    """400: the prompt does not fit into the model's window."""
    message = f"This model's maximum context length is {limit} tokens. However, your messages resulted in {had} tokens."
    error = Error(message=message, type="invalid_request_error", code="context_length_exceeded", param="messages")
    return Behaviour(status=400, error=error)


def filtered() -> Behaviour:
    """400 from a content filter."""
    error = Error(message="The response was filtered", type="invalid_request_error", code="content_filter")
    return Behaviour(status=400, error=error)


def invalid(param: str = "temperature") -> Behaviour:
    """400: the request itself is wrong; no other provider will like it better."""
    error = Error(message=f"Invalid value for {param}", type="invalid_request_error", code="invalid_value", param=param)
    return Behaviour(status=400, error=error)


def error_in_200(code: str | int = 502, message: str = "Provider returned error") -> Behaviour:
    """Status 200 whose body is an error object."""
    return Behaviour(error_in_200=True, error=Error(message=message, type="upstream_error", code=code))


def login_page() -> Behaviour:
    """Status 200 with an HTML page where JSON was expected: a captive portal or a proxy."""
    return Behaviour(body=LOGIN_PAGE, content_type="text/html; charset=utf-8", bill="none")


def error_event(after_events: int = 0, error: Error | None = None) -> Behaviour:
    """A stream that turns into an error event after that many events (0: at once)."""
    return Behaviour(error=error or Error(type="server_error"), toxic=Toxic(error_after_events=after_events))


def cut(*, after_bytes: int | None = None, after_events: int | None = None, rst: bool = False) -> Behaviour:
    """A connection that ends in the middle of the body."""
    return Behaviour(toxic=Toxic(cut_after_bytes=after_bytes, cut_after_events=after_events, rst=rst))


def stalled(after_events: int = 2) -> Behaviour:
    """A stream that falls silent and stays open."""
    return Behaviour(toxic=Toxic(stall_after_events=after_events))


def dripping(between_tokens_s: float) -> Behaviour:
    """A stream that is alive and far too slow."""
    return Behaviour(timing=Timing(between_tokens_s=between_tokens_s))


def malformed(at_event: int = 1) -> Behaviour:
    """A stream with one event that is no JSON; a body that is no JSON without streaming."""
    return Behaviour(toxic=Toxic(malformed_at_event=at_event))


def empty() -> Behaviour:
    """A finished answer without a token."""
    return Behaviour(text="")


def unfinished() -> Behaviour:
    """A stream that ends cleanly on the wire without finish reason and without `[DONE]`."""
    return Behaviour(frames=Frames(no_terminal=True))


def reset() -> Behaviour:
    """A connection that is reset once the request has been read."""
    return Behaviour(toxic=Toxic(connection="rst"))
