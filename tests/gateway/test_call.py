from suffice.gateway.call import Call


def test_header_lookup_has_a_default():
    call = Call(
        request_id="r",
        dialect="chat",
        path="/",
        query=b"",
        headers={"a": "b"},
        body=b"",
        received_s=0,
        started_mono_s=0,
        deadline_mono_s=1,
    )
    assert (call.header("a"), call.header("x", "y")) == ("b", "y")
