"""What the requests of the Responses dialect share."""

from suffice.gateway.call import Call
from suffice.gateway.responses import Issuers, Responses
from suffice.values.system_env import SystemEnv
from suffice.wire.neutral import Reasoning
from suffice.wire.sealed import digest


def call(body: bytes) -> Call:
    return Call(
        request_id="0-1", dialect="responses", path="/", query=b"", headers={}, body=body, received_s=9.5,
        started_mono_s=0, deadline_mono_s=1,
    )  # fmt: skip


def test_issuers_are_remembered_up_to_a_bound():
    issuers = Issuers()
    issuers.note([f"state {n}" for n in range(50_001)], "openai")
    assert len(issuers) == 50_000
    assert issuers.get(digest("state 0")) is None and issuers[digest("state 50000")] == "openai"


def test_seals_of_tenants_do_not_open_for_others():
    shared = Responses(SystemEnv(), b"k" * 32)
    text = shared.sealer("a").seal(Reasoning(text="t", encrypted="E", issuer="openai"))
    assert shared.sealer("a").unseal(text) is not None
    assert shared.sealer("b").unseal(text) is None


def test_a_continued_request_holds_the_whole_conversation():
    shared = Responses(SystemEnv(), b"k" * 32)
    first = shared.store.put(
        "t", {"id": "resp_1", "status": "completed", "output": []}, [{"role": "user", "content": "one"}]
    )
    assert first

    class Principal:
        tenant = "t"

    made = shared.open(call(b'{"model":"m","input":"two","previous_response_id":"resp_1"}'), Principal())
    assert [m.role for m in made.request.messages] == ["user", "user"]
    assert made.size_bytes > len(made.call.body) and made.stores
