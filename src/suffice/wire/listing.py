"""The list of models, and a single one, in the shape of each dialect.

Takes plain rows, so that it knows neither catalogue nor keys: the caller gives the models that this caller may use. Rerank and
moderation need no codec at all: splice the upstream's model into the body (`prescan.TopLevel.splice({"model": ...})`) and
pass everything else through, answer included.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

_json = msgspec.json.encode
MAX_PAGE = 1000
_METHODS = ("generateContent", "streamGenerateContent", "countTokens")


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model or alias as clients see it. `id` is the name to ask for; `created_s` seconds since the epoch, 0 unknown.

    Token limits are 0 when unknown. `reasoning` and `embeddings` say what kind it is;
    `retires_at` is the ISO date of its shutdown, "" when none is known, `retired` whether that is past.
    """

    id: str
    name: str = ""
    owner: str = "suffice"
    created_s: int = 0
    context_tokens: int = 0
    output_tokens: int = 0
    reasoning: bool = False
    embeddings: bool = False
    retires_at: str = ""
    retired: bool = False


def openai_model(model: ListedModel) -> dict[str, Any]:
    """Return a model in OpenAI's shape."""
    row: dict[str, Any] = {"id": model.id, "object": "model", "created": model.created_s, "owned_by": model.owner}
    if model.context_tokens:
        # Not OpenAI's, but what local servers and OpenRouter say and agents read.
        row |= {"context_length": model.context_tokens, "max_model_len": model.context_tokens}
    return row


def openai_list(models: Sequence[ListedModel]) -> bytes:
    """Return the body of GET /v1/models."""
    return _json({"object": "list", "data": [openai_model(model) for model in models]})


def anthropic_model(model: ListedModel) -> dict[str, Any]:
    """Return a model in Anthropic's shape."""
    created = datetime.fromtimestamp(model.created_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    row: dict[str, Any] = {
        "type": "model",
        "id": model.id,
        "display_name": model.name or model.id,
        "created_at": created,
        "lifecycle": "retired" if model.retired else "deprecated" if model.retires_at else "active",
    }
    if model.retires_at:
        row["retires_at"] = f"{model.retires_at}T00:00:00Z"
    # Required, and null where nothing is known.
    return row | {
        "max_input_tokens": model.context_tokens or None,
        "max_tokens": model.output_tokens or None,
        "capabilities": None,
    }


def anthropic_list(models: Sequence[ListedModel], *, limit: int = 20, after_id: str = "", before_id: str = "") -> bytes:
    """Return the body of GET /v1/models for Anthropic's clients: one page of at most `limit` (1 to 1000) models.

    An unknown cursor gives an empty page.
    """
    limit = min(max(limit, 1), MAX_PAGE)
    rows = list(models)
    ids = [model.id for model in rows]
    more = False
    if before_id:
        end = ids.index(before_id) if before_id in ids else 0
        page, more = rows[max(0, end - limit) : end], end > limit
    else:
        start = 0 if not after_id else ids.index(after_id) + 1 if after_id in ids else len(rows)
        page, more = rows[start : start + limit], start + limit < len(rows)
    return _json(
        {
            "data": [anthropic_model(model) for model in page],
            "has_more": more,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }
    )


def gemini_model(model: ListedModel) -> dict[str, Any]:
    """Return a model in Gemini's shape."""
    methods = ["embedContent", "batchEmbedContents"] if model.embeddings else list(_METHODS)
    row: dict[str, Any] = {
        "name": f"models/{model.id}",
        "baseModelId": model.id,
        "version": "001",
        "displayName": model.name or model.id,
        "supportedGenerationMethods": methods,
    }
    if model.context_tokens:
        row["inputTokenLimit"] = model.context_tokens
    if model.output_tokens:
        row["outputTokenLimit"] = model.output_tokens
    if model.reasoning:
        row["thinking"] = True
    return row


def gemini_list(models: Sequence[ListedModel], *, page_size: int = 50, page_token: str = "") -> bytes:
    """Return the body of GET /v1beta/models; `page_token` is what the page before gave, an unknown one starts anew."""
    size = min(max(page_size, 1), MAX_PAGE)
    start = int(page_token) if page_token.isdecimal() and len(page_token) < 10 else 0
    page = models[start : start + size]
    body: dict[str, Any] = {"models": [gemini_model(model) for model in page]}
    if start + size < len(models):
        body["nextPageToken"] = str(start + size)
    return _json(body)
