"""Drives one of the makers' SDKs for Python against the gateway and prints what it made of the answers, as node/sdk.mjs does.

Run as a program of its own, with the environment in which the library is installed. Arguments: library, address of the gateway
without a path, key, model.
"""

from __future__ import annotations

import json
from typing import Any

from asks import ASK, RESULT, SCHEMA, STRUCTURE, main


class OpenAIChat:
    def __init__(self, base: str, key: str, model: str) -> None:
        from openai import OpenAI

        self.completions = OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0).chat.completions
        self.model = model

    def _ask(self, text: str, **more: Any) -> Any:
        return self.completions.create(model=self.model, messages=[{"role": "user", "content": text}], **more)

    def _say(self, messages: list[Any], **more: Any) -> Any:
        options = {"include_usage": True}
        with self.completions.stream(model=self.model, messages=messages, stream_options=options, **more) as stream:  # type: ignore[var-annotated]
            return stream.get_final_completion()

    def text(self) -> dict[str, Any]:
        answer = self._say([{"role": "user", "content": ASK}])
        return {"text": answer.choices[0].message.content, "output": answer.usage.completion_tokens}

    def whole(self) -> dict[str, Any]:
        answer = self._ask(ASK)
        return {"text": answer.choices[0].message.content, "output": answer.usage.completion_tokens}

    def loop(self, text: str) -> dict[str, Any]:
        function = {"name": "weather", "description": "d", "parameters": SCHEMA, "strict": True}
        tools = [{"type": "function", "function": function}]
        said = self._say([{"role": "user", "content": text}], tools=tools).choices[0].message
        results = [{"role": "tool", "tool_call_id": call.id, "content": RESULT} for call in said.tool_calls]
        turns = [{"role": "user", "content": text}, said.model_dump(exclude_none=True, exclude={"parsed"}), *results]
        last = self._say(turns, tools=tools).choices[0].message
        return {"inputs": [json.loads(c.function.arguments) for c in said.tool_calls], "final": last.content}

    def structured(self) -> Any:
        kind = {"type": "json_schema", "json_schema": {"name": "place", "strict": True, "schema": SCHEMA}}
        return json.loads(self._ask(STRUCTURE, response_format=kind).choices[0].message.content)

    def fail(self, text: str) -> None:
        self._say([{"role": "user", "content": text}])


class OpenAIResponses:
    def __init__(self, base: str, key: str, model: str) -> None:
        from openai import OpenAI

        self.responses = OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0).responses
        self.model = model

    def _say(self, given: Any, **more: Any) -> Any:
        with self.responses.stream(model=self.model, input=given, **more) as stream:
            return stream.get_final_response()

    def text(self) -> dict[str, Any]:
        answer = self._say(ASK)
        return {"text": answer.output_text, "output": answer.usage.output_tokens}

    def whole(self) -> dict[str, Any]:
        answer = self.responses.create(model=self.model, input=ASK)
        return {"text": answer.output_text, "output": answer.usage.output_tokens}

    def loop(self, text: str) -> dict[str, Any]:
        tools = [{"type": "function", "name": "weather", "description": "d", "parameters": SCHEMA, "strict": True}]
        first = self._say(text, tools=tools)
        calls = [item for item in first.output if item.type == "function_call"]
        results = [{"type": "function_call_output", "call_id": call.call_id, "output": RESULT} for call in calls]
        last = self._say(results, tools=tools, previous_response_id=first.id)
        return {"inputs": [json.loads(call.arguments) for call in calls], "final": last.output_text}

    def structured(self) -> Any:
        kind = {"type": "json_schema", "name": "place", "strict": True, "schema": SCHEMA}
        return json.loads(
            self.responses.create(model=self.model, input=STRUCTURE, text={"format": kind}).output_text  # type: ignore[arg-type]
        )

    def fail(self, text: str) -> None:
        self._say(text)


