import json

import pytest

from suffice.errors import ConfigError
from suffice.evals.pools import BUILT_IN, choose, read_pools


def test_the_named_pools_are_there() -> None:
    assert set(BUILT_IN) == {"9real-swev", "9real-swt", "mini-25", "9west-swev", "crb-sane"}
    assert all(len(BUILT_IN[n].models) == 9 for n in ("9real-swev", "9real-swt", "9west-swev"))
    assert [p.name for p in choose("mini-25, crb-sane", BUILT_IN)] == ["mini-25", "crb-sane"]
    assert len(choose("", BUILT_IN)) == 5
    with pytest.raises(ConfigError, match="unknown pool 'x'"):
        choose("x", BUILT_IN)


def test_pools_from_a_file(tmp_path) -> None:
    path = tmp_path / "pools.json"
    path.write_text(json.dumps({"mine": {"table": "t", "models": ["a"], "cells": True}}))
    assert read_pools(path)["mine"].models == ("a",) and read_pools(path)["mine"].cells


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"x": 3}', '{"x": {"table": "t", "models": "abc"}}'])
def test_a_broken_file_is_named(tmp_path, text: str) -> None:
    path = tmp_path / "pools.json"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"pools\.json"):
        read_pools(path)
