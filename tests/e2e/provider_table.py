"""What each provider of the catalogue must get, written down by hand from its documentation and beside the catalogue.

The trials compare what really goes out with this table, so that a slip in the catalogue or in the code is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

CLAUDE, GEMINI, NOVA, OPEN = "claude-sonnet-5", "gemini-3-pro", "us.amazon.nova-pro-v1:0", "openai.gpt-oss-120b-1:0"
AWS_CLAUDE, LLAMA = "us.anthropic.claude-sonnet-5-v1:0", "meta/llama-5-maas"
_KEY = 'api_key = "${KEY}"'
_AWS = 'region = "us-east-1"\naccess_key_id = "${AWS_ID}"\nsecret_access_key = "${KEY}"\nsession_token = "${AWS_TOKEN}"'


@dataclass(frozen=True, kw_only=True)
class Row:
    """`urls`: dialect -> address of a call, `{model}` left in. `base`: path of the base address. `models`: by dialect, "m" elsewhere.

    `auth`: the header that carries the key, `bearer`, `sigv4` or `none`. `usage`: shape of the usage in chat; `where` it comes in
    a stream. `thinks`: field of chat in which thinking comes. `limit`: name of the output limit in chat; `either` when both do.
    `developer`: takes that role in chat. `seed`: its name in chat. `without`: fields of chat that are refused. `ids`: of tool
    calls in chat.
    """

    urls: dict[str, str]
    base: str
    auth: str = "bearer"
    settings: str = _KEY
    models: dict[str, str] = field(default_factory=dict)
    usage: str = "openai"
    where: str = "separate"
    thinks: str = "reasoning_content"
    limit: str = "max_tokens"
    developer: bool = False
    seed: str = "seed"
    without: tuple[str, ...] = ()
    ids: str = ""


def _openai(root: str, *more: str, others: dict[str, str] | None = None, **facts: Any) -> Row:
    paths = {"chat": "/chat/completions", "responses": "/responses", "messages": "/messages"}
    urls = {dialect: root + paths[dialect] for dialect in ("chat", *more)}
    base = "/" + root.partition("://")[2].partition("/")[2]
    return Row(urls=urls | (others or {}), base="" if base == "/" else base, **facts)


def _local(root: str, **facts: Any) -> Row:
    return _openai(root, "responses", "messages", settings="", auth="none", **facts)


_GOOGLE = "https://us-east1-aiplatform.googleapis.com/v1/projects/acme/locations/us-east1"
_BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com"
_MISTRAL: dict[str, Any] = {
    "usage": "mistral",
    "where": "last",
    "seed": "random_seed",
    "without": ("max_completion_tokens", "stream_options", "seed"),
    "ids": "[A-Za-z0-9]{9}",
}
_NEW: dict[str, Any] = {"limit": "max_completion_tokens", "developer": True}

TABLE: dict[str, Row] = {
    "alibaba-dashscope": _openai(
        "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
        "responses",
        others={"messages": "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1/messages"},
    ),
    "anthropic": Row(urls={"messages": "https://api.anthropic.com/v1/messages"}, base="", auth="x-api-key"),
    "azure-openai": Row(
        urls={
            "chat": "https://acme.openai.azure.com/openai/v1/chat/completions",
            "responses": "https://acme.openai.azure.com/openai/v1/responses",
            "messages": "https://acme.services.ai.azure.com/anthropic/v1/messages",
        },
        base="/openai/v1",
        auth="api-key",
        settings=f'resource = "acme"\n{_KEY}',
        models={"messages": CLAUDE},
        **_NEW,
    ),
    "baseten": _openai("https://inference.baseten.co/v1"),
    "bedrock": Row(
        urls={
            "converse": f"{_BEDROCK}/model/{{model}}/converse",
            "bedrock-messages": f"{_BEDROCK}/model/{{model}}/invoke",
            "chat": f"{_BEDROCK}/openai/v1/chat/completions",
            "responses": f"{_BEDROCK}/openai/v1/responses",
        },
        base="",
        auth="sigv4",
        settings=_AWS,
        models={"converse": NOVA, "bedrock-messages": AWS_CLAUDE, "chat": OPEN, "responses": OPEN},
    ),
    "cerebras": _openai("https://api.cerebras.ai/v1", limit="max_completion_tokens"),
    "cloudflare-workers-ai": _openai(
        "https://api.cloudflare.com/client/v4/accounts/acme/ai/v1", "responses", settings=f'resource = "acme"\n{_KEY}'
    ),
    "codestral": _openai("https://codestral.mistral.ai/v1", **_MISTRAL),
    "cohere": Row(urls={"cohere": "https://api.cohere.com/v2/chat"}, base="/v2"),
    "deepinfra": _openai(
        "https://api.deepinfra.com/v1/openai", others={"messages": "https://api.deepinfra.com/anthropic/v1/messages"}
    ),
    "deepseek": _openai(
        "https://api.deepseek.com",
        others={"messages": "https://api.deepseek.com/anthropic/v1/messages"},
        usage="deepseek",
    ),
    "fireworks": _openai("https://api.fireworks.ai/inference/v1", "responses", "messages"),
    "github-copilot": _openai(
        "https://api.githubcopilot.com", "responses", others={"messages": "https://api.githubcopilot.com/v1/messages"}
    ),
    "github-models": _openai("https://models.github.ai/inference"),
    "google-gemini": Row(
        urls={"gemini": "https://generativelanguage.googleapis.com/v1beta/models/{model}:generateContent"},
        base="/v1beta",
        auth="x-goog-api-key",
        models={"gemini": GEMINI},
    ),
    "google-vertex": Row(
        urls={
            "gemini": f"{_GOOGLE}/publishers/google/models/{{model}}:generateContent",
            "vertex-messages": f"{_GOOGLE}/publishers/anthropic/models/{{model}}:rawPredict",
            "chat": f"{_GOOGLE}/endpoints/openapi/chat/completions",
        },
        base="/v1/projects/acme/locations/us-east1",
        settings=f'region = "us-east1"\nproject = "acme"\n{_KEY}',
        models={"gemini": GEMINI, "vertex-messages": CLAUDE, "chat": LLAMA},
    ),
    "groq": _openai("https://api.groq.com/openai/v1", "responses", usage="groq", thinks="reasoning", limit="either"),
    "huggingface": _openai("https://router.huggingface.co/v1", "responses"),
    "hyperbolic": _openai("https://api.hyperbolic.xyz/v1"),
    "inception": _openai("https://api.inceptionlabs.ai/v1"),
    "llamacpp": _local("http://localhost:8080/v1"),
    "lmstudio": _local("http://127.0.0.1:1234/v1"),
    "minimax": _openai(
        "https://api.minimax.io/v1", others={"messages": "https://api.minimax.io/anthropic/v1/messages"}
    ),
    "mistral": _openai(
        "https://api.mistral.ai/v1", **(_MISTRAL | {"without": (*_MISTRAL["without"], "user", "logit_bias")})
    ),
    "moonshot": _openai(
        "https://api.moonshot.ai/v1",
        others={"messages": "https://api.moonshot.ai/anthropic/v1/messages"},
        usage="moonshot",
    ),
    "nebius": _openai("https://api.tokenfactory.nebius.com/v1"),
    "novita": _openai(
        "https://api.novita.ai/openai/v1", others={"messages": "https://api.novita.ai/anthropic/v1/messages"}
    ),
    "nvidia": _openai("https://integrate.api.nvidia.com/v1"),
    "ollama": _local("http://localhost:11434/v1", thinks="reasoning"),
    "openai": _openai("https://api.openai.com/v1", "responses", **_NEW),
    "openrouter": _openai(
        "https://openrouter.ai/api/v1", "responses", "messages", usage="openrouter", thinks="reasoning", limit="either"
    ),
    "sambanova": _openai("https://api.sambanova.ai/v1"),
    "sglang": _local("http://localhost:30000/v1"),
    "siliconflow": _openai("https://api.siliconflow.com/v1", "messages"),
    "stepfun": _openai("https://api.stepfun.com/v1", "responses", "messages", thinks="reasoning"),
    "together": _openai("https://api.together.ai/v1", thinks="reasoning"),
    "vercel-ai-gateway": _openai("https://ai-gateway.vercel.sh/v1", "responses", "messages"),
    "vllm": _local("http://localhost:8000/v1", thinks="reasoning", limit="either"),
    "xai": _openai("https://api.x.ai/v1", "responses", "messages", usage="xai"),
    "xiaomi": _openai(
        "https://api.xiaomimimo.com/v1", others={"messages": "https://api.xiaomimimo.com/anthropic/v1/messages"}
    ),
    "zai": _openai("https://api.z.ai/api/paas/v4", others={"messages": "https://api.z.ai/api/anthropic/v1/messages"}),
}