class Anthropic:
    def __init__(self, base: str, key: str, model: str) -> None:
        from anthropic import Anthropic as Client

        self.messages = Client(base_url=base, api_key=key, max_retries=0).messages
        self.fixed: dict[str, Any] = {"model": model, "max_tokens": 500}

    def _ask(self, text: str, **more: Any) -> Any:
        return self.messages.create(**self.fixed, messages=[{"role": "user", "content": text}], **more)

    def _say(self, messages: list[Any], **more: Any) -> Any:
        with self.messages.stream(**self.fixed, messages=messages, **more) as stream:
            return stream.get_final_message()

    def text(self) -> dict[str, Any]:
        answer = self._say([{"role": "user", "content": ASK}])
        return {"text": answer.content[0].text, "output": answer.usage.output_tokens}

    def whole(self) -> dict[str, Any]:
        answer = self._ask(ASK)
        return {"text": answer.content[0].text, "output": answer.usage.output_tokens}

    def loop(self, text: str) -> dict[str, Any]:
        tools = [{"name": "weather", "description": "d", "input_schema": SCHEMA}]
        first = self._say([{"role": "user", "content": text}], tools=tools)
        calls = [block for block in first.content if block.type == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": RESULT} for call in calls]
        turns = [{"role": "user", "content": text}, {"role": "assistant", "content": first.content}]
        last = self._say([*turns, {"role": "user", "content": results}], tools=tools)
        return {"inputs": [call.input for call in calls], "final": last.content[0].text}

    def structured(self) -> Any:
        kind = {"format": {"type": "json_schema", "schema": SCHEMA}}
        return json.loads(self._ask(STRUCTURE, output_config=kind).content[0].text)

    def fail(self, text: str) -> None:
        self._say([{"role": "user", "content": text}])


class Google:
    def __init__(self, base: str, key: str, model: str) -> None:
        from google import genai
        from google.genai import types

        self.types = types
        self.client = genai.Client(api_key=key, http_options=types.HttpOptions(base_url=base))
        self.model = model

    def _ask(self, given: Any, **config: Any) -> Any:
        chosen = self.types.GenerateContentConfig(**config)
        return self.client.models.generate_content(model=self.model, contents=given, config=chosen)

    def _say(self, given: Any, **config: Any) -> tuple[list[Any], Any]:
        parts, usage = [], None
        chosen = self.types.GenerateContentConfig(**config)
        for piece in self.client.models.generate_content_stream(model=self.model, contents=given, config=chosen):
            parts += (
                (piece.candidates[0].content.parts or []) if piece.candidates and piece.candidates[0].content else []
            )
            usage = piece.usage_metadata or usage
        return parts, usage

    def text(self) -> dict[str, Any]:
        parts, usage = self._say(ASK)
        return {"text": "".join(part.text or "" for part in parts), "output": usage.candidates_token_count}

    def whole(self) -> dict[str, Any]:
        answer = self._ask(ASK)
        return {"text": answer.text, "output": answer.usage_metadata.candidates_token_count}

    def loop(self, text: str) -> dict[str, Any]:
        types = self.types
        weather = types.FunctionDeclaration(name="weather", description="d", parameters_json_schema=SCHEMA)
        config = {"tools": [types.Tool(function_declarations=[weather])]}
        asked = types.Content(role="user", parts=[types.Part(text=text)])
        made = [part for part in self._say([asked], **config)[0] if part.function_call]
        calls = [part.function_call for part in made]
        responses = [types.FunctionResponse(id=call.id, name=call.name, response={"result": RESULT}) for call in calls]
        results = types.Content(role="user", parts=[types.Part(function_response=one) for one in responses])
        last, _ = self._say([asked, types.Content(role="model", parts=made), results], **config)
        return {"inputs": [call.args for call in calls], "final": "".join(part.text or "" for part in last)}

    def structured(self) -> Any:
        answer = self._ask(STRUCTURE, response_mime_type="application/json", response_json_schema=SCHEMA)
        return json.loads(answer.text)

    def fail(self, text: str) -> None:
        self._say(text)


if __name__ == "__main__":
    main(
        {
            "openai-python-chat": OpenAIChat,
            "openai-python-responses": OpenAIResponses,
            "anthropic-python": Anthropic,
            "google-genai-python": Google,
        }
    )
