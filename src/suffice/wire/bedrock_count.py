"""Counting a Messages prompt at Bedrock (CountTokens): the body of an invocation inside a request, and a number back.

It is pure. The operation knows models by the names of the models themselves; many of them are invoked by the name of a profile only,
that of a region before the model's. Invariant: what is counted is what would be sent, but for an output limit that a count has none of.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import msgspec

from suffice.errors import WireError
from suffice.wire.cloud_messages import wrap

# An invocation must have a limit above the tokens of its thinking; no token of it is counted.
_LIMIT_TOKENS = 1024
_PROFILE = re.compile(r"\A(?:arn:[^/]*:inference-profile/)?[a-z]+(?:-[a-z]+)*\.(?=[a-z0-9]+\.)")


def encode_request(body: bytes, betas: tuple[str, ...] = ()) -> bytes:
    """Return the request for a count of the Messages `body`. `betas` are the client's. Raises RequestError for what is no object."""
    rows: dict[str, Any] = msgspec.json.decode(wrap(body, "bedrock", betas))
    if "max_tokens" not in rows:
        thinking = rows.get("thinking")
        budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else 0
        rows["max_tokens"] = _LIMIT_TOKENS + (budget if isinstance(budget, int) else 0)
    invocation = base64.b64encode(msgspec.json.encode(rows)).decode()
    return msgspec.json.encode({"input": {"invokeModel": {"body": invocation}}})


def decode_response(body: bytes) -> int:
    """Return the tokens counted. Raises WireError when there is no number."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found = None
    count = found.get("inputTokens") if isinstance(found, dict) else None
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise WireError("the provider's count has no number of tokens")
    return count


def names(model: str) -> tuple[str, ...]:
    """Return under which names to ask for a count of `model`, the likeliest first: without the profile's region, and as it is."""
    return tuple(dict.fromkeys((_PROFILE.sub("", model), model)))
