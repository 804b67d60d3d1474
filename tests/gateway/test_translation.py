"""What a translation knows of the provider, and whom it remembers thinking for."""

import pytest

from suffice.catalog.load import load as load_catalog
from suffice.catalog.models import Model
from suffice.gateway.call import Call
from suffice.gateway.exchange import exchange_of
from suffice.gateway.translation import ReasoningShelf, Translation, adaptive, target_of
from suffice.wire import anthropic_messages
from suffice.wire.codec import Target
from suffice.wire.neutral import Reasoning
from suffice.wire.reasoning import ReasoningMemory, Remembered

CATALOG = load_catalog()


def call(body):
    return Call(
        request_id="0-1", dialect="chat", path="/", query=b"", headers={}, body=body, received_s=9.5, started_mono_s=0,
        deadline_mono_s=1,
    )  # fmt: skip


def target(provider, name, dialect, limit=0):
    model = CATALOG.model(f"{provider}/{name}") or Model(id=f"{provider}/{name}", provider=provider, name=name)
    return target_of(CATALOG.provider(provider), model, dialect, limit=limit, session_key="key")


def test_marks_are_set_where_the_cache_wants_them():
    assert target("anthropic", "claude-sonnet-5", "messages").add_breakpoints
    assert target("anthropic", "claude-sonnet-5", "messages").cache_breakpoints == 4
    assert not target("openai", "gpt-5", "chat").add_breakpoints
    assert target("mistral", "m", "chat").cache_breakpoints == 0


def test_an_affinity_key_goes_where_it_is_known():
    assert target("openai", "gpt-5", "chat").cache_key == "key"
    assert target("mistral", "m", "chat").cache_key == ""


def test_the_clamp_and_the_issuer():
    found = target("openai", "gpt-5", "chat", limit=77)
    assert (found.max_output_tokens, found.issuer, found.model) == (77, "openai", "gpt-5")


@pytest.mark.parametrize(
    ("name", "takes"),
    [("claude-opus-4-6", True), ("claude-sonnet-5", True), ("claude-opus-4-5-20251101", False), ("claude-haiku-4-5", False),
     ("claude-3-7-sonnet-20250219", False), ("anthropic/claude-opus-4.6", True), ("glm-5", False)],
)  # fmt: skip
def test_adaptive_thinking_by_the_models_name(name, takes):
    assert adaptive(name) is takes


def test_losses_are_named():
    body = b'{"model":"m","seed":4,"messages":[{"role":"user","content":"hi"}]}'
    exchange = exchange_of("chat", call(body))
    made = Translation(exchange, exchange.request, anthropic_messages.CODEC, Target(model="m"), ReasoningMemory())
    assert made.losses == "dropped=seed"


def test_the_shelf_forgets_the_oldest_and_never_mixes_sessions():
    shelf = ReasoningShelf(max_sessions=2)
    shelf.of("a").remember("call", Remembered(reasoning=(Reasoning(text="secret"),)))
    assert shelf.of("b").recall("call") is None
    assert shelf.of("a").recall("call") is not None
    shelf.of("c")
    assert shelf.of("b").size == 0 and shelf.of("a").recall("call") is None
