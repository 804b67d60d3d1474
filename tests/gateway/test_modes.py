import json
from pathlib import Path
from typing import Any

import pytest
from tests.gateway.running import one_provider

from suffice.config.schema import RoutingSettings
from suffice.errors import RequestError
from suffice.gateway.modes import may_cascade, streaming_mode
from suffice.wire.prescan import scan
from suffice.wire.request_view import chat_view

TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}


def mode(
    asked: str = "",
    configured: str = "commit",
    operation: str = "chat",
    verify: bool = True,
    edits: bool = False,
    array: bool = False,
    **body: Any,
) -> str:
    top = scan(json.dumps({"messages": [{"role": "user", "content": "x"}], "stream": True, **body}).encode())
    return streaming_mode(
        asked,
        configured,
        top=top,
        view=chat_view(top),
        operation=operation,
        verify=verify,
        edits=edits,
        array=array,
    )


def test_the_header_wins_over_the_configuration() -> None:
    assert mode("buffer") == "buffer"
    assert mode("commit", "buffer") == "commit"
    assert mode("", "gate-tools", tools=[TOOL]) == "gate-tools"


@pytest.mark.parametrize(
    ("given", "done"),
    [
        ({"tools": [TOOL]}, "gate-tools"),  # an agent's
        ({}, "commit"),
        ({"edits": True}, "commit"),  # a person reads it as it comes
        ({"tools": [TOOL], "n": 2}, "commit"),
        ({"tools": [TOOL], "verify": False}, "commit"),
        ({"tools": [TOOL], "operation": "fim"}, "commit"),
        ({"tools": [TOOL], "stream": False}, ""),
        ({"tools": [TOOL], "asked": "commit"}, "commit"),
        ({"tools": [TOOL], "configured": "commit"}, "commit"),
        ({"tools": [TOOL], "configured": "commit", "asked": "auto"}, "gate-tools"),
    ],
)
def test_by_default_only_the_tool_calls_of_agents_are_held(given: dict[str, Any], done: str) -> None:
    assert mode(**{"configured": RoutingSettings().mode, **given}) == done


@pytest.mark.parametrize(
    ("given", "done"),
    [
        ({"asked": "gate-tools"}, "commit"),  # no tools: there is nothing to hold
        ({"asked": "gate-tools", "tools": [TOOL]}, "gate-tools"),
        ({"asked": "gate-tools", "tools": [TOOL], "n": 1}, "gate-tools"),
        ({"asked": "gate-tools", "tools": [TOOL], "n": None}, "gate-tools"),
        ({"asked": "gate-tools", "tools": [TOOL], "n": 2}, "commit"),
        ({"asked": "gate-tools", "tools": [TOOL], "operation": "completions"}, "commit"),
        ({"asked": "gate-tools", "edits": True}, "gate-tools"),
        ({"asked": "gate-tools", "edits": True, "operation": "messages"}, "gate-tools"),
        ({"asked": "gate-tools", "edits": True, "operation": "responses"}, "gate-tools"),
        ({"asked": "gate-tools", "edits": True, "operation": "gemini"}, "gate-tools"),
        ({"asked": "gate-tools", "edits": True, "operation": "gemini", "array": True}, "commit"),
        ({"asked": "gate-tools", "edits": True, "operation": "completions"}, "commit"),
        ({"asked": "buffer", "operation": "completions"}, "buffer"),
        ({"asked": "buffer", "operation": "gemini"}, "commit"),  # its clients take no comments
        ({"asked": "buffer", "verify": False}, "commit"),
        ({"asked": "buffer", "stream": False}, ""),
        ({"asked": "buffer", "operation": "embeddings"}, ""),
    ],
)
def test_a_mode_that_a_request_has_no_use_for_is_not_one(given: dict[str, Any], done: str) -> None:
    assert mode(**given) == done


def test_only_what_is_held_may_be_exchanged() -> None:
    assert [may_cascade(one) for one in ("commit", "gate-tools", "buffer", "")] == [False, True, True, True]


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(RequestError, match="no mode 'turbo'"):
        mode("turbo")


async def test_an_unknown_mode_is_a_400_that_names_the_header(tmp_path: Path):
    async with one_provider(tmp_path) as (running, fake):
        answer = await running.chat(headers={"x-suffice-mode": "turbo"}, stream=True)
    assert answer.status == 400
    assert answer.error["param"] == "x-suffice-mode"
    assert "gate-tools" in answer.error["message"] + json.dumps(answer.error)
    assert not fake.requests
