import pytest

from suffice.wire.neutral import Reasoning
from suffice.wire.reasoning import SEAL
from suffice.wire.responses_items import for_provider, holds_state, items_of
from suffice.wire.responses_request import COMPACTION
from suffice.wire.sealed import HmacSealer, digest

SEALER = HmacSealer(b"0123456789abcdef", issuers={digest("AZ"): "azure", digest("OA"): "openai"})


def thought(state: str) -> dict[str, object]:
    return {"type": "reasoning", "id": "rs_ours", "summary": [], "encrypted_content": state}


def test_only_the_issuer_sees_its_state() -> None:
    own = SEALER.seal(Reasoning(encrypted="E", issuer="openai", item_id="rs_up"))
    other = SEALER.seal(Reasoning(signature="S", issuer="anthropic"))
    items = [
        {"role": "user", "content": "x"},
        thought("OA"),
        thought("AZ"),
        thought("nobody knows"),
        thought(own),
        thought(other),
        thought(own[:-4] + "AAAA"),
        {"type": "reasoning", "id": "rs_1", "summary": []},
    ]
    seen, lost = for_provider(items, SEALER, "openai")
    assert lost == 3
    assert seen[:3] == [items[0], items[1], items[3]]
    assert seen[3] == thought("E") | {"id": "rs_up"}
    assert seen[-1] is items[-1]


def test_a_broken_seal_of_ours_never_goes_out() -> None:
    seen, lost = for_provider([thought(SEAL + "h.forged")], SEALER, "openai")
    assert (seen, lost) == ([], 1)


def test_a_compaction_of_ours_becomes_words() -> None:
    state = SEALER.seal(Reasoning(text="before", issuer=COMPACTION))
    seen, lost = for_provider(
        [{"type": "compaction", "id": "cmp_1", "encrypted_content": state}, thought(state)], SEALER, "openai"
    )
    assert seen == [{"type": "message", "role": "user", "content": [{"type": "input_text", "text": "before"}]}]
    assert lost == 1


def test_bodies_without_state_need_no_look() -> None:
    assert not holds_state(b'{"input":"x"}')
    assert holds_state(b'{"input":[{"encrypted_content":"x"}]}')


@pytest.mark.parametrize(("output", "items"), [([{"id": "a"}, None, 7], [{"id": "a"}]), (7, []), (None, []), ("x", [])])
def test_only_items_count_as_output(output: object, items: list[object]) -> None:
    assert items_of({"output": output}) == items
