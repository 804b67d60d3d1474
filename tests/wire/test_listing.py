from __future__ import annotations

import json

from suffice.wire.listing import (
    ListedModel,
    anthropic_list,
    anthropic_model,
    gemini_list,
    gemini_model,
    openai_list,
)

MODELS = [
    ListedModel(
        id="auto", name="Cheapest that suffices", created_s=1_700_000_000, context_tokens=200_000, output_tokens=64_000
    ),
    ListedModel(id="claude-x", reasoning=True),
    ListedModel(id="openai/embed", embeddings=True, owner="openai"),
]


def test_openais_shape() -> None:
    body = json.loads(openai_list(MODELS))
    assert body["object"] == "list"
    assert body["data"][2] == {"id": "openai/embed", "object": "model", "created": 0, "owned_by": "openai"}
    assert body["data"][0]["context_length"] == 200_000


def test_anthropics_shape_and_pages() -> None:
    assert anthropic_model(MODELS[0]) == {
        "type": "model",
        "id": "auto",
        "display_name": "Cheapest that suffices",
        "created_at": "2023-11-14T22:13:20Z",
        "max_input_tokens": 200_000,
        "max_tokens": 64_000,
        "lifecycle": "active",
        "capabilities": None,
    }
    seen: list[str] = []
    after = ""
    for _ in range(5):
        page = json.loads(anthropic_list(MODELS, limit=2, after_id=after))
        seen += [row["id"] for row in page["data"]]
        after = page["last_id"]
        if not page["has_more"]:
            break
    assert seen == ["auto", "claude-x", "openai/embed"]
    back = json.loads(anthropic_list(MODELS, limit=1, before_id="openai/embed"))
    assert (back["first_id"], back["has_more"]) == ("claude-x", True)
    assert json.loads(anthropic_list(MODELS, before_id="auto"))["data"] == []
    empty = json.loads(anthropic_list(MODELS, after_id="gone"))
    assert empty == {"data": [], "has_more": False, "first_id": None, "last_id": None}


def test_geminis_shape_and_pages() -> None:
    assert gemini_model(MODELS[1])["thinking"] is True
    assert gemini_model(MODELS[2])["supportedGenerationMethods"] == ["embedContent", "batchEmbedContents"]
    assert gemini_model(MODELS[0])["inputTokenLimit"] == 200_000
    first = json.loads(gemini_list(MODELS, page_size=2))
    assert [row["name"] for row in first["models"]] == ["models/auto", "models/claude-x"]
    rest = json.loads(gemini_list(MODELS, page_size=2, page_token=first["nextPageToken"]))
    assert [row["name"] for row in rest["models"]] == ["models/openai/embed"]
    assert "nextPageToken" not in rest
    assert len(json.loads(gemini_list(MODELS, page_token="x"))["models"]) == 3
