from suffice.values.usage import Usage
from suffice.wire import responses_object
from suffice.wire.neutral import OutputFormat, Request, Sampling


def test_a_chat_request_fills_every_field_too() -> None:
    told = responses_object.skeleton(Request(dialect="chat", model="m"), response_id="resp_1", model="", created_s=5)
    assert told["model"] == "m"
    assert (told["temperature"], told["top_p"], told["presence_penalty"], told["frequency_penalty"]) == (1, 1, 0, 0)
    assert told["store"] is True
    assert told["tools"] == told["output"] == []
    assert told["text"] == {"format": {"type": "text"}}
    assert told["reasoning"] == {"effort": None, "summary": None}


def test_zero_is_told_as_zero() -> None:
    request = Request(dialect="responses", sampling=Sampling(temperature=0.0, top_p=0.0), extra={"store": False})
    told = responses_object.skeleton(request, response_id="r", model="m", created_s=0)
    assert (told["temperature"], told["top_p"], told["store"]) == (0.0, 0.0, False)


def test_a_schema_is_told_whole() -> None:
    request = Request(dialect="responses", output=OutputFormat(kind="schema", schema={"type": "object"}, name="n"))
    told = responses_object.skeleton(request, response_id="r", model="m", created_s=0)
    assert told["text"]["format"] == {
        "type": "json_schema",
        "name": "n",
        "description": None,
        "schema": {"type": "object"},
        "strict": False,
    }


def test_usage_adds_up() -> None:
    found = responses_object.report(
        Usage(input_tokens=1, cache_read_tokens=2, cache_write_1h_tokens=4, output_tokens=8, reasoning_tokens=16)
    )
    assert found == {
        "input_tokens": 7,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 4},
        "output_tokens": 24,
        "output_tokens_details": {"reasoning_tokens": 16},
        "total_tokens": 31,
    }
    assert responses_object.report(None)["total_tokens"] == 0
