from __future__ import annotations

import pytest

from suffice.errors import ConfigError
from suffice.upstream.endpoints import Endpoint, make_endpoint, parse_proxy

URL = "https://api.example.com/v1"


def make(**more) -> Endpoint:
    more.setdefault("base_url", URL)
    return make_endpoint("e", provider="p", **more)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.example.com", (True, "api.example.com", 443, "")),
        ("https://api.example.com/", (True, "api.example.com", 443, "")),
        ("https://API.example.com:8443/v1/", (True, "api.example.com", 8443, "/v1")),
        ("http://[::1]:8000/v1", (False, "::1", 8000, "/v1")),
        ("http://127.0.0.1", (False, "127.0.0.1", 80, "")),
        ("http://localhost:11434/v1", (False, "localhost", 11434, "/v1")),
    ],
)
def test_urls_that_are_taken(url, expected):
    e = make(base_url=url, private=True)
    assert (e.tls, e.host, e.port, e.path_prefix) == expected


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://h/",
        "unix:/x",
        "ftp://h/",
        "h",
        "https://",
        "https:///v1",
        "https://u@h.com/",
        "https://u:p@h.com/",
        "https://h.com/?q",
        "https://h.com/v1#f",
        "https://h.com\\@evil/",
        "https://h.com:0/",
        "https://h.com:99999/",
        "https://h.com:/",
        "https://h.com:8a/",
        "https://h..com/",
        "https://h.com./",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://1.2.3.4.5/",
        "https://-h.com/",
        "https://hé.com/",
        "https://h.com//v1",
        "https://h.com/../v1",
        "https://h.com/%2e%2e/v1",
        "https://h.com/a{b}",
        "https://[::1",
        "HTTPS://h.com",
        "https://[fe80::1%25lo]/",
        "https://h%2ecom/",
        "https://h.com/ x",
        "https://h.com/\r\nx: y",
        " https://h.com",
        "https://h .com",
        "https://" + "a" * 64 + ".com",
        "",
    ],
)
def test_urls_that_are_refused(url):
    with pytest.raises(ConfigError) as caught:
        make(base_url=url, private=True)
    assert "'e'" in caught.value.message


def test_plain_http_needs_private():
    with pytest.raises(ConfigError, match="in clear"):
        make(base_url="http://api.example.com")


def test_placeholders_are_filled():
    e = make(base_url="https://{region}-ai.example.com/{project}", fill={"region": "eu-west1", "project": "p1"})
    assert (e.host, e.path_prefix) == ("eu-west1-ai.example.com", "/p1")


@pytest.mark.parametrize("value", ["evil#", "a.b", "a/b", "", "a" * 64, "a\n", "a@b", "é", "a:1", "%41", "{x}"])
def test_a_placeholder_cannot_move_the_host(value):
    with pytest.raises(ConfigError, match="letters, digits or hyphens"):
        make(base_url="https://{region}.example.com", fill={"region": value})


def test_a_missing_placeholder_is_named():
    with pytest.raises(ConfigError, match=r"\{region\}"):
        make(base_url="https://{region}.example.com")


@pytest.mark.parametrize(
    ("auth", "pair"),
    [("bearer", (b"authorization", b"Bearer k")), ("x-api-key", (b"x-api-key", b"k")), ("Api-Key", (b"api-key", b"k"))],
)
def test_credentials(auth, pair):
    assert make(auth=auth, api_key="k").auth == (pair,)


def test_no_credential_without_a_key_or_scheme():
    assert make(api_key="").auth == () and make(auth="none", api_key="k").auth == ()


def test_secrets_are_in_no_repr():
    e = make(api_key="canary-1", headers=(("x-k", "canary-2"),), proxy="http://u:canary-3@proxy:1")
    assert "canary" not in repr(e) and "Y2FuYXJ5" not in repr(e) and "OmNhbmFyeS0z" not in repr(e)
    assert b"canary-1" in e.static_head and b"canary-2" in e.static_head


@pytest.mark.parametrize("key", ["k\r\nx: y", "k\n", "k\0", "k\x1b", "k\u2028"])
def test_a_key_cannot_break_the_header(key):
    with pytest.raises(ConfigError) as caught:
        make(api_key=key)
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["Host", "content-length", "Transfer-Encoding", "connection", "a b", "a:", "", "x\r\n"]
)
def test_headers_that_cannot_be_set(name):
    with pytest.raises(ConfigError):
        make(headers=((name, "v"),))


def test_host_header_and_user_agent():
    assert b"host: [::1]:8000\r\n" in make(base_url="http://[::1]:8000", private=True).static_head
    assert b"host: api.example.com\r\n" in make().static_head
    assert make(headers=(("User-Agent", "x"),)).static_head.lower().count(b"user-agent") == 1


def test_proxies():
    p = parse_proxy("http://user:p%40ss@proxy.example.com:3128", "x")
    assert (p.host, p.port, p.authorization) == ("proxy.example.com", 3128, b"Basic dXNlcjpwQHNz")
    assert parse_proxy("http://proxy", "x").port == 3128
    for bad in ("https://proxy:1", "socks5://proxy:1", "proxy:1", "http://proxy:1/path", "http://:1", "http://"):
        with pytest.raises(ConfigError):
            parse_proxy(bad, "x")


def test_other_settings_are_checked(tmp_path):
    with pytest.raises(ConfigError, match="max_connections"):
        make(max_connections=0)
    with pytest.raises(ConfigError, match="ca_file"):
        make(ca_file=str(tmp_path / "none.pem"))
