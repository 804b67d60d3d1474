"""Whether a chat request can go to a chat provider as it came, must be fitted to it, or must be written anew.

Facts of the catalogue decide, and what stands in the request. Written anew is what splices cannot do: freeform tools for a
provider without them, thinking that must come back to its issuer although clients drop it, answers in a form that clients of the
dialect do not read.
"""

from __future__ import annotations

from suffice.catalog.models import Model
from suffice.catalog.providers import Quirks
from suffice.wire.chat_fit import Fitted, Rules, fit
from suffice.wire.prescan import TopLevel

# Where thinking comes in a form of its own: as typed content, or inside the text.
_STRANGE_THINKING = ("thinking", "reasoning_details")


def fitted(top: TopLevel, quirks: Quirks, model: Model) -> Fitted | None:
    """Return how the request is fitted, None when it must be written anew."""
    thinks = model.has("reasoning") is not False
    tools = top.value("tools")
    if tools is not None:
        if thinks and quirks.reasoning_echo == "tool-loop":
            return None
        if not quirks.chat_custom_tools and b'"custom"' in tools and _custom(top):
            return None
    if thinks and quirks.reasoning_field in _STRANGE_THINKING:
        return None
    return fit(top, _rules(quirks, thinks=model.has("reasoning") is True))


def _rules(quirks: Quirks, *, thinks: bool) -> Rules:
    limit = quirks.max_tokens_field
    if limit == "either" or (limit == "max_completion_tokens" and not thinks):
        # The older name is the one that every server knows; only models that think refuse it.
        limit = ""
    unsupported = quirks.unsupported if quirks.stream_options else (*quirks.unsupported, "stream_options")
    return Rules(
        limit_field=limit,
        seed_field=quirks.seed_field,
        developer_role=quirks.developer_role,
        alnum9_ids=quirks.tool_id == "alnum9",
        parallel_tool_calls=quirks.parallel_tool_calls,
        max_stop=quirks.max_stop,
        unsupported=unsupported,
    )


def _custom(top: TopLevel) -> bool:
    rows = top.objects("tools")
    return rows is not None and any("type" in row and bytes(row["type"]) == b'"custom"' for row in rows)
