import pytest

from suffice.errors import WireError
from suffice.values.usage import Usage
from suffice.wire.embeddings import embeddings


def test_usage_and_model_are_read_and_vectors_are_not_needed():
    body = b'{"object":"list","model":"e-1","data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":3,"total_tokens":3}}'
    assert embeddings(body) == (None, Usage(input_tokens=3), "e-1")


def test_an_error_in_a_success_is_an_error():
    assert embeddings(b'{"error":{"message":"no"}}')[0] == {"message": "no"}


@pytest.mark.parametrize("bad", [b"", b"[]", b"<html>", b'{"object":"x"}', b'{"data":3}', b"\xff"])
def test_anything_else_is_refused(bad: bytes):
    with pytest.raises(WireError):
        embeddings(bad)
