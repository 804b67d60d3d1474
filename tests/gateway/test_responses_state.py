import json
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from suffice.errors import NotFoundError, RequestError
from suffice.gateway.responses_state import ResponseStore, StoreLimits, as_items, replayable
from suffice.values.system_env import SystemEnv


class Clock(SystemEnv):
    at = 1000.0

    def now(self) -> float:  # type: ignore[override]
        return self.at


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": text}


def answer(response_id: str, *output: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": response_id, "status": "completed", "output": list(output)} | more


REPLY = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "a"}]}


def test_a_chain_is_rebuilt_in_order() -> None:
    store = ResponseStore(Clock())
    thought = {"id": "rs_1", "type": "reasoning", "summary": []}
    state = thought | {"id": "rs_2", "encrypted_content": "E"}
    assert store.put("t", answer("r1", thought, REPLY), [said("1")], [thought, state, REPLY])
    assert store.put("t", answer("r2", REPLY), [said("2")], previous_id="r1")
    expanded = store.expand("t", {"previous_response_id": "r2", "input": "3"})
    assert expanded.items == [said("1"), state, REPLY, said("2"), REPLY, said("3")]
    assert expanded.added == [said("3")]
    assert expanded.changes["previous_response_id"] is None
    assert json.loads(expanded.changes["input"] or b"") == expanded.items
    assert store.retrieve("t", "r1")["output"] == [thought, REPLY]


def test_a_request_without_references_is_not_touched() -> None:
    assert ResponseStore(Clock()).expand("t", {"input": [said("x")]}).changes == {}
    nothing = ResponseStore(Clock()).expand("t", {"input": "x", "previous_response_id": None})
    assert nothing.changes == {"previous_response_id": None}


def test_ids_of_another_tenant_do_not_exist() -> None:
    store = ResponseStore(Clock())
    store.put("a", answer("r1", REPLY), [said("secret")])
    for call in (store.retrieve, store.delete, store.cancel, store.input_items):
        with pytest.raises(NotFoundError):
            call("b", "r1")
    with pytest.raises(RequestError) as caught:
        store.history("b", "r1")
    assert (caught.value.status, caught.value.code) == (400, "previous_response_not_found")
    with pytest.raises(RequestError) as caught:
        store.expand("b", {"input": [{"type": "item_reference", "id": "msg_1"}]})
    assert caught.value.code == "item_not_found"
    store.put("b", answer("r1"), [said("other")])
    assert store.history("a", "r1")[0] == said("secret")


def test_item_references_are_resolved() -> None:
    store = ResponseStore(Clock())
    store.put("t", answer("r1", REPLY), [said("1")])
    expanded = store.expand("t", {"input": [{"type": "item_reference", "id": "msg_1"}, said("2")]})
    assert expanded.items == [REPLY, said("2")]
    assert "input" in expanded.changes


def test_what_was_deleted_or_has_expired_breaks_the_chain() -> None:
    clock = Clock()
    store = ResponseStore(clock, StoreLimits(ttl_s=60))
    store.put("t", answer("r1"), [said("1")])
    clock.at += 30
    store.put("t", answer("r2"), [said("2")], previous_id="r1")
    clock.at += 31
    assert store.retrieve("t", "r2")
    with pytest.raises(RequestError):
        store.history("t", "r2")
    clock.at += 60
    with pytest.raises(NotFoundError):
        store.retrieve("t", "r2")
    assert store.size == 0
    store.put("t", answer("r3"), [])
    assert store.delete("t", "r3") == {"id": "r3", "object": "response.deleted", "deleted": True}
    with pytest.raises(NotFoundError):
        store.delete("t", "r3")


def test_only_finished_answers_are_continued() -> None:
    store = ResponseStore(Clock())
    store.put("t", answer("r1", status="failed"), [])
    with pytest.raises(RequestError):
        store.history("t", "r1")


def test_a_background_response_is_cancelled_once() -> None:
    store, stopped = ResponseStore(Clock()), []
    store.put("t", answer("r1", background=True, status="in_progress"), [], cancel=lambda: stopped.append(1))
    assert store.cancel("t", "r1")["status"] == "cancelled"
    assert store.cancel("t", "r1")["status"] == "cancelled"
    assert stopped == [1]
    store.put("t", answer("r2"), [])
    with pytest.raises(RequestError):
        store.cancel("t", "r2")


