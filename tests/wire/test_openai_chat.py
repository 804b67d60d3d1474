from suffice.wire.codec import ClientCodec, ClientContext, ProviderCodec, Target
from suffice.wire.neutral import Done, Request, Start, Stop, TextDelta, UsageReport
from suffice.wire.openai_chat import CODEC


def test_it_is_a_codec_of_both_sides():
    client: ClientCodec = CODEC
    provider: ProviderCodec = CODEC
    body = b'{"model":"m","messages":[{"role":"user","content":"hi"}]}'
    request = client.decode_request(body)
    assert provider.encode_request(request, Target(model="m")).body == body
    events = [Start(id="i", model="up"), TextDelta(text="yo"), Stop(reason="end", native="stop"), Done()]
    answer = client.encode_response(events, ClientContext(request=Request(dialect="chat")))
    again = provider.decode_response(answer, Target(model="m"))
    assert [e for e in again if not isinstance(e, UsageReport)] == events
