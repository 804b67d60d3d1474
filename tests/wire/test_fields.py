import pytest

from suffice.errors import RequestError
from suffice.wire import fields


@pytest.mark.parametrize(
    ("read", "bad"),
    [
        (fields.text, 1),
        (fields.number, "1"),
        (fields.number, True),
        (fields.whole, 1.5),
        (fields.flag, "true"),
        (fields.mapping, []),
        (fields.rows, {}),
        (fields.rows, ["x"]),
        (fields.texts, [1]),
    ],
)
def test_a_wrong_type_names_the_field(read, bad):
    with pytest.raises(RequestError) as caught:
        read(bad, "a.b")
    assert caught.value.param == "a.b" and caught.value.status == 400


def test_null_is_absent():
    assert (fields.text(None, "x"), fields.rows(None, "x"), fields.texts(None, "x")) == ("", [], ())
    assert fields.whole(3.0, "x") == 3 and fields.texts("a", "x") == ("a",)
    with pytest.raises(RequestError):
        fields.whole(0, "x", 1)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"a":', b'{"a":"\xff"}', b"[" * 5000])
def test_only_an_object_is_a_body(body):
    with pytest.raises(RequestError):
        fields.decode_object(body)
