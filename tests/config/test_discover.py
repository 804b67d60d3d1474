from pathlib import Path

from suffice.config.discover import LOCAL_SERVERS, MAX_MODELS, ServedModel, discover
from suffice.config.load import parse
from suffice.config.write import render

KEYS = {"openai": ("OPENAI_API_KEY",), "google-gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"), "vllm": ("VLLM_API_KEY",)}
PORTS = dict(LOCAL_SERVERS)


def probing(answers):
    """A probe that knows its answers by port, and notes what it was asked."""
    asked = []

    async def probe(port):
        asked.append(port)
        return answers.get(port)

    probe.asked = asked
    return probe


async def test_nothing_found_is_an_empty_configuration():
    probe = probing({})
    settings = await discover({}, KEYS, probe)
    assert settings.endpoints == {}
    assert sorted(probe.asked) == sorted(PORTS.values())


async def test_keys_and_servers_make_a_configuration_that_can_be_written_and_read():
    env_vars = {"OPENAI_API_KEY": "sk-canary", "GOOGLE_API_KEY": "g-canary", "GEMINI_API_KEY": "", "UNRELATED": "x"}
    probe = probing({PORTS["ollama"]: [ServedModel(id="qwen2.5-coder:7b", owned_by="library")]})
    settings = await discover(env_vars, KEYS, probe)
    assert set(settings.endpoints) == {"openai", "google-gemini", "ollama"}
    assert settings.endpoints["google-gemini"].api_key.reference == "${GOOGLE_API_KEY}"
    local = settings.endpoints["ollama"]
    assert (local.base_url, local.private, local.models) == ("http://127.0.0.1:11434/v1", True, ("qwen2.5-coder:7b",))
    text = render(settings, defaults=True)
    assert "canary" not in text
    assert parse(text, "f", env_vars, Path("/")) == settings


async def test_a_server_that_says_what_it_is_is_believed():
    answers = {8080: [ServedModel(id="m", owned_by="vllm")], 8000: [ServedModel(id="n", owned_by="vllm")]}
    settings = await discover({"VLLM_API_KEY": "k"}, KEYS, probing(answers))
    assert {n: (e.provider, e.base_url[-7:]) for n, e in settings.endpoints.items()} == {
        "vllm": ("vllm", "8080/v1"),
        "vllm-8000": ("vllm", "8000/v1"),
    }
    assert settings.endpoints["vllm"].api_key.reference == "${VLLM_API_KEY}"


async def test_a_key_of_a_local_server_alone_is_no_endpoint():
    assert (await discover({"VLLM_API_KEY": "k"}, KEYS, probing({}))).endpoints == {}


async def test_hostile_model_names_and_floods_are_dropped():
    served = [ServedModel(id="bad\x1b[2J"), ServedModel(id=""), ServedModel(id="x" * 300)]
    served += [ServedModel(id=f"m{n}") for n in range(MAX_MODELS + 50)]
    settings = await discover({}, KEYS, probing({1234: served, 8000: served[:3]}))
    assert list(settings.endpoints) == ["lmstudio"]
    assert settings.endpoints["lmstudio"].models[0] == "m0"
    assert len(settings.endpoints["lmstudio"].models) == MAX_MODELS


async def test_an_unusable_key_is_a_warning():
    settings = await discover({"OPENAI_API_KEY": "sk-canary\n"}, KEYS, probing({}))
    assert settings.endpoints == {}
    assert settings.origin.warnings[0].file == "environment variable OPENAI_API_KEY"
    assert "canary" not in repr(settings.origin.warnings)
