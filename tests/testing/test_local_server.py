import json
from typing import Any

from starlette.testclient import TestClient

from suffice.testing.local_server import LocalModel


class Echo:
    """Stands for llama.cpp: the server's own work is what is tested here."""

    def create_chat_completion(self, messages: list[Any], stream: bool = False, **options: Any) -> Any:
        text = f"{messages[-1]['content']}|{options['max_tokens']}|{options['temperature']}"
        if stream:
            return iter([{"choices": [{"delta": {"content": c}}]} for c in text])
        return {"model": "path", "choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 1}}


def client() -> TestClient:
    return TestClient(LocalModel(Echo(), "tiny").app())


def test_answers_under_its_own_name_and_cold_by_default():
    body = client().post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "hi"}]}).json()
    assert body["model"] == "tiny"
    assert body["choices"][0]["message"]["content"] == "hi|512|0.0"


def test_limits_and_temperature_of_the_request_count():
    asked = {"messages": [{"role": "user", "content": "x"}], "max_completion_tokens": 7, "temperature": 0.5}
    body = client().post("/v1/chat/completions", json=asked).json()
    assert body["choices"][0]["message"]["content"] == "x|7|0.5"


def test_a_stream_ends_with_done():
    text = (
        client()
        .post("/v1/chat/completions", json={"messages": [{"role": "user", "content": "a"}], "stream": True})
        .text
    )
    events = [line[6:] for line in text.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    assert "".join(json.loads(e)["choices"][0]["delta"]["content"] for e in events[:-1]) == "a|512|0.0"


def test_models_and_bad_requests():
    assert client().get("/v1/models").json()["data"][0]["id"] == "tiny"
    assert client().post("/v1/chat/completions", content=b"nope").status_code == 400
