import pytest

from suffice.catalog.book import Catalog
from suffice.catalog.load import load
from suffice.catalog.providers import AuthScheme, UsageShape

IDS = [
    "alibaba-dashscope",
    "anthropic",
    "azure-openai",
    "baseten",
    "bedrock",
    "cerebras",
    "cloudflare-workers-ai",
    "codestral",
    "cohere",
    "deepinfra",
    "deepseek",
    "fireworks",
    "github-copilot",
    "github-models",
    "google-gemini",
    "google-vertex",
    "groq",
    "huggingface",
    "hyperbolic",
    "inception",
    "llamacpp",
    "lmstudio",
    "minimax",
    "mistral",
    "moonshot",
    "nebius",
    "novita",
    "nvidia",
    "ollama",
    "openai",
    "openrouter",
    "sambanova",
    "sglang",
    "siliconflow",
    "stepfun",
    "together",
    "vercel-ai-gateway",
    "vllm",
    "xai",
    "xiaomi",
    "zai",
]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return load()


def test_all_41_providers(catalog: Catalog) -> None:
    assert [p.id for p in catalog.providers()] == IDS and len(IDS) == 41


def test_every_provider_can_be_called(catalog: Catalog) -> None:
    for provider in catalog.providers():
        assert provider.base_url.startswith(("https://", "http://localhost", "http://127.0.0.1")), provider.id
        assert provider.dialects and all(v.startswith(("/", "~/", "https://")) for v in provider.dialects.values())
        assert provider.local or provider.env_vars, provider.id
        assert provider.base_url.startswith("https://") or provider.local
        if provider.fim is not None:
            assert provider.fim.path == provider.dialects["fim"], provider.id


def test_urls(catalog: Catalog) -> None:
    ollama, azure = catalog.provider("ollama"), catalog.provider("azure")
    assert ollama is not None and azure is not None and azure.id == "azure-openai"
    assert ollama.url("chat") == "http://localhost:11434/v1/chat/completions"
    assert ollama.url("native") == "http://localhost:11434/api/chat"
    assert ollama.url("native", "https://box:9/v1/") == "https://box:9/api/chat"
    assert ollama.url("batches") is None
    assert azure.url("messages") == "https://{resource}.services.ai.azure.com/anthropic/v1/messages"


def test_usage_rules_that_decide_money(catalog: Catalog) -> None:
    def rule(name: str) -> tuple[UsageShape, bool, bool]:
        provider = catalog.provider(name)
        assert provider is not None
        return provider.usage.shape, provider.usage.prompt_includes_cache, provider.usage.output_includes_reasoning

    assert rule("openai") == (UsageShape.OPENAI, True, True)
    assert rule("anthropic") == (UsageShape.ANTHROPIC, False, True)
    assert rule("google-gemini") == (UsageShape.GEMINI, True, False)
    assert rule("xai") == (UsageShape.XAI, True, False)
    assert rule("bedrock") == (UsageShape.BEDROCK, False, True)


def test_facts_have_sources_and_the_retired_are_not_offered(catalog: Catalog) -> None:
    for provider in catalog.providers():
        for fact in provider.attributes.values():
            assert fact.source and fact.date and fact.confidence in {"documented", "background", "operator"}
    retired = catalog.provider("github-models")
    assert retired is not None and not retired.offered and retired.retired_at == "2026-07-30"
    anthropic = catalog.provider("anthropic")
    assert anthropic is not None and anthropic.auth is AuthScheme.X_API_KEY
