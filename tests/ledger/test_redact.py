import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.ledger.redact import RedactionError, Redactor

LOOKS_SECRET = [
    "sk-proj-" + "a1" * 12, "sk-ant-api03-" + "Ab_-" * 6, "sk-sf-abcdefghijklmnop." + "x" * 43, "AIza" + "b" * 35,
    "ghp_" + "c" * 36,
    "github_pat_" + "d" * 30, "xoxb-1234567890-abc", "AKIAABCDEFGHIJKLMNOP", "gsk_" + "e" * 40, "hf_" + "f" * 30,
    "xai-" + "g" * 40,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl",
]  # fmt: skip


@pytest.mark.parametrize("secret", LOOKS_SECRET)
def test_what_looks_like_a_key_is_masked(secret):
    masked = Redactor().mask(json.dumps({"message": f"bad key {secret} given", "n": 7}).encode())
    assert secret[-12:].encode() not in masked
    assert json.loads(masked)["n"] == 7 and len(json.loads(masked)["message"]) == len(f"bad key {secret} given")


@given(st.text("abcXYZ019_-", min_size=12, max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_a_registered_secret_never_gets_through(secret, before, after):
    masked = Redactor([secret]).mask(json.dumps([before + secret + after], ensure_ascii=False).encode())
    assert secret.encode() not in masked
    assert isinstance(json.loads(masked), list)


def test_ordinary_text_is_the_same_object_and_code_words_stay():
    text = b'{"message":"task-force asked about sk-learn and the risk-averse"}'
    assert Redactor(["correct-horse-battery"]).mask(text) == text
    plain = b'{"n":1}'
    assert Redactor().mask(plain) is plain


def test_the_redactor_does_not_keep_what_it_looks_for():
    assert "horse-battery" not in repr(vars(Redactor(["correct-horse-battery"])))


def test_short_secrets_are_refused_and_failure_is_told():
    with pytest.raises(ValueError, match="12"):
        Redactor(["short"])
    with pytest.raises(RedactionError):
        Redactor().mask(None)  # type: ignore[arg-type]
