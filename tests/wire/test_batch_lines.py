import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.errors import ForbiddenError, RequestError
from suffice.wire.batch_lines import read, read_requests


def line(model: str, **body: object) -> str:
    return json.dumps({"custom_id": "é", "body": {"model": model, **body}})


def test_lines_that_need_no_other_name_keep_their_bytes():
    data = f"{line('m', max_tokens=5)}\r\n\n  {line('m')}\n".encode()
    assert read(data, lambda model: model).data is data


def test_demand_is_summed_by_model_and_names_are_the_providers():
    data = f"{line('p/m', max_tokens=5, n=3)}\n{line('m')}\n{line('o', max_completion_tokens=9, max_tokens=7)}".encode()
    lines = read(data, lambda model: model.removeprefix("p/"))
    first, other = lines.demands
    assert (first.model, first.lines, first.output_tokens, first.unlimited) == ("m", 2, 15, 1)
    assert (other.output_tokens, other.unlimited) == (7, 0)
    assert first.prompt_bytes + other.prompt_bytes == sum(map(len, data.split(b"\n")))
    assert [json.loads(row)["body"]["model"] for row in lines.data.split(b"\n")] == ["m", "m", "o"]


@pytest.mark.parametrize(
    "bad", ["", "[]", "{", '{"body":[]}', '{"body":{"model":7}}', line("m", n=-1), line("m", max_tokens=True)]
)
def test_a_bad_line_is_named(bad: str):
    with pytest.raises(RequestError) as refused:
        read(f"{line('m')}\n{bad}\n".encode() if bad else b"\n", lambda model: model)
    assert refused.value.status == 400
    assert not bad or "line 2" in str(refused.value)


def test_a_model_may_be_refused():
    def never(model: str) -> str:
        raise ForbiddenError("no")

    with pytest.raises(ForbiddenError):
        read(line("m").encode(), never)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes):
    try:
        read(data, lambda model: model)
    except RequestError as error:
        assert error.status == 400


def test_requests_of_messages_are_read_like_lines():
    def one(model: str, **more: object) -> dict[str, object]:
        return {"custom_id": "a", "params": {"model": model, "max_tokens": 7, "messages": [], **more}}

    rows = [one("x"), one("p/x"), one("x", system=[{"cache_control": {"type": "ephemeral"}}])]
    raw = json.dumps(rows).encode()
    found = read_requests(raw, lambda name: name.removeprefix("p/"))
    (demand,) = found.demands
    assert (demand.model, demand.lines, demand.output_tokens) == ("x", 3, 21)
    sizes = [len(json.dumps(row)) for row in rows]
    assert demand.prompt_bytes == sizes[0] + sizes[1] + 2 * sizes[2]  # a write into the cache costs up to twice
    assert [row["params"]["model"] for row in json.loads(found.data)] == ["x", "x", "x"]
    same = json.dumps(rows[:1]).encode()
    assert read_requests(same, str).data is same
