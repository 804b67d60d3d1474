from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.config.bind import MISSING, Binder, kind_of
from suffice.config.origin import Origin
from suffice.config.schema import Settings
from suffice.config.setting import walk

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.decimals(), st.text(max_size=20), st.dates())
ANY = st.recursive(
    SCALARS, lambda i: st.lists(i, max_size=3) | st.dictionaries(st.text(max_size=8), i, max_size=3), max_leaves=8
)
NAMES = sorted({p[-1] for p, _ in walk(Settings)})


def bind(data):
    binder = Binder(Origin(file="f"), {}, Path("/nowhere"))
    return binder.section(Settings, data), binder.problems


def test_exact_numbers():
    settings, problems = bind({"budgets": {"b": {"limit_usd": Decimal("0.1"), "soft": 1}}})
    assert not problems
    assert settings.budgets["b"].limit_usd == Decimal("0.1")
    assert isinstance(settings.budgets["b"].soft, float)


def test_kinds_are_named():
    assert [kind_of(v) for v in (True, 1, "x", Decimal(1), [], {})] == [
        "a boolean", "a whole number", "a text", "a decimal number", "a list", "a table",
    ]  # fmt: skip
    assert kind_of(None) == "a date or time"


@pytest.mark.parametrize("path", [p for p, s in walk(Settings) if "<name>" not in p and s.kind == "section"])
def test_unknown_keys_everywhere(path):
    data = {"zzzz": 1}
    for part in reversed(path):
        data = {part: data}
    _, problems = bind(data)
    assert [p.key for p in problems] == [".".join([*path, "zzzz"])]


@given(
    st.dictionaries(st.sampled_from(NAMES), ANY | st.dictionaries(st.sampled_from(NAMES), ANY, max_size=4), max_size=4)
)
def test_any_data_binds_or_is_reported(data):
    settings, problems = bind(data)
    assert (settings is MISSING) == bool([p for p in problems if not p.warning])
