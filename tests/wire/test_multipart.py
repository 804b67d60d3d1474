import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import RequestError
from suffice.wire.multipart import MAX_PARTS, Part, encode, parse

NAMES = st.text(
    st.characters(min_codepoint=32, exclude_characters="\x7f", exclude_categories=["Cs"]), min_size=1, max_size=20
)
PARTS = st.builds(
    lambda name, data, filename: Part(name=name, data=data, filename=filename),
    NAMES,
    st.binary(max_size=200),
    st.none() | NAMES,
)


@given(st.lists(PARTS, min_size=1, max_size=5).map(tuple))
def test_what_is_written_is_read(parts: tuple[Part, ...]):
    assert parse('multipart/form-data; boundary="b-0123456789-xyz"', encode(parts, "b-0123456789-xyz")) == parts


@given(st.binary(max_size=300), st.text(max_size=60))
def test_any_bytes_are_read_or_refused(body: bytes, kind: str):
    for content_type in (kind, "multipart/form-data; boundary=b"):
        try:
            parse(content_type, b"--b" + body)
        except RequestError as error:
            assert error.status == 400


@given(st.data())
def test_a_form_cut_anywhere_is_refused(data: st.DataObject):
    whole = encode((Part(name="a", data=b"1"), Part(name="f", data=b"22", filename="x")), "bound")
    with pytest.raises(RequestError):
        parse("multipart/form-data; boundary=bound", whole[: data.draw(st.integers(0, len(whole) - 5))])


def test_a_form_as_curl_sends_it():
    body = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a \\"b\\".jsonl"\r\nContent-Type: text/plain\r\n\r\n1\r\n2\r\n'
        b"--x--\r\n"
    )
    purpose, file = parse("multipart/form-data; boundary=x", body)
    assert (purpose.name, purpose.data, purpose.filename) == ("purpose", b"batch", None)
    assert (file.filename, file.data, file.content_type) == ('a "b".jsonl', b"1\r\n2", "text/plain")


def test_fields_are_bounded_and_need_names():
    many = tuple(Part(name="a", data=b"") for _ in range(MAX_PARTS + 1))
    for body in (
        encode(many, "b"),
        b"--b\r\ncontent-disposition: form-data\r\n\r\nx\r\n--b--",
        b'--b\r\ncontent-disposition: form-data; name="a"' + b"y" * 9000 + b"\r\n\r\nx\r\n--b--",
        b"--b\r\n\r\nx\r\n--b--",
    ):
        with pytest.raises(RequestError):
            parse("multipart/form-data; boundary=b", body)
