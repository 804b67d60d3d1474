"""What an authorizer puts on the wire, seen by a server."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

import pytest

from suffice.errors import ConfigError, RequestError
from suffice.upstream.authorization import Outgoing, SigV4, TokenHeader
from suffice.upstream.credentials import Carrier, CredentialError, Fixed, Issued, Keeper
from suffice.upstream.sigv4 import Credentials, digest, sign
from suffice.upstream.transport import Transport
from suffice.upstream.transport_fault import TransportFault
from suffice.values.system_env import SystemEnv

KEYS = Credentials(access_key_id="AKIDEXAMPLE00000", secret_access_key="s3cr3t", session_token="t0k/en==")
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"


class Later:
    """Gives a new token at each fetch."""

    def __init__(self) -> None:
        self.fetched = 0
        self.broken = False

    async def fetch(self, carrier: Carrier) -> Issued:
        self.fetched += 1
        if self.broken:
            raise CredentialError("broken")
        return Issued(token=f"token-{self.fetched}", expires_s=carrier.wall_s() + 3600)


def headers(request: bytes) -> dict[str, str]:
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    assert len({line.partition(": ")[0] for line in lines}) == len(lines), "no header twice"
    return dict(line.split(": ", 1) for line in lines)


async def test_a_request_is_signed_over_what_is_sent(bench):
    server = await bench.answering(OK)
    keeper = Keeper(Fixed(Issued(aws=KEYS)), "aws")
    endpoint = bench.endpoint(server.port, authorizer=SigV4(keeper, region="eu-west-1"))
    path = b"/model/anthropic.x-v1%3A0/converse?a=b%20c"
    await bench.transport.request(endpoint, b"POST", path, [(b"accept", b"*/*")], [b'{"a":', b"1}"])
    got = headers(server.requests[0])
    stamp = got["x-amz-date"]
    assert got["x-amz-security-token"] == "t0k/en=="
    # Signed again from what arrived, as the service does.
    now_s = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    expected = dict(
        sign(
            method="POST",
            host=f"127.0.0.1:{server.port}",
            path="/model/anthropic.x-v1%3A0/converse",
            query=[("a", "b c")],
            body_sha256=hashlib.sha256(b'{"a":1}').hexdigest(),
            credentials=KEYS,
            region="eu-west-1",
            now_s=now_s,
        )
    )
    assert got["authorization"].encode() == expected[b"authorization"]
    assert re.search(r"/eu-west-1/bedrock/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token,", str(got))


async def test_a_large_body_is_hashed_beside_the_loop_and_signed_the_same():
    carrier, body = Transport(SystemEnv()), [b"x" * 1_500_000, b"y"]
    signer = SigV4(Keeper(Fixed(Issued(aws=KEYS)), "aws"), region="us-east-1")
    outgoing = Outgoing(method=b"POST", authority="h", target=b"/p", body=body)
    got = dict(await signer.authorize(outgoing, carrier))
    assert b"Signature=" in got[b"authorization"] and digest(body) == hashlib.sha256(b"".join(body)).hexdigest()


async def test_a_token_is_sent_and_renewed_after_a_refusal(bench, monkeypatch):
    monkeypatch.setattr("suffice.upstream.credentials.SUSPECT_AFTER_S", -1.0)
    server = await bench.answering(b"HTTP/1.1 401 No\r\ncontent-length: 0\r\n\r\n")
    source = Later()
    endpoint = bench.endpoint(server.port, authorizer=TokenHeader(Keeper(source, "g")))
    for _ in range(2):
        await bench.fetch(endpoint)
    assert [headers(r)["authorization"] for r in server.requests] == ["Bearer token-1", "Bearer token-2"]


async def test_without_a_credential_nothing_is_sent(bench):
    server = await bench.answering(OK)
    source = Later()
    source.broken = True
    endpoint = bench.endpoint(server.port, authorizer=TokenHeader(Keeper(source, "g")))
    with pytest.raises(TransportFault) as caught:
        await bench.fetch(endpoint)
    assert caught.value.kind == "credential" and server.connections == 0


@pytest.mark.parametrize(
    "authorizer",
    [
        TokenHeader(Keeper(Fixed(Issued(aws=KEYS)), "x")),
        SigV4(Keeper(Fixed(Issued(token="t")), "x"), region="us-east-1"),
    ],
)
async def test_a_source_of_the_wrong_kind_is_told(bench, authorizer):
    server = await bench.answering(OK)
    with pytest.raises(TransportFault, match="needed"):
        await bench.fetch(bench.endpoint(server.port, authorizer=authorizer))


async def test_a_caller_cannot_bring_a_proof_of_its_own(bench):
    endpoint = bench.endpoint(1, authorizer=TokenHeader(Keeper(Fixed(Issued(token="t")), "x")))
    for name in (b"authorization", b"x-amz-security-token", b"x-amz-date"):
        with pytest.raises(RequestError):
            await bench.transport.request(endpoint, b"POST", b"/", [(name, b"x")])


async def test_a_fixed_header_beside_an_authorizer_is_refused(bench):
    with pytest.raises(ConfigError, match="twice"):
        bench.endpoint(1, api_key="k", authorizer=TokenHeader(Keeper(Fixed(Issued(token="t")), "x")))


async def test_the_secret_is_in_no_repr(bench):
    endpoint = bench.endpoint(1, authorizer=SigV4(Keeper(Fixed(Issued(aws=KEYS)), "x"), region="us-east-1"))
    assert "s3cr3t" not in repr(endpoint) and "t0k" not in repr(endpoint)
