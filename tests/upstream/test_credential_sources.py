from __future__ import annotations

import sys

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import ConfigError
from suffice.upstream import credential_sources
from suffice.upstream.credential_sources import BARE_LIFE_S, MAX_BYTES, Command, File, Refreshable, parse
from suffice.upstream.credentials import FOREVER_S, CredentialError, Issued

NOW_S = 1_750_000_000.0
AWS = {
    "Version": 1,
    "AccessKeyId": "ASIAEXAMPLE0000000000",
    "SecretAccessKey": "not/a+real/secret",
    "SessionToken": "not-a-real-token==",
    "Expiration": "2025-06-15T16:06:40Z",
}


@pytest.mark.parametrize(
    ("data", "token", "life_s"),
    [
        (b"ya29.abc\n", "ya29.abc", BARE_LIFE_S),
        (b'{"access_token":"a","expires_in":3599,"token_type":"Bearer"}', "a", 3599),
        (b'{"accessToken":"a","expiresOn":"2025-06-15 18:00:00.000000","expires_on":1750003600}', "a", 3600),
        (b'{"token":"a","expiry":"2025-06-15T15:16:40Z"}', "a", 600),
        (b'{"token":"a","expiry":"2025-06-15T17:16:40+02:00"}', "a", 600),
        (b'{"token":"a"}', "a", BARE_LIFE_S),
    ],
)
def test_tokens_in_the_forms_of_the_vendors_tools(data: bytes, token: str, life_s: float):
    found = parse(data, NOW_S)
    assert (found.token, found.aws, found.expires_s - NOW_S) == (token, None, life_s)


def test_aws_keys_in_the_form_of_a_credential_process():
    found = parse(msgspec.json.encode(AWS), NOW_S)
    assert found.aws is not None and found.token == ""
    assert (found.aws.access_key_id, found.aws.session_token) == ("ASIAEXAMPLE0000000000", "not-a-real-token==")
    assert found.expires_s - NOW_S == 3600
    lasting = {k: v for k, v in AWS.items() if k not in ("Expiration", "SessionToken")}
    assert parse(msgspec.json.encode(lasting), NOW_S).expires_s == FOREVER_S


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"two words",
        b"line\nline",
        b"{",
        b'{"token":""}',
        b'{"token":"a","expiry":"soon"}',
        b'{"token":"a","expiry":"2025-06-15T15:16:40"}',
        b'{"AccessKeyId":"ASIAEXAMPLE0000000000","SecretAccessKey":""}',
        b'{"AccessKeyId":"x y","SecretAccessKey":"z"}',
    ],
)
def test_what_is_no_credential_is_refused_and_not_repeated(data: bytes):
    with pytest.raises(CredentialError) as caught:
        parse(data, NOW_S)
    assert "line\nline" not in str(caught.value) and "ASIAEXAMPLE" not in str(caught.value)


NAMES = st.sampled_from(
    ["token", "access_token", "expires_in", "expires_on", "expiry", "AccessKeyId", "SecretAccessKey"]
)
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.lists(st.integers())
OBJECTS = st.dictionaries(NAMES, VALUES).map(msgspec.json.encode)


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(msgspec.json.encode)
    | OBJECTS
)
def test_any_bytes_are_a_credential_or_an_error_of_ours(data: bytes):
    try:
        assert parse(data, NOW_S).token.isascii()
    except CredentialError:
        pass


class Clock:
    def wall_s(self) -> float:
        return NOW_S


def python(code: str) -> Command:
    return Command([sys.executable, "-I", "-c", code])


async def test_a_program_prints_the_credential():
    assert (await python("print('tok')").fetch(Clock())).token == "tok"


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (python("import sys; print('SECRET'); sys.exit('SECRET')"), "exit code 1"),
        (python("pass"), "no token"),
        (python(f"print('x' * {MAX_BYTES + 1})"), "more than"),
        (Command(["/nonexistent/tool", "SECRET"]), "could not be started"),
    ],
)
async def test_a_program_that_fails_is_an_error_without_its_words(command: Command, says: str):
    with pytest.raises(CredentialError, match=says) as caught:
        await command.fetch(Clock())
    assert "SECRET" not in str(caught.value)


async def test_a_program_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(credential_sources, "COMMAND_S", 0.1)
    with pytest.raises(CredentialError, match="took longer"):
        await python("import time; time.sleep(60)").fetch(Clock())


async def test_a_file_is_read_again(tmp_path):
    path = tmp_path / "token"
    source = File(path)
    with pytest.raises(CredentialError, match="cannot read"):
        await source.fetch(Clock())
    for token in ("one", "two"):
        path.write_text(token + "\n")
        found = await source.fetch(Clock())
        assert (found.token, found.expires_s) == (token, NOW_S + credential_sources.FILE_LIFE_S)
    path.write_text("x" * (MAX_BYTES + 1))
    with pytest.raises(CredentialError, match="larger"):
        await source.fetch(Clock())


ROW = {"type": "authorized_user", "client_id": "c", "client_secret": "s", "refresh_token": "r"}


async def test_a_refresh_token_is_exchanged_over_http(bench):
    answer = b'{"access_token":"ya29.x","expires_in":3599}'
    server = await bench.answering(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(answer), answer))
    source = Refreshable("v", ROW, f"http://127.0.0.1:{server.port}")
    found: Issued = await source.fetch(bench.transport)
    assert found.token == "ya29.x"
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /token HTTP/1.1") and b"authorization" not in head
    assert body == b"grant_type=refresh_token&client_id=c&client_secret=s&refresh_token=r"


async def test_a_token_endpoint_that_refuses_is_an_error_without_its_words(bench):
    server = await bench.answering(b"HTTP/1.1 400 Bad\r\ncontent-length: 6\r\n\r\nSECRET")
    with pytest.raises(CredentialError, match="answers 400") as caught:
        await Refreshable("v", ROW, f"http://127.0.0.1:{server.port}").fetch(bench.transport)
    assert "SECRET" not in str(caught.value)


def test_an_incomplete_refresh_token_is_told_at_once():
    with pytest.raises(ConfigError, match="refresh_token") as caught:
        Refreshable("v", {"client_id": "c", "client_secret": "SECRET"})
    assert "SECRET" not in str(caught.value)
