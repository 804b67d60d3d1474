import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.values.usage import Usage
from suffice.wire.service_usage import of_line, of_report, of_result, of_service


@pytest.mark.parametrize(
    ("body", "tokens", "units"),
    [
        ({"usage": {"total_tokens": 9}}, 9, 0),
        ({"usage": {"prompt_tokens": 4, "total_tokens": 9}}, 4, 0),
        ({"meta": {"billed_units": {"search_units": 2}}}, None, 2),
        ({"meta": {"billed_units": {"search_units": 1, "input_tokens": 7}}}, 7, 1),
        ({"usage": {"total_tokens": -1}}, None, 0),
        ({"usage": {"total_tokens": 1e30}, "meta": []}, None, 0),
        ({"usage": [], "meta": {"billed_units": 3}}, None, 0),
        ([], None, 0),
    ],
)
def test_a_report_is_read_and_an_absurd_one_is_none(body: object, tokens: int | None, units: int):
    usage, found = of_service(json.dumps(body).encode())
    assert (usage.input_tokens if usage else None, found) == (tokens, units)


def test_both_words_for_tokens_are_understood():
    chat = of_report({"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12})
    responses = of_report({"input_tokens": 10, "output_tokens": 2, "input_tokens_details": {"cached_tokens": 4}})
    assert chat == Usage(input_tokens=10, output_tokens=2)
    assert responses == Usage(input_tokens=6, cache_read_tokens=4, output_tokens=2)
    assert of_report({"input_tokens": "x"}) is None
    assert of_report(None) is None


def test_a_line_of_an_output_tells_its_model():
    body = {"model": "m-2026", "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}}
    found = of_line(json.dumps({"response": {"status_code": 200, "body": body}}).encode())
    assert found == ("m-2026", Usage(input_tokens=1, output_tokens=2))
    assert of_line(b'{"error":{}}') is None


@given(st.binary(max_size=100))
def test_any_bytes_are_read(data: bytes):
    of_service(data)
    of_line(data)


def test_results_of_messages_tell_their_usage_when_they_succeeded():
    usage = {"input_tokens": 5, "cache_read_input_tokens": 2, "output_tokens": 3}
    line = json.dumps({"result": {"type": "succeeded", "message": {"model": "m", "usage": usage}}}).encode()
    found = of_result(line)
    assert found is not None and (found[0], found[1].prompt_tokens, found[1].output_tokens) == ("m", 7, 3)
    for other in (b"", b"[]", b'{"result":{"type":"errored"}}', b'{"result":{"message":{"usage":{}}}}', b"\xff"):
        assert of_result(other) is None
