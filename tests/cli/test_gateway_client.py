import http.server
import threading

import pytest

from suffice.cli.command import UsageError
from suffice.cli.gateway_client import address_of, post
from suffice.config.schema import ServerSettings
from suffice.errors import AuthError, RequestError, UpstreamError


class Stranger(http.server.BaseHTTPRequestHandler):
    """Answers what its path says: the status, then the body."""

    def do_POST(self) -> None:
        status, _, body = self.path.lstrip("/").partition("/")
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(int(status))
        self.send_header("location", "/200/%7B%7D")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stranger():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_answers_and_refusals(stranger):
    assert post(stranger, '/200/{"a":1}', {}) == {"a": 1}
    with pytest.raises(AuthError, match=r"no_key.*SUFFICE_KEY"):
        post(stranger, '/401/{"error":{"message":"no_key","code":"x"}}', {})


@pytest.mark.parametrize("path", ["/200/<html>", "/200/[1]", "/302/{}", "/500/{}", '/400/{"error":[]}'])
def test_what_is_no_gateway_is_told(stranger, path):
    with pytest.raises(UpstreamError, match="no Suffice gateway"):
        post(stranger, path, {})


@pytest.mark.parametrize("url", ["", "localhost:4000", "ftp://x/v1", "http://x:99999/v1"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(RequestError, match="no address"):
        post(url, "/outcomes", {})


def test_a_listener_everywhere_is_called_on_this_machine():
    for host, expected in (("0.0.0.0", "127.0.0.1"), ("::", "[::1]"), ("::1", "[::1]"), ("gw.lan", "gw.lan")):
        assert address_of(ServerSettings(host=host, port=9)) == f"http://{expected}:9"
    with pytest.raises(UsageError, match="--url"):
        address_of(ServerSettings(port=0))
