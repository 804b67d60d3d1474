"""Which environment variable holds which provider's key, for discovery.

Variables that usually mean something else (GITHUB_TOKEN, HF_TOKEN, Google's credentials file, AWS access keys) are left
out: finding them must not start to spend somebody's money.
"""

from __future__ import annotations

from collections.abc import Mapping

_KEYS: dict[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "google-gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "alibaba-dashscope": ("DASHSCOPE_API_KEY",),
    "mistral": ("MISTRAL_API_KEY",),
    "codestral": ("CODESTRAL_API_KEY",),
    "together": ("TOGETHER_API_KEY",),
    "fireworks": ("FIREWORKS_API_KEY",),
    "groq": ("GROQ_API_KEY",),
    "xai": ("XAI_API_KEY",),
    "cerebras": ("CEREBRAS_API_KEY",),
    "sambanova": ("SAMBANOVA_API_KEY",),
    "deepinfra": ("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
    "novita": ("NOVITA_API_KEY",),
    "nebius": ("NEBIUS_API_KEY",),
    "hyperbolic": ("HYPERBOLIC_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
    "zai": ("ZAI_API_KEY", "ZHIPU_API_KEY"),
    "minimax": ("MINIMAX_API_KEY",),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "openrouter": ("OPENROUTER_API_KEY",),
    "inception": ("INCEPTION_API_KEY",),
    "siliconflow": ("SILICONFLOW_API_KEY",),
    "nvidia": ("NVIDIA_API_KEY",),
    "baseten": ("BASETEN_API_KEY",),
    "vercel-ai-gateway": ("AI_GATEWAY_API_KEY",),
    "xiaomi": ("XIAOMI_API_KEY",),
    "stepfun": ("STEPFUN_API_KEY",),
    "vllm": ("VLLM_API_KEY",),
    "llamacpp": ("LLAMA_API_KEY",),
}


def provider_env() -> Mapping[str, tuple[str, ...]]:
    """Return, for each provider id, the variables that may hold its key, the preferred one first."""
    return _KEYS
