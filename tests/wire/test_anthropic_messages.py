from suffice.wire.anthropic_messages import CODEC
from suffice.wire.codec import ClientCodec, ClientContext, ProviderCodec, Target
from suffice.wire.neutral import Done, ReasoningDelta, ReasoningEnd, Request, Start, Stop, TextDelta, UsageReport


def test_it_is_a_codec_of_both_sides():
    client: ClientCodec = CODEC
    provider: ProviderCodec = CODEC
    body = b'{"model":"m","max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}'
    assert provider.encode_request(client.decode_request(body), Target(model="m")).body == body
    events = [
        Start(id="i", model="up"),
        ReasoningDelta(text="hm", issuer=""),
        ReasoningEnd(signature="S", issuer=""),
        TextDelta(text="yo"),
        Stop(reason="end", native="end_turn", dialect="messages"),
        Done(),
    ]
    answer = client.encode_response(events, ClientContext(request=Request(dialect="messages")))
    assert [e for e in provider.decode_response(answer, Target(model="m")) if not isinstance(e, UsageReport)] == events
