import asyncio
import gzip
import json
from typing import Any

import pytest

from suffice.errors import AuthError, ForbiddenError, RequestError
from suffice.gateway.app import DataPlane, Route, bearer, inflated, refuse_browsers
from suffice.gateway.auth import Principal
from suffice.gateway.call import Call
from suffice.gateway.reply import Reply
from suffice.values.system_env import SystemEnv

LIMIT = 1000


async def echo(call: Call, principal: Principal, reply: Reply) -> None:
    if call.body == b"boom":
        raise ZeroDivisionError("secret detail")
    told = {"key": principal.key_id, "size": len(call.body), "deadline": call.deadline_mono_s > call.started_mono_s}
    await reply.whole(200, json.dumps(told).encode())


def plane(key: str = "sk-good") -> DataPlane:
    def authenticate(headers: dict[str, str], client: str) -> Principal:
        if bearer(headers) != key:
            raise AuthError("unknown key")
        return Principal(key_id="k1")

    return DataPlane(
        env=SystemEnv(),
        routes=[
            Route(method="POST", path="/v1/chat/completions", dialect="chat", handler=echo),
            Route(method="POST", path="/v1/messages", dialect="messages", handler=echo),
            Route(method="GET", path="/health", dialect="chat", handler=echo, open=True, has_body=False),
        ],
        authenticate=authenticate,
        body_limit=LIMIT,
        request_timeout_s=60,
    )


def request(body: bytes = b"{}", path: str = "/v1/chat/completions", method: str = "POST", **headers: str) -> bytes:
    fields = {
        "Host": "gateway",
        "Authorization": "Bearer sk-good",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body


def parsed(answer: bytes) -> tuple[int, Any]:
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head[9:12]), json.loads(body)


async def test_a_good_call(serve: Any, exchange: Any):
    async with serve(plane()) as port:
        answer = await exchange(port, request(b"x" * LIMIT))
    assert parsed(answer) == (200, {"key": "k1", "size": LIMIT, "deadline": True})
    assert b"x-request-id: " in answer


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (request(b"x" * (LIMIT + 1)), 413, "request_too_large"),
        (request(path="/v1/nothing"), 404, "unknown_route"),
        (request(path="/v1/chat/completions/"), 404, "unknown_route"),
        (request(path="/V1/chat/completions"), 404, "unknown_route"),
        (request(path="/v1/%63hat/completions"), 404, "unknown_route"),
        (request(method="GET"), 405, "method_not_allowed"),
        (request(Authorization=""), 401, "missing_api_key"),
        (request(Authorization="Basic abc"), 401, "invalid_api_key"),
        (request(Authorization="Bearer sk-bad"), 401, "invalid_api_key"),
        (request(Content_Type="text/plain"), 415, "unsupported_media_type"),
        (request(Content_Encoding="gzip"), 415, "unsupported_encoding"),
        (request(b"boom"), 500, "internal_error"),
    ],
)
async def test_refusals_are_told(serve: Any, exchange: Any, sent: bytes, status: int, code: str):
    async with serve(plane()) as port:
        answer = await exchange(port, sent)
    got, body = parsed(answer)
    assert (got, body["error"]["code"]) == (status, code)
    assert b"secret detail" not in answer
    assert b"Traceback" not in answer


async def test_a_chunked_body_without_length_is_bounded(serve: Any, exchange: Any):
    chunk = b"200\r\n" + b"x" * 512 + b"\r\n"
    head = request(b"", Content_Length="", Transfer_Encoding="chunked")
    async with serve(plane()) as port:
        assert parsed(await exchange(port, head + chunk + b"0\r\n\r\n"))[0] == 200
        assert parsed(await exchange(port, head + chunk * 3 + b"0\r\n\r\n"))[0] == 413


async def test_repeated_credentials_are_refused(serve: Any, exchange: Any):
    twice = request().replace(b"Host", b"Authorization: Bearer sk-bad\r\nHost", 1)
    async with serve(plane()) as port:
        assert parsed(await exchange(port, twice))[0] == 400


async def test_errors_speak_the_dialect_of_the_route(serve: Any, exchange: Any):
    async with serve(plane()) as port:
        _, body = parsed(await exchange(port, request(path="/v1/messages", Authorization="")))
    assert body["type"] == "error"
    assert body["error"]["type"] == "authentication_error"


async def test_a_body_that_is_refused_is_not_waited_for(serve: Any, exchange: Any):
    head = request(b"", Content_Length=str(LIMIT + 1), Expect="100-continue")
    async with serve(plane()) as port:
        answer = await exchange(port, head)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"100 Continue" not in answer


async def test_a_client_that_leaves_while_sending_is_no_error(serve: Any):
    app = plane()
    async with serve(app) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request(b"", Content_Length="100") + b"abc")
        await asyncio.sleep(0.05)
        writer.close()
        for _ in range(100):
            if app.in_flight == 0:
                break
            await asyncio.sleep(0.01)
    assert app.in_flight == 0


@pytest.mark.parametrize("headers", [{"origin": "http://evil"}, {"content-type": "text/plain"}])
def test_without_keys_web_pages_are_refused(headers: dict[str, str]):
    with pytest.raises(Exception, match="no key is configured"):
        refuse_browsers(headers)


def test_without_keys_programs_are_served():
    refuse_browsers({"content-type": "application/json; charset=utf-8"})
    refuse_browsers({})


def test_a_body_inflates_to_no_more_than_the_limit():
    assert inflated(gzip.compress(bytes(1000)), 1000) == bytes(1000)
    with pytest.raises(RequestError) as caught:
        inflated(gzip.compress(bytes(100_000_000)), 1000)
    assert caught.value.status == 413


def test_a_page_cannot_send_protobuf_unasked_so_it_is_read_without_keys():
    refuse_browsers({"content-type": "application/x-protobuf"})
    with pytest.raises(ForbiddenError):
        refuse_browsers({"content-type": "application/x-protobuf", "origin": "https://x.example"})
