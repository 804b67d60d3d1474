from hypothesis import given
from hypothesis import strategies as st

from suffice.wire import reasoning
from suffice.wire.neutral import (
    Message,
    Reasoning,
    ReasoningDelta,
    ReasoningEnd,
    Request,
    Text,
    ToolCall,
    ToolReady,
    ToolResult,
)
from suffice.wire.reasoning import ReasoningMemory, Remembered, for_issuer, seal, unseal, unsealed

CALL = ToolCall(id="c1", name="f", arguments="{}")


@given(st.text(), st.text(min_size=1), st.booleans(), st.text(alphabet="rs_0a", max_size=5))
def test_a_seal_keeps_state_issuer_and_kind(state, issuer, encrypted, item_id):
    sealed = seal(issuer, state, item_id=item_id, encrypted=encrypted)
    found = unsealed("t", sealed, "messages")
    assert sealed.startswith(reasoning.SEAL)
    if "%2e" not in issuer:
        assert (found.encrypted if encrypted else found.signature, found.issuer, found.item_id) == (
            state,
            issuer,
            item_id,
        )


def test_unsealed_state_belongs_to_the_dialect_and_a_broken_seal_to_nobody():
    assert unseal("abc", "messages") == ("messages", "abc")
    assert unseal("sfx1.half", "messages") == ("messages", "")


def conversation(*parts):
    result = Message(role="tool", parts=(ToolResult(call_id="c1", parts=(Text(text="ok"),)),))
    return Request(dialect="chat", messages=(Message(role="assistant", parts=parts), result))


def test_what_a_client_dropped_is_put_back():
    memory = ReasoningMemory()
    call = ToolCall(id="c1", name="f", arguments="{}", signature="SIG", issuer="gemini")
    memory.learn(
        [ReasoningDelta(text="hm", issuer="a"), ReasoningEnd(signature="S", issuer="a"), ToolReady(index=0, call=call)]
    )
    restored = memory.restore(conversation(CALL)).messages[0].parts
    assert restored == (Reasoning(text="hm", signature="S", issuer="a"), call)
    own = Reasoning(text="hm", signature="client's own", issuer="messages")
    assert memory.restore(conversation(own, CALL)).messages[0].parts[0] == own


def test_only_the_issuer_sees_its_state_and_plain_history_is_left_alone():
    request = conversation(
        Reasoning(text="t", signature="s", issuer="a"),
        Text(text="x"),
        ToolCall(id="c1", name="f", signature="g", issuer="b"),
    )
    same, lost = for_issuer(request, ("a", "b"))
    assert same is request and not lost
    other, lost = for_issuer(request, ("b",))
    assert lost and [type(p) for p in other.messages[0].parts] == [Text, ToolCall]
    assert other.messages[0].parts[1].signature == "g"
    assert for_issuer(request, ("a",))[0].messages[0].parts[2].signature == ""


def test_the_memory_is_bounded():
    memory = ReasoningMemory(max_entries=2, max_size=10)
    for name in "abc":
        memory.remember(name, Remembered(signature="1234", issuer="x"))
    assert len(memory) == 2 and memory.recall("a") is None and memory.size == 8
    memory.remember("big", Remembered(signature="x" * 11, issuer="x"))
    memory.remember("none", Remembered())
    assert memory.recall("big") is None and memory.recall("none") is None
    memory.recall("b")
    memory.remember("d", Remembered(signature="1", issuer="x"))
    assert memory.recall("c") is None and memory.recall("b") is not None


def test_state_without_a_name_is_said_to_be_of_its_owner():
    call = ToolCall(id="c", name="f", signature="S", issuer="messages")
    parts = (Reasoning(text="hm", signature="S", issuer="messages"), Reasoning(text="x", issuer="other"), call)
    request = Request(dialect="messages", messages=(Message(role="assistant", parts=parts),))
    named = reasoning.owned(request, "messages", "anthropic").messages[0].parts
    assert [part.issuer for part in named] == ["anthropic", "other", "anthropic"]
