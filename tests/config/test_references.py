from pathlib import Path

import pytest

from suffice.config.references import expand, is_reference, resolve, secret, unread

ENV = {"A": "one", "EMPTY": "", "BAD": "line\nbreak"}
HERE = Path("/nowhere")


def test_expand():
    assert expand("x${A}y$$z ${NO:-d} ${EMPTY:-e} $A", ENV) == ("xoney$z d e $A", [])
    assert expand("${A}", {"A": "${B}", "B": "x"}) == ("${B}", []), "a value is not expanded again"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NO}", "not set"),
        ("${EMPTY}", "is empty"),
        ("${", "cannot read"),
        ("${A-x}", "cannot read"),
        ("${}", "cannot read"),
    ],
)
def test_expand_faults(text, message):
    assert message in expand(text, ENV)[1][0].message


def test_secret_knows_its_source():
    found, faults = secret("${A}", ENV, HERE)
    assert not faults and found.reveal() == "one" and found.origin == "env:A"
    assert secret("plain$$", ENV, HERE)[0].reveal() == "plain$"


@pytest.mark.parametrize(
    "text", ["${NO}", "${EMPTY}", "${BAD}", "x${A}", "${A:-x}", "", " plain", "pl\tain", "plän", "file:no"]
)
def test_no_secret(text):
    found, faults = secret(text, ENV, HERE)
    assert found is None and faults[0].message and faults[0].hint


def test_a_secret_that_nobody_needs_is_not_read():
    found = unread("${NO}")
    assert found.origin == "env:NO" and found and found != unread("${NEITHER}")
    assert unread("file:no").origin == "file:no"
    assert [unread(text) for text in ("plain", "x${A}", "${A:-x}", "")] == [None] * 4


def test_secret_files(tmp_path):
    path = tmp_path / "k"
    cases = {
        b"": "empty",
        b"\n": "empty",
        b"a\nb": "control characters",
        b"x" * 70_000: "larger",
        b"\xff": "outside ASCII",
    }
    for data, message in cases.items():
        path.write_bytes(data)
        found, faults = secret("file:k", ENV, tmp_path)
        assert found is None and message in faults[0].message
    assert "Is a directory" in secret("file:.", ENV, tmp_path)[1][0].message
    path.write_bytes(b"key\r\n")
    path.chmod(0o600)
    for text in ("file:k", f"file:{path}", f"file://{path}"):
        found, faults = secret(text, ENV, tmp_path)
        assert found.reveal() == "key" and not faults


def test_paths():
    assert resolve("~/x", {"HOME": "/h"}, HERE) == Path("/h/x")
    assert resolve("x", {}, HERE) == HERE / "x"
    assert resolve("/x", {}, HERE) == Path("/x")
    assert is_reference("${A}") and is_reference("file:x") and not is_reference("sk-x")
