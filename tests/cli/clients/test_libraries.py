import ast

import pytest

from suffice.cli.clients.libraries import LIBRARIES
from suffice.cli.clients.setting import Wiring

GW = "http://gw:9"
CLIENTS = {client.name: client for client in LIBRARIES}
PAIRS = [(client.name, dialect) for client in LIBRARIES for dialect in client.dialects]


def settings(name, dialect):
    return CLIENTS[name].settings(Wiring(base=GW, key="k1", model="M", dialect=dialect))


@pytest.mark.parametrize(
    ("name", "dialect", "expected"),
    [
        ("openai-sdk", "chat", {"OPENAI_BASE_URL": f"{GW}/v1", "OPENAI_API_KEY": "k1"}),
        ("anthropic-sdk", "messages", {"ANTHROPIC_BASE_URL": GW, "ANTHROPIC_API_KEY": "k1"}),
        ("google-sdk", "gemini", {"GOOGLE_GEMINI_BASE_URL": GW, "GEMINI_API_KEY": "k1"}),
    ],
)
def test_variables(name, dialect, expected):
    assert {s.path: s.content for s in settings(name, dialect) if s.kind == "env"} == expected
    launch = CLIENTS[name].launch(Wiring(base=GW, key="k1", model="M", dialect=dialect))
    assert launch.env == expected and not launch.arguments and not launch.files


@pytest.mark.parametrize(("name", "dialect"), PAIRS)
def test_the_piece_of_program_names_address_key_and_model(name, dialect):
    (code,) = [s.content for s in settings(name, dialect) if s.kind == "code"]
    base = {"chat": f'"{GW}/v1"', "responses": f'"{GW}/v1"', "messages": f'"{GW}"', "gemini": f'"{GW}"'}[dialect]
    if name == "vercel-ai-sdk":
        base = f'"{GW}/v1beta"' if dialect == "gemini" else f'"{GW}/v1"'
    else:
        ast.parse(code)
    assert base in code and '"k1"' in code and '"M"' in code


def test_langchain_is_told_to_use_responses():
    assert "use_responses_api=True" in settings("langchain", "responses")[-1].content
    assert "use_responses_api" not in settings("langchain", "chat")[-1].content
