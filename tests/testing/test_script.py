from __future__ import annotations

import msgspec
import pytest

from suffice.errors import ConfigError
from suffice.testing.script import Behaviour, Call, Rule, Rules, choose, load

A, B, C = Behaviour(text="a"), Behaviour(text="b"), Behaviour(text="c")


def call(**changes: object) -> Call:
    base = Call(method="POST", path="/v1/chat/completions", model="m", stream=False, body=b'{"x":"needle"}', parsed={})
    return msgspec.structs.replace(base, **changes)


def test_a_list_repeats_its_last_and_an_empty_one_answers() -> None:
    assert [choose([A, B], i, call(), 0) for i in range(4)] == [A, B, B, B]
    assert choose([], 0, call(), 0) == Behaviour()


def test_a_function_sees_number_and_request() -> None:
    assert choose(lambda i, c: B if (i, c.model) == (3, "m") else A, 3, call(), 0) is B


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        (Rule(then=B, model="m"), call(model="n")),
        (Rule(then=B, path_ends="/chat/completions"), call(path="/v1/embeddings")),
        (Rule(then=B, contains="needle"), call(body=b"{}")),
        (Rule(then=B, stream=False), call(stream=True)),
    ],
)
def test_each_condition_of_a_rule_counts(rule: Rule, wrong: Call) -> None:
    rules = Rules(rules=(rule,), default=C)
    assert choose(rules, 0, call(), 0) is B
    assert choose(rules, 0, wrong, 0) is C


def test_ranges_are_half_open_and_the_first_match_wins() -> None:
    rules = Rules(rules=(Rule(then=A, requests=(1, 3)), Rule(then=B)), default=C)
    assert [choose(rules, i, call(), 0).text for i in range(4)] == ["b", "a", "a", "b"]


def test_shares_come_from_the_seed() -> None:
    rules = Rules(rules=(Rule(then=A, share=0.3),), default=B)
    hits = [i for i in range(1000) if choose(rules, i, call(), 9) is A]
    assert hits == [i for i in range(1000) if choose(rules, i, call(), 9) is A]
    assert 250 < len(hits) < 350
    assert hits != [i for i in range(1000) if choose(rules, i, call(), 10) is A]


def test_json_scripts() -> None:
    assert load(b'{"text": "a"}') == A
    assert load(b'[{"text": "a"}, {"text": "b"}]') == (A, B)
    assert load(b'{"rules": [{"then": {"text": "a"}, "model": "m"}]}') == Rules(rules=(Rule(then=A, model="m"),))


@pytest.mark.parametrize("text", [b"{", b'{"texd": "a"}', b'[{"timing": {"before_head": 1}}]', b"3", b'{"rules": 1}'])
def test_bad_scripts_say_where(text: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^demo\.json: "):
        load(text, "demo.json")
