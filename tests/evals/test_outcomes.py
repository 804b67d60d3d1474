import gzip

import numpy as np
import pytest

from suffice.errors import ConfigError
from suffice.evals.outcomes import PoolSpec, join, load_pool


def test_a_pool_holds_only_whole_rows(tmp_path, table) -> None:
    table(tmp_path, "t", 20, 1)
    path = tmp_path / "outcomes_t.csv.gz"
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    lines[1] = lines[1].replace(",0.0,", ",,").replace(",1.0,", ",,")
    with gzip.open(path, "wt") as stream:
        stream.write("\n".join(lines))
    pool = load_pool(tmp_path, PoolSpec(name="p", table="t"))
    assert (len(pool.tasks), pool.dropped, pool.models) == (19, 1, ("m0", "m1", "m2", "m3"))
    assert np.isfinite(pool.cost).all() and set(np.unique(pool.right)) <= {0.0, 1.0}
    assert set(pool.family) == {"r0", "r1", "r2"} and all(pool.text)
    some = load_pool(tmp_path, PoolSpec(name="p", table="t", models=("m3", "m1"), leave_out=("r0",)))
    assert some.models == ("m3", "m1") and set(some.family) == {"r1", "r2"}


def test_absent_tables_unknown_models_and_words_for_numbers_are_told(tmp_path, table) -> None:
    with pytest.raises(ConfigError, match="no such file"):
        load_pool(tmp_path, PoolSpec(name="p", table="t"))
    table(tmp_path, "t", 12, 1)
    with pytest.raises(ConfigError, match="nobody"):
        load_pool(tmp_path, PoolSpec(name="p", table="t", models=("m0", "nobody")))
    with gzip.open(tmp_path / "outcomes_t.csv.gz", "at") as stream:
        stream.write("t,task-0,m0,perhaps,x,1,recorded\n")
    with pytest.raises(ConfigError, match="'perhaps' is not a number"):
        load_pool(tmp_path, PoolSpec(name="p", table="t"))


def test_joining_keeps_each_task_once(tmp_path, table) -> None:
    table(tmp_path, "a", 12, 1)
    table(tmp_path, "b", 12, 2, start=6)
    one, two = (load_pool(tmp_path, PoolSpec(name="p", table=t)) for t in "ab")
    both = join(one, two)
    assert len(both.tasks) == 18 == len(set(both.tasks)) == both.right.shape[0] == len(both.text)


def test_tables_that_cannot_be_read_are_named_with_what_is_wrong(tmp_path, table) -> None:
    spec = PoolSpec(name="p", table="t")
    path = tmp_path / "outcomes_t.csv.gz"
    path.write_bytes(b"not gzip")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_pool(tmp_path, spec)
    for text, word in (
        ("", "no rows"),
        ("task_id,model\na,b\n", "column resolved"),
        ("model,resolved\nb,1\n", "column task_id"),
    ):
        with gzip.open(path, "wt") as stream:
            stream.write(text)
        with pytest.raises(ConfigError, match=word):
            load_pool(tmp_path, spec)
    table(tmp_path, "t", 5, 1)
    for text in ("{", "[]", '{"repo": "x"}'):
        with gzip.open(tmp_path / "tasks_t.jsonl.gz", "wt") as stream:
            stream.write(text + "\n")
        with pytest.raises(ConfigError, match="tasks_t"):
            load_pool(tmp_path, spec)
