"""Where and in which dialect a model is spoken to."""

import json

import pytest

from suffice.catalog.load import load as load_catalog
from suffice.config.load import parse
from suffice.gateway import fleet
from suffice.gateway.speech import spoken

CATALOG = load_catalog()


def served(provider, model, more=""):
    toml = f'version = 1\n[endpoints.one]\nprovider = "{provider}"\napi_key = "${{KEY}}"\nmodels = ["{model}"]\n{more}'
    built = fleet.build(parse(toml, "t.toml", {"KEY": "sk-abcdefghijkl"}, None), CATALOG, "2026-11-22")
    return built.served[0]


@pytest.mark.parametrize(
    ("provider", "operation", "dialect"),
    [
        ("openai", "chat", "chat"),
        ("openai", "messages", "chat"),
        ("anthropic", "messages", "messages"),
        # Its chat path is a trial layer: translation keeps what that leaves out.
        ("anthropic", "chat", "messages"),
        ("deepseek", "messages", "messages"),
        ("mistral", "messages", "chat"),
    ],
)
def test_the_clients_dialect_is_used_where_it_is_native(provider, operation, dialect):
    row = CATALOG.provider(provider)
    assert spoken(operation, row, dict.fromkeys(row.dialects, b"")) == dialect


def test_a_provider_without_a_dialect_of_conversations_has_none():
    assert spoken("chat", CATALOG.provider("mistral"), {"embeddings": b"/e"}) == ""


def test_the_version_of_messages_is_left_to_the_request():
    speech = served("anthropic", "claude-sonnet-5").speech["messages"]
    names = [name for name, _ in (*speech.endpoint.auth, *speech.endpoint.headers)]
    assert names == [b"x-api-key"]
    assert (speech.path, speech.endpoint.host) == (b"/v1/messages", "api.anthropic.com")


def test_a_dialect_at_another_host_has_an_endpoint_of_its_own():
    row = served("azure-openai", "claude-sonnet-5", 'resource = "acme"\n')
    assert row.speech["chat"].endpoint.host == "acme.openai.azure.com"
    assert row.speech["messages"].endpoint.host == "acme.services.ai.azure.com"
    assert row.speech["messages"].endpoint.id == "one+messages"
    assert served("azure-openai", "gpt-5", 'resource = "acme"\n').speech["messages"].dialect == "chat"


def test_account_and_project_are_filled_into_paths():
    path = served("cloudflare-workers-ai", "@cf/x", 'resource = "a1"\n').speech["chat"].path
    assert path == b"/client/v4/accounts/a1/ai/v1/chat/completions"


def test_an_endpoint_may_speak_less_than_its_provider():
    row = served("deepseek", "m", 'dialects = ["chat"]\n')
    assert {op: s.dialect for op, s in row.speech.items() if op in ("chat", "messages")} == {
        "chat": "chat",
        "messages": "chat",
    }


def test_compatibility_layers_get_the_key_as_a_bearer():
    endpoint = served("google-gemini", "gemini-2.5-flash").speech["embeddings"].endpoint
    assert [name for name, _ in endpoint.auth] == [b"authorization"]
    assert "sk-abcdefghijkl" not in json.dumps(repr(endpoint))


AWS = 'region = "eu-west-1"\n'
VERTEX = 'region = "europe-west4"\nproject = "acme"\n'


@pytest.mark.parametrize(
    ("provider", "model", "more", "spoken_in"),
    [
        ("bedrock", "anthropic.claude-sonnet-5-v1:0", AWS, {"bedrock-messages"}),
        ("bedrock", "us.amazon.nova-pro-v1:0", AWS, {"converse"}),
        ("bedrock", "openai.gpt-oss-120b-1:0", AWS, {"chat", "responses", "converse"}),
        ("google-vertex", "gemini-3-pro", VERTEX, {"gemini"}),
        ("google-vertex", "claude-sonnet-5@20260101", VERTEX, {"vertex-messages"}),
        ("google-vertex", "meta/llama-5-maas", VERTEX, {"chat"}),
        ("cohere", "command-a", "", {"cohere"}),
    ],
)
def test_a_cloud_speaks_with_each_family_in_its_own_way(provider, model, more, spoken_in):
    speech = served(provider, model, more).speech
    assert {speech[op].dialect for op in ("chat", "messages", "responses", "gemini")} == spoken_in


def test_paths_that_are_signed_are_encoded_as_the_sdks_do():
    speech = served("bedrock", "arn:aws:bedrock:eu-west-1:1:inference-profile/x:0", AWS).speech["chat"]
    name = b"arn%3Aaws%3Abedrock%3Aeu-west-1%3A1%3Ainference-profile%2Fx%3A0"
    assert (speech.path, speech.stream_path) == (
        b"/model/" + name + b"/converse",
        b"/model/" + name + b"/converse-stream",
    )
    assert speech.endpoint.host == "bedrock-runtime.eu-west-1.amazonaws.com"


def test_the_global_endpoint_of_vertex_has_no_location_in_its_name():
    speech = served("google-vertex", "gemini-3-pro", 'region = "global"\nproject = "acme"\n').speech["gemini"]
    assert speech.endpoint.host == "aiplatform.googleapis.com"
    assert speech.path == b"/v1/projects/acme/locations/global/publishers/google/models/gemini-3-pro:generateContent"


def test_azures_older_interface_has_a_path_for_each_deployment():
    row = served("azure-openai", "my-gpt", 'resource = "acme"\napi_version = "2024-10-21"\n')
    assert row.speech["chat"].path == b"/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21"
    assert row.speech["responses"].path == b"/openai/responses?api-version=2024-10-21"
    assert row.speech["embeddings"].path == b"/openai/deployments/my-gpt/embeddings?api-version=2024-10-21"
    assert served("azure-openai", "my-gpt", 'resource = "acme"\n').speech["chat"].path == b"/openai/v1/chat/completions"
