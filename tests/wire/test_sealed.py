import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.neutral import Reasoning
from suffice.wire.reasoning import SEAL
from suffice.wire.sealed import HmacSealer, digest

KEY = b"k" * 32
TEXT = st.text(st.characters(exclude_categories=("Cs",)))


@given(
    st.builds(Reasoning, text=TEXT, signature=TEXT, encrypted=TEXT, issuer=TEXT, item_id=TEXT, summary=st.booleans())
)
def test_what_was_sealed_comes_back_as_it_was(block: Reasoning) -> None:
    sealed = HmacSealer(KEY).seal(block)
    if sealed:
        assert sealed.startswith(SEAL)
        assert HmacSealer(KEY).unseal(sealed) == block
    else:
        assert not block.issuer or not (block.text or block.signature or block.encrypted)


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_seal_does_not_open(at: int, flip: int) -> None:
    sealed = HmacSealer(KEY).seal(Reasoning(text="t" * 60, issuer="anthropic", signature="s"))
    at %= len(sealed)
    forged = sealed[:at] + chr(ord(sealed[at]) ^ (flip & 0x7F)) + sealed[at + 1 :]
    opened = HmacSealer(KEY).unseal(forged)
    assert forged == sealed or opened is None or opened == HmacSealer(KEY).unseal(sealed)


@pytest.mark.parametrize("text", ["", "gAAAA", SEAL, SEAL + "h.", SEAL + "h.%%%", SEAL + "h.é", SEAL + "h.AAAA"])
def test_foreign_strings_do_not_open(text: str) -> None:
    assert HmacSealer(KEY).unseal(text) is None


def test_keys_and_scopes_separate() -> None:
    sealed = HmacSealer(KEY, scope="a").seal(Reasoning(text="t", issuer="x"))
    assert HmacSealer(KEY, scope="b").unseal(sealed) is None
    assert HmacSealer(b"j" * 32, scope="a").unseal(sealed) is None
    with pytest.raises(ValueError, match="16 bytes"):
        HmacSealer(b"short")


def test_issuers_of_unsealed_state_are_remembered_by_digest() -> None:
    sealer = HmacSealer(KEY, issuers={digest("gAAAA"): "openai"})
    assert sealer.issuer_of("gAAAA") == "openai"
    assert sealer.issuer_of("other") == ""
