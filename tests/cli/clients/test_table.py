from suffice.cli.clients import table
from suffice.cli.clients.setting import ROUTES, Wiring

ASKED = {
    *(
        "claude-code",
        "codex",
        "opencode",
        "copilot",
        "gemini-cli",
        "qwen-code",
        "aider",
        "continue",
        "cline",
        "kilo",
        "pi",
    ),
    *("mini-swe-agent", "vibe", "llm", "openai-sdk", "anthropic-sdk", "google-sdk", "vercel-ai-sdk", "langchain"),
    *("pydantic-ai", "zed", "llama-vim"),
}


def test_every_client_is_there_once():
    assert set(table.names()) == ASKED and len(table.names()) == len(ASKED)


def test_a_client_is_found_by_what_it_is_called():
    for name in table.names():
        assert table.find(name).name == name
    for name, meant in (("claude", "claude-code"), ("Gemini", "gemini-cli"), ("llama.vim", "llama-vim")):
        assert table.find(name).name == meant
    assert table.find("emacs") is None and table.find("repo") is None


def test_address_key_and_model_are_in_the_settings_of_every_client_and_dialect():
    for client in table.CLIENTS:
        for dialect in client.dialects:
            assert dialect in ROUTES
            wiring = Wiring(base="http://gw:9", key="k-unique", model="m-unique", dialect=dialect)
            text = "\n".join(f"{s.path} {s.content}" for s in client.settings(wiring))
            for part in ("http://gw:9", "k-unique"):
                assert part in text, (client.name, dialect)
            if client.launch is not None:
                launch = client.launch(wiring)
                whole = repr((launch.env, launch.arguments, dict(launch.files), launch.prepare))
                assert "http://gw:9" in whole and "k-unique" in whole, (client.name, dialect)


def test_the_page_has_every_client_and_dialect():
    page = table.reference_page()
    for client in table.CLIENTS:
        assert f"\n## {client.name}\n" in page and f"(#{client.name})" in page
    assert "### opencode with gemini" in page and "127.0.0.1:4000/v1beta" in page
