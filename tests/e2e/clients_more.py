"""Clients of Responses and Gemini, for the same conversation as in `clients`."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from tests.e2e.clients import ASK, PIXEL, SCHEMA, Told, frames
from tests.gateway.running import Answer


class Responses:
    """OpenAI Responses."""

    name, path = "responses", "/responses"
    stops: ClassVar[dict[str, str]] = {"end": "completed", "tools": "completed", "length": "incomplete"}

    def body(self, scenario: str, stream: bool) -> dict[str, Any]:
        content: Any = ASK
        body: dict[str, Any] = {"model": "one", "max_output_tokens": 4000, "instructions": "Be brief."}
        if stream:
            body["stream"] = True
        if scenario in ("tools", "parallel"):
            body["tools"] = [{"type": "function", "name": "weather", "description": "d", "parameters": SCHEMA}]
        if scenario == "custom":
            body["tools"] = [{"type": "custom", "name": "patch", "description": "Edit."}]
        if scenario == "reasoning":
            body["reasoning"] = {"effort": "high", "summary": "auto"}
        if scenario == "images":
            url = f"data:image/png;base64,{PIXEL}"
            content = [{"type": "input_text", "text": ASK}, {"type": "input_image", "image_url": url}]
        if scenario == "structured":
            body["text"] = {"format": {"type": "json_schema", "name": "c", "schema": SCHEMA, "strict": True}}
        return body | {"input": [{"type": "message", "role": "user", "content": content}]}

    def history(self, told: Told, results: list[str]) -> dict[str, Any]:
        """The next request of a tool loop, by the id of the answer."""
        body = self.body("tools", False)
        turns = [
            {"type": "function_call_output", "call_id": i, "output": r} for i, r in zip(told.ids, results, strict=True)
        ]
        assert told.answer is not None
        return body | {"previous_response_id": told.answer.json["id"], "input": turns}

    def told(self, answer: Answer) -> Told:
        told = Told(answer.status, answer=answer)
        if not answer.headers["content-type"].startswith("text/event-stream"):
            data = answer.json
            if data.get("error"):
                told.error, told.message = data["error"]["code"], data["error"]["message"]
                return told
            self._response(told, data)
            return told
        names = [line[7:] for line in answer.body.decode().splitlines() if line.startswith("event: ")]
        found = frames(answer)
        assert names == [frame["type"] for frame in found]
        assert [frame["sequence_number"] for frame in found] == list(range(len(found)))
        text = ""
        for frame in found:
            if frame["type"] == "response.output_text.delta":
                text += frame["delta"]
            elif frame["type"] == "error":
                told.error, told.message = frame["code"], frame["message"]
            elif frame["type"] in ("response.completed", "response.incomplete"):
                self._response(told, frame["response"])
                assert told.text == text
        told.text = told.text or text
        assert not told.error or found[-1]["type"] == "response.failed"
        return told

    def _response(self, told: Told, response: dict[str, Any]) -> None:
        told.stop, told.ended = response["status"], True
        usage = response["usage"]
        told.prompt_tokens, told.output_tokens = usage["input_tokens"], usage["output_tokens"]
        for item in response["output"]:
            if item["type"] == "message":
                told.text += "".join(part["text"] for part in item["content"])
            elif item["type"] == "reasoning":
                told.thought += "".join(part["text"] for part in item["summary"])
            elif item["type"] == "function_call":
                told.calls.append((item["name"], json.loads(item["arguments"])))
                told.ids.append(item["call_id"])
            elif item["type"] == "custom_tool_call":
                told.calls.append((item["name"], item["input"]))
                told.ids.append(item["call_id"])


class Gemini:
    """Gemini's generateContent."""

    name = "gemini"
    path = "v1beta/models/one:generateContent"
    stops: ClassVar[dict[str, str]] = {"end": "STOP", "tools": "STOP", "length": "MAX_TOKENS"}

    def body(self, scenario: str, stream: bool) -> dict[str, Any]:
        parts: list[dict[str, Any]] = [{"text": ASK}]
        config: dict[str, Any] = {"maxOutputTokens": 4000}
        body: dict[str, Any] = {"systemInstruction": {"parts": [{"text": "Be brief."}]}, "generationConfig": config}
        if scenario in ("tools", "parallel"):
            row = {"name": "weather", "description": "d", "parametersJsonSchema": SCHEMA}
            body["tools"] = [{"functionDeclarations": [row]}]
        if scenario == "reasoning":
            config["thinkingConfig"] = {"includeThoughts": True, "thinkingBudget": 2000}
        if scenario == "images":
            parts.append({"inlineData": {"mimeType": "image/png", "data": PIXEL}})
        if scenario == "structured":
            config |= {"responseMimeType": "application/json", "responseJsonSchema": SCHEMA}
        return body | {"contents": [{"role": "user", "parts": parts}]}

    def history(self, told: Told, results: list[str]) -> dict[str, Any]:
        """The next request of a tool loop, with all that the client was given."""
        body = self.body("tools", False)
        assert told.answer is not None
        content = told.answer.json["candidates"][0]["content"]
        answers = [
            {"functionResponse": {"name": n, "response": {"output": r}} | ({"id": i} if i else {})}
            for i, (n, _), r in zip(told.ids, told.calls, results, strict=True)
        ]
        body["contents"] += [content, {"role": "user", "parts": answers}]
        return body

    def told(self, answer: Answer) -> Told:
        told = Told(answer.status, answer=answer)
        if answer.headers["content-type"].startswith("text/event-stream"):
            assert b"event:" not in answer.body and not answer.body.startswith(b":")
            found = frames(answer)
        else:
            found = answer.json if isinstance(answer.json, list) else [answer.json]
        for frame in found:
            if "error" in frame:
                told.error, told.message = frame["error"]["status"], frame["error"]["message"]
                continue
            if "usageMetadata" in frame:
                usage = frame["usageMetadata"]
                told.prompt_tokens = usage["promptTokenCount"]
                told.output_tokens = usage.get("candidatesTokenCount", 0) + usage.get("thoughtsTokenCount", 0)
            for candidate in frame.get("candidates", []):
                told.stop = candidate.get("finishReason") or told.stop
                for part in candidate.get("content", {}).get("parts", []):
                    self._part(told, part)
        told.ended = bool(told.stop) and not told.error
        return told

    def _part(self, told: Told, part: dict[str, Any]) -> None:
        if "functionCall" in part:
            told.calls.append((part["functionCall"]["name"], part["functionCall"].get("args", {})))
            told.ids.append(part["functionCall"].get("id", ""))
        elif part.get("thought"):
            told.thought += part.get("text", "")
        else:
            told.text += part.get("text", "")
