"""Drives LangChain or Pydantic AI against the gateway and prints what it made of the answers, as node/sdk.mjs does.

Run as a program of its own, with the environment in which the library is installed. Arguments: library, address of the gateway
without a path, key, model. Each is made as `suffice connect` says.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from asks import ASK, RESULT, SCHEMA, STRUCTURE, main


class LangChain:
    """`kind` is the dialect of the chat model."""

    def __init__(self, kind: str, base: str, key: str, model: str) -> None:
        self.llm = self._made(kind, base, key, model)

    def _made(self, kind: str, base: str, key: str, model: str) -> Any:
        if kind == "messages":
            from langchain_anthropic import ChatAnthropic

            return ChatAnthropic(model=model, base_url=base, api_key=key, max_retries=0)  # type: ignore[call-arg]
        if kind == "gemini":
            from langchain_google_genai import ChatGoogleGenerativeAI

            return ChatGoogleGenerativeAI(model=model, base_url=base, api_key=key, max_retries=1)
        from langchain_openai import ChatOpenAI

        url = f"{base}/v1"
        return ChatOpenAI(
            model=model,
            base_url=url,
            api_key=key,
            max_retries=0,
            stream_usage=True,
            use_responses_api=kind == "responses",
        )

    def _streamed(self, given: Any, llm: Any = None) -> Any:
        whole = None
        for piece in (llm or self.llm).stream(given):
            whole = piece if whole is None else whole + piece
        return whole

    def text(self) -> dict[str, Any]:
        answer = self._streamed(ASK)
        return {"text": answer.text, "output": answer.usage_metadata["output_tokens"]}

    def whole(self) -> dict[str, Any]:
        answer = self.llm.invoke(ASK)
        return {"text": answer.text, "output": answer.usage_metadata["output_tokens"]}

    def loop(self, text: str) -> dict[str, Any]:
        from langchain_core.messages import HumanMessage
        from langchain_core.tools import tool

        @tool
        def weather(city: str) -> str:
            """Tell the weather."""
            return RESULT

        llm = self.llm.bind_tools([weather])
        said = self._streamed([HumanMessage(text)], llm)
        results = [weather.invoke(call) for call in said.tool_calls]
        last = self._streamed([HumanMessage(text), said, *results], llm)
        return {"inputs": [call["args"] for call in said.tool_calls], "final": last.text}

    def structured(self) -> Any:
        return self.llm.with_structured_output({"title": "place", "description": "d", **SCHEMA}).invoke(STRUCTURE)

    def fail(self, text: str) -> None:
        self._streamed(text)


class PydanticAI:
    """`kind` is the dialect of the model."""

    def __init__(self, kind: str, base: str, key: str, model: str) -> None:
        self.kind = kind
        self.model = self._made(kind, base, key, model)

    def _made(self, kind: str, base: str, key: str, model: str) -> Any:
        if kind == "messages":
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            return AnthropicModel(model, provider=AnthropicProvider(base_url=base, api_key=key))
        if kind == "gemini":
            from pydantic_ai.models.google import GoogleModel
            from pydantic_ai.providers.google import GoogleProvider

            return GoogleModel(model, provider=GoogleProvider(base_url=base, api_key=key))
        from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
        from pydantic_ai.providers.openai import OpenAIProvider

        provider = OpenAIProvider(base_url=f"{base}/v1", api_key=key)
        return (OpenAIResponsesModel if kind == "responses" else OpenAIChatModel)(model, provider=provider)

    def text(self) -> dict[str, Any]:
        from pydantic_ai import Agent

        with_stream = Agent(self.model).run_stream_sync(ASK)
        text = "".join(with_stream.stream_text(delta=True))
        usage = with_stream.usage
        return {"text": text, "output": (usage() if callable(usage) else usage).output_tokens}

    def whole(self) -> dict[str, Any]:
        from pydantic_ai import Agent

        done = Agent(self.model).run_sync(ASK)
        usage = done.usage
        return {"text": done.output, "output": (usage() if callable(usage) else usage).output_tokens}

    def loop(self, text: str) -> dict[str, Any]:
        from pydantic_ai import Agent

        agent, inputs = Agent(self.model), []

        @agent.tool_plain
        def weather(city: str) -> str:
            """Tell the weather."""
            inputs.append({"city": city})
            return RESULT

        # Two calls run at the same time, in threads.
        return {
            "final": agent.run_sync(text).output,
            "inputs": sorted(inputs, key=lambda given: -ord(given["city"][0])),
        }

    def structured(self) -> Any:
        from pydantic import BaseModel
        from pydantic_ai import Agent, NativeOutput

        class Place(BaseModel):
            city: str

        by_tool = Agent(self.model, output_type=Place).run_sync(STRUCTURE).output
        if self.kind == "messages":  # It refuses the native way for models whose names do not begin with claude.
            return by_tool.model_dump()
        native = Agent(self.model, output_type=NativeOutput(Place)).run_sync(STRUCTURE).output
        assert by_tool == native, (by_tool, native)
        return native.model_dump()

    def fail(self, text: str) -> None:
        from pydantic_ai import Agent

        Agent(self.model).run_sync(text)


if __name__ == "__main__":
    dialects = ("chat", "responses", "messages", "gemini")
    main(
        {f"langchain-{kind}": partial(LangChain, kind) for kind in dialects}
        | {f"pydantic-ai-{kind}": partial(PydanticAI, kind) for kind in dialects}
    )
