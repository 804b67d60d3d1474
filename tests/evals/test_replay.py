import numpy as np

from suffice.evals.choice import best_single
from suffice.evals.outcomes import PoolSpec, load_pool
from suffice.evals.replay import POLICIES, REPAIR_USD, VERIFIERS, Tally, random_splits, replay_split
from suffice.evals.tree_policy import data_of


def test_every_policy_has_a_row_under_every_verifier_and_repair_cost(tmp_path, table) -> None:
    table(tmp_path, "t", 60, 3, models=3)
    pool = load_pool(tmp_path, PoolSpec(name="p", table="t"))
    tally = Tally(n=60, yardstick=best_single(pool.right, pool.cost))
    (train, test), *_ = random_splits(60, 2)
    assert len(train) == 36 and not set(train) & set(test)
    replay_split(data_of(pool), train, test, tally)
    assert len(tally.sums) == len(POLICIES) * len(VERIFIERS) * (len(REPAIR_USD) + 1)
    for setting, sums in tally.sums.items():
        assert set(np.flatnonzero(sums.count)) == set(test), setting
        assert np.isfinite(sums.cost).all() and np.all((sums.right >= -1e-9) & (sums.right <= 1 + 1e-9)), setting
        if setting.policy == "oracle":
            continue
        floor = tally.sums[
            type(setting)(policy="oracle", verifier=setting.verifier, errors=setting.errors, repair="iso")
        ]
        assert sums.right.sum() <= floor.right.sum() + 1e-9
