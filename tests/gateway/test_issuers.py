"""Whose state is whose, by what has passed through."""

from __future__ import annotations

import pytest

from suffice.gateway import issuers
from suffice.gateway.issuers import Issuers, foreign, states

SIGNED = (
    b'{"content":[{"type":"thinking","thinking":"x","signature":"AAA="},{"type":"image","source":{"data":"iVBOR"}}]}'
)


def test_states_are_found_where_the_dialects_have_them():
    assert states("messages", SIGNED) == ["AAA="]
    assert states("messages", b'{"type":"redacted_thinking","data":"BBB"}') == ["BBB"]
    assert states("messages", b'{"data": "CCC", "type": "redacted_thinking"}') == ["CCC"]
    assert states("messages", b'data: {"delta":{"type":"signature_delta","signature":"DDD"}}') == ["DDD"]
    assert states("gemini", b'{"thoughtSignature": "EEE"} {"thought_signature":"FFF"}') == ["EEE", "FFF"]
    assert states("messages", b'{"signature":"","data":"iVBOR"}') == states("gemini", b"{}") == []


@pytest.mark.parametrize(
    ("issuer", "provider", "last", "found"),
    [
        ("a", "a", "a", False),
        ("a", "a", "b", False),  # the one that answered last is another, and the state is ours all the same
        ("a", "b", "b", True),  # and the reverse
        ("", "b", "a", True),  # nobody remembers: of the last one
        ("", "b", "b", False),
        ("", "b", "", False),
    ],
)
def test_state_of_another_is_foreign_whoever_answered_last(issuer: str, provider: str, last: str, found: bool):
    known = Issuers()
    if issuer:
        known.note(["AAA="], issuer)
    assert foreign("messages", SIGNED, known, provider, last) is found
    assert not foreign("messages", b"{}", known, provider, last)


def test_the_memory_is_bounded_and_keeps_no_state(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(issuers, "_MOST", 2)
    known = Issuers()
    known.note(["one", "two", "three"], "p")
    assert (known.of("one"), known.of("three"), known.of(""), len(known)) == ("", "p", "", 2)
    assert "three" not in repr(known)