def test_input_items_come_in_pages() -> None:
    store = ResponseStore(Clock())
    store.put("t", answer("resp_1", REPLY), [said("1")])
    store.put("t", answer("resp_2"), [said("2")], previous_id="resp_1")
    whole = store.input_items("t", "resp_2", order="asc")
    assert [row["content"][0]["text"] for row in whole["data"]] == ["1", "a", "2"]
    assert len({row["id"] for row in whole["data"]}) == 3
    first = store.input_items("t", "resp_2", limit=2)
    assert first["has_more"] is True
    rest = store.input_items("t", "resp_2", limit=2, after=first["last_id"])
    assert [*first["data"], *rest["data"]] == whole["data"][::-1]
    assert rest["has_more"] is False
    for bad in ({"limit": 101}, {"order": "up"}, {"after": "nowhere"}):
        with pytest.raises(RequestError):
            store.input_items("t", "resp_2", **bad)


def test_a_message_is_listed_with_parts_and_a_status() -> None:
    store = ResponseStore(Clock())
    store.put("t", answer("resp_1"), [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}])
    first, second = store.input_items("t", "resp_1", order="asc")["data"]
    assert (first["type"], first["status"]) == ("message", "completed")
    assert first["content"] == [{"type": "input_text", "text": "hi"}]
    assert second["content"][0]["type"] == "output_text" and second["id"]


def test_using_a_chain_keeps_it_and_the_oldest_goes() -> None:
    store = ResponseStore(Clock(), StoreLimits(responses_per_tenant=3))
    store.put("t", answer("r1"), [])
    store.put("t", answer("x"), [])
    store.put("t", answer("r2"), [], previous_id="r1")
    store.put("t", answer("r3"), [], previous_id="r2")
    assert store.history("t", "r3") == []
    with pytest.raises(NotFoundError):
        store.retrieve("t", "x")


def test_one_tenant_cannot_take_all_and_too_large_is_not_kept() -> None:
    store = ResponseStore(Clock(), StoreLimits(bytes_per_tenant=3000, bytes_total=4000))
    assert not store.put("a", answer("big"), [said("x" * 3000)])
    assert store.put("a", answer("a1"), [said("x" * 2000)])
    assert store.put("b", answer("b1"), [said("x" * 2000)])
    assert store.size <= 4000
    assert store.retrieve("b", "b1")
    with pytest.raises(NotFoundError):
        store.retrieve("a", "a1")


def test_inputs_of_a_wrong_type_are_refused() -> None:
    for value in (7, ["x"], {"a": 1}):
        with pytest.raises(RequestError):
            as_items(value)
    assert as_items(None) == []
    with pytest.raises(RequestError):
        ResponseStore(Clock()).expand("t", {"previous_response_id": 7})
    assert replayable([{"type": "reasoning"}, REPLY]) == [REPLY]


class Bounds(RuleBasedStateMachine):
    """Whatever happens, the bounds hold and the sizes add up."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.limits = StoreLimits(responses_per_tenant=3, bytes_per_tenant=5000, bytes_total=8000, ttl_s=50)
        self.store = ResponseStore(self.clock, self.limits)

    @rule(
        tenant=st.sampled_from("abc"),
        at=st.integers(0, 6),
        before=st.integers(0, 6),
        size=st.integers(0, 2500),
    )
    def put(self, tenant: str, at: int, before: int, size: int) -> None:
        self.store.put(tenant, answer(f"r{at}"), [said("x" * size) | {"id": f"i{at}"}], previous_id=f"r{before}")

    @rule(tenant=st.sampled_from("abc"), at=st.integers(0, 6))
    def read(self, tenant: str, at: int) -> None:
        try:
            self.store.history(tenant, f"r{at}")
        except RequestError as error:
            assert error.code == "previous_response_not_found"

    @rule(seconds=st.integers(1, 60))
    @precondition(lambda self: self.store.size)
    def wait(self, seconds: int) -> None:
        self.clock.at += seconds

    @invariant()
    def bounded(self) -> None:
        spaces = self.store._tenants.values()
        assert self.store.size == sum(space.size for space in spaces) <= self.limits.bytes_total
        for space in spaces:
            assert space.size == sum(one.size for one in space.responses.values()) <= self.limits.bytes_per_tenant
            assert len(space.responses) <= 3
            assert set(space.items.values()) <= set(space.responses)


TestBounds = Bounds.TestCase
TestBounds.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
