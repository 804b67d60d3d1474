from __future__ import annotations

import base64

from hypothesis import given
from hypothesis import strategies as st

from suffice.wire.gemini_seal import MARK, pack, unpack

_ISSUER = st.from_regex(r"[a-z][a-z0-9-]{0,20}", fullmatch=True)


@given(_ISSUER, st.text(min_size=1), st.text())
def test_a_seal_comes_back_whole_in_either_alphabet(issuer: str, state: str, call_id: str) -> None:
    sealed = pack(issuer, state, call_id)
    assert sealed.encode().startswith(MARK)
    assert base64.b64decode(sealed, validate=True)
    for form in (sealed, sealed.replace("+", "-").replace("/", "_"), sealed.rstrip("=")):
        assert unpack(form, "gemini") == (issuer, state, call_id)


def test_an_id_alone_rides_along() -> None:
    assert unpack(pack("", "", "toolu_1"), "gemini") == ("", "", "toolu_1")
    assert pack("a", "") == ""


def test_a_signature_of_the_provider_stays_as_it_is() -> None:
    assert unpack("CiMBjz1rX25K", "gemini") == ("gemini", "CiMBjz1rX25K", "")
    assert unpack("", "gemini") == ("", "", "")


@given(st.text(st.characters(codec="ascii"), max_size=40))
def test_a_damaged_seal_yields_no_state(rest: str) -> None:
    issuer, state, _ = unpack(MARK.decode() + "%%" + rest, "gemini")
    assert (issuer, state) == ("", "")
