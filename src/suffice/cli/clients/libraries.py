"""Libraries: variables that they read themselves, and the lines of a program for those that read none.

Launching one runs any program with these variables: `suffice launch openai-sdk -- python agent.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from suffice.cli.clients.setting import Client, Dialect, Evidence, Launch, Setting, Wiring, quoted, variables


def _env(wiring: Wiring) -> dict[str, str]:
    if wiring.dialect == "messages":
        return {"ANTHROPIC_BASE_URL": wiring.base, "ANTHROPIC_API_KEY": wiring.key}
    if wiring.dialect == "gemini":
        return {"GOOGLE_GEMINI_BASE_URL": wiring.base, "GEMINI_API_KEY": wiring.key}
    return {"OPENAI_BASE_URL": wiring.v1, "OPENAI_API_KEY": wiring.key}


def _with_code(code: Callable[[Wiring], str]) -> Callable[[Wiring], tuple[Setting, ...]]:
    def settings(wiring: Wiring) -> tuple[Setting, ...]:
        return (*variables(_env(wiring)), Setting(kind="code", content=code(wiring)))

    return settings


def _openai(wiring: Wiring) -> str:
    call = "responses.create" if wiring.dialect == "responses" else "chat.completions.create"
    return (
        "from openai import OpenAI\n\n"
        f"client = OpenAI(base_url={quoted(wiring.v1)}, api_key={quoted(wiring.key)})\n"
        f"# client.{call}(model={quoted(wiring.model)}, ...)\n"
    )


def _anthropic(wiring: Wiring) -> str:
    return (
        "from anthropic import Anthropic\n\n"
        f"client = Anthropic(base_url={quoted(wiring.base)}, api_key={quoted(wiring.key)})\n"
        f"# client.messages.create(model={quoted(wiring.model)}, ...)\n"
    )


def _google(wiring: Wiring) -> str:
    return (
        "from google import genai\n\n"
        f'client = genai.Client(api_key={quoted(wiring.key)}, http_options={{"base_url": {quoted(wiring.base)}}})\n'
        f"# client.models.generate_content(model={quoted(wiring.model)}, ...)\n"
    )


_VERCEL: dict[Dialect, tuple[str, str]] = {
    "chat": ("@ai-sdk/openai-compatible", "createOpenAICompatible"),
    "responses": ("@ai-sdk/openai", "createOpenAI"),
    "messages": ("@ai-sdk/anthropic", "createAnthropic"),
    "gemini": ("@ai-sdk/google", "createGoogleGenerativeAI"),
}


def _vercel(wiring: Wiring) -> str:
    package, create = _VERCEL[wiring.dialect]
    url = wiring.base + "/v1beta" if wiring.dialect == "gemini" else wiring.v1
    name = ' name: "suffice",' if wiring.dialect == "chat" else ""
    return (
        f'import {{ {create} }} from "{package}";\n\n'
        f"const suffice = {create}({{{name} baseURL: {quoted(url)}, apiKey: {quoted(wiring.key)} }});\n"
        f"const model = suffice({quoted(wiring.model)});\n"
    )


def _vercel_settings(wiring: Wiring) -> tuple[Setting, ...]:
    note = "the packages read no base URL that is the same for all of them, so it stands in the program"
    return (Setting(kind="code", content=_vercel(wiring), note=note),)


def _langchain(wiring: Wiring) -> str:
    if wiring.dialect == "messages":
        module, kind, url = "langchain_anthropic", "ChatAnthropic", wiring.base
    elif wiring.dialect == "gemini":
        module, kind, url = "langchain_google_genai", "ChatGoogleGenerativeAI", wiring.base
    else:
        module, kind, url = "langchain_openai", "ChatOpenAI", wiring.v1
    extra = ", use_responses_api=True" if wiring.dialect == "responses" else ""
    return (
        f"from {module} import {kind}\n\n"
        f"llm = {kind}(model={quoted(wiring.model)}, base_url={quoted(url)}, api_key={quoted(wiring.key)}{extra})\n"
    )


_PYDANTIC: dict[Dialect, tuple[str, str, str]] = {
    "chat": ("openai", "OpenAIChatModel", "OpenAIProvider"),
    "responses": ("openai", "OpenAIResponsesModel", "OpenAIProvider"),
    "messages": ("anthropic", "AnthropicModel", "AnthropicProvider"),
    "gemini": ("google", "GoogleModel", "GoogleProvider"),
}


def _pydantic(wiring: Wiring) -> str:
    family, model, provider = _PYDANTIC[wiring.dialect]
    url = wiring.v1 if family == "openai" else wiring.base
    return (
        "from pydantic_ai import Agent\n"
        f"from pydantic_ai.models.{family} import {model}\n"
        f"from pydantic_ai.providers.{family} import {provider}\n\n"
        f"provider = {provider}(base_url={quoted(url)}, api_key={quoted(wiring.key)})\n"
        f"agent = Agent({model}({quoted(wiring.model)}, provider=provider))\n"
    )


def _library(
    name: str,
    title: str,
    dialects: tuple[Dialect, ...],
    code: Callable[[Wiring], str],
    install: str,
    version: str,
    evidence: Evidence = "run",
) -> Client:
    return Client(
        name=name,
        title=title,
        dialects=dialects,
        settings=_with_code(code),
        launch=lambda wiring: Launch(env=_env(wiring)),
        install=install,
        version=version,
        evidence=evidence,
    )


LIBRARIES: tuple[Client, ...] = (
    _library(
        "openai-sdk", "OpenAI SDKs", ("chat", "responses"), _openai, "pip install openai", "Python 3.54.0, Node 7.57.0"
    ),
    _library(
        "anthropic-sdk",
        "Anthropic SDKs",
        ("messages",),
        _anthropic,
        "pip install anthropic",
        "Python 2.12.0, Node 1.12.0",
    ),
    _library(
        "google-sdk", "Google Gen AI SDKs", ("gemini",), _google, "pip install google-genai", "Python 3.4.0, Node 3.1.0"
    ),
    Client(
        name="vercel-ai-sdk",
        title="Vercel AI SDK",
        dialects=("chat", "responses", "messages", "gemini"),
        settings=_vercel_settings,
        launch=None,
        install="npm i ai",
        version="ai 7.0.173",
        evidence="run",
    ),
    _library(
        "langchain",
        "LangChain",
        ("chat", "responses", "messages", "gemini"),
        _langchain,
        "pip install langchain-openai (or langchain-anthropic, langchain-google-genai)",
        "langchain-openai 1.7.3, langchain-anthropic 1.7.7, langchain-google-genai 4.4.2",
    ),
    _library(
        "pydantic-ai",
        "Pydantic AI",
        ("chat", "responses", "messages", "gemini"),
        _pydantic,
        "pip install pydantic-ai-slim",
        "pydantic-ai-slim 2.66.0",
    ),
)
