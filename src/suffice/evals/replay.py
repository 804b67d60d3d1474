"""The replay: pools x splits x verifiers x repair costs, all policies side by side, chosen on the training part only.

Does: accumulate per-task sums, so that intervals come from a paired bootstrap over tasks. Does not: choose anything
with test rows. The yardstick
"best single" is one fixed model per pool: the most accurate on training and test tasks together (the cheaper among
equals), which no policy
gets to know; what a user would get who picks the best on the training part is the policy row `best-single`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from suffice.decision.grid import Floats
from suffice.evals import baselines, ours, tree_policy
from suffice.evals.baselines import Judged
from suffice.evals.choice import MARGIN, best_single, honest_best
from suffice.evals.predictions import Scores, scores
from suffice.evals.tree_policy import Data
from suffice.evals.walk import Verifier

REPAIR_USD = (0.6, 3.0, 10.0, 40.0)
ESCAPE = 1.5
RHO = 0.5
VERIFIERS: tuple[tuple[str, Verifier], ...] = (
    ("independent", Verifier(name="none", gate=False, spend=False)),
    ("independent", Verifier(name="spend-turns", gate=False)),
    ("independent", Verifier(name="90/30", tpr=0.9, fpr=0.3)),
    ("correlated", Verifier(name="90/30", tpr=0.9, fpr=0.3, rho=RHO)),
    ("independent", Verifier(name="95/10", tpr=0.95, fpr=0.1)),
    ("correlated", Verifier(name="95/10", tpr=0.95, fpr=0.1, rho=RHO)),
    ("independent", Verifier(name="perfect", tpr=1.0, fpr=0.0)),
)
POLICIES = (
    "best-single", "cheapest-single", "random", "family-lookup", "prompt-text", "fixed-cascade", "cost-over-p",
    "ours", "oracle",
)  # fmt: skip
# Run only when named: a plan tree with spend caps, which the gateway does not have. It is no part of the field of `regret`.
EXTRA_POLICIES = ("ours-tree",)


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Setting:
    """One row's key. `repair` is H in dollars or "iso"."""

    policy: str
    verifier: str
    errors: str
    repair: str


@dataclass(slots=True, kw_only=True)
class Sums:
    """Per task of the pool [n]: sums over the splits in which it was judged, of dollars, rights, losses; how often;
    and the yardstick's."""

    cost: Floats
    right: Floats
    loss: Floats
    count: Floats


@dataclass(slots=True, kw_only=True)
class Tally:
    """What is known of one pool after the splits: sums per setting, the yardstick arm and its sums, calibration."""

    n: int
    yardstick: int
    sums: dict[Setting, Sums] = field(default_factory=dict)
    predictions: list[Scores] = field(default_factory=list)

    def add(self, setting: Setting, rows: np.ndarray, done: Judged) -> None:
        """Add what a policy did on the test rows of one split."""
        if setting not in self.sums:
            self.sums[setting] = Sums(
                cost=np.zeros(self.n), right=np.zeros(self.n), loss=np.zeros(self.n), count=np.zeros(self.n)
            )
        sums = self.sums[setting]
        sums.cost[rows] += done.cost
        sums.right[rows] += done.right
        sums.loss[rows] += done.loss
        sums.count[rows] += 1.0


def random_splits(n: int, count: int, share: float = 0.6, seed: int = 0) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield (train, test) row indices."""
    rng = np.random.default_rng(seed)  # noqa: TID251
    for _ in range(count):
        order = rng.permutation(n)
        cut = round(share * n)
        yield np.sort(order[:cut]), np.sort(order[cut:])


def replay_split(
    data: Data,
    train_rows: np.ndarray,
    test_rows: np.ndarray,
    tally: Tally,
    margin: float = MARGIN,
    policies: frozenset[str] = frozenset(POLICIES),
) -> None:
    """Run the policies on one split and add them to the tally."""
    train, test = data.rows(train_rows), data.rows(test_rows)
    tally.predictions.append(scores(train, test))
    for errors, verifier in VERIFIERS:
        escape = ESCAPE if verifier.gate else 1.0
        for policy, repair, done in _one_verifier(train, test, verifier, escape, margin, policies):
            setting = Setting(policy=policy, verifier=verifier.name, errors=errors, repair=repair)
            tally.add(setting, test_rows, done)


def _one_verifier(
    train: Data, test: Data, verifier: Verifier, escape: float, margin: float, policies: frozenset[str]
) -> Iterator[tuple[str, str, Judged]]:
    repairs = np.array(REPAIR_USD)
    for policy in (*POLICIES, *EXTRA_POLICIES):
        if policy not in policies:
            continue
        if policy == "ours":
            done = [
                *ours.least_cost(train, test, verifier, repairs, escape), ours.iso(train, test, verifier, margin)
            ]  # fmt: skip
        elif policy == "ours-tree":
            done = [
                *tree_policy.least_cost(train, test, verifier, repairs, escape),
                tree_policy.iso(train, test, verifier, margin).judged,
            ]
        elif policy == "fixed-cascade":
            done = _fixed_cascade(train, test, verifier, escape, margin)
        else:
            done = _plain(policy, train, test, verifier, escape, margin)
        for name, judged in zip((*(f"{h:g}" for h in REPAIR_USD), "iso"), done, strict=True):
            yield policy, name, judged


def _fixed_cascade(train: Data, test: Data, verifier: Verifier, escape: float, margin: float) -> list[Judged]:
    """Return the tuned cascade per repair cost and at iso-quality."""
    table = baselines.cascade_table(train.right, train.cost, verifier, escape)
    out = []
    for h in REPAIR_USD:
        chain, hand_over = baselines.tuned_cascade(table, h)
        out.append(baselines.run_sequence(chain, test.right, test.cost, verifier, escape, hand_over=hand_over))
    chain = baselines.iso_cascade(table, honest_best(train.right) + margin)
    return [*out, baselines.run_sequence(chain, test.right, test.cost, verifier, 1.0, hand_over=False)]


def _plain(policy: str, train: Data, test: Data, verifier: Verifier, escape: float, margin: float) -> list[Judged]:
    """Return a policy without a search, per repair cost and at iso-quality."""
    if policy == "random":
        return [*(_random(test, escape) for _ in REPAIR_USD), _random(test, 1.0)]
    if policy == "oracle":
        return [*(_oracle(test, h) for h in REPAIR_USD), _oracle(test, None)]
    if policy in ("family-lookup", "prompt-text"):
        kind = "family" if policy == "family-lookup" else "text"
        target = honest_best(train.right) + margin
        routed = [_routed(train, test, h, escape, kind) for h in REPAIR_USD]
        return [*routed, _iso_routed(train, test, target, kind)]
    chains = {
        "best-single": [best_single(train.right, train.cost)],
        "cheapest-single": [int(train.cost.mean(axis=0).argmin())],
        "cost-over-p": baselines.ratio_order(train.right, train.cost),
    }
    chain = chains[policy]
    last = baselines.run_sequence(chain, test.right, test.cost, verifier, 1.0, hand_over=False)
    return [*(_sequence(train, test, chain, verifier, escape, h) for h in REPAIR_USD), last]


def _sequence(train: Data, test: Data, chain: list[int], verifier: Verifier, escape: float, h: float) -> Judged:
    """Return a fixed chain with the ending that is cheaper on the training part."""
    trial = [
        baselines.run_sequence(chain, train.right, train.cost, verifier, escape, hand_over=end) for end in (True, False)
    ]
    j = [float((t.cost + h * t.loss).mean()) for t in trial]
    return baselines.run_sequence(chain, test.right, test.cost, verifier, escape, hand_over=j[0] < j[1])


def _random(test: Data, escape: float) -> Judged:
    right = test.right.mean(axis=1)
    return Judged(cost=test.cost.mean(axis=1), right=right, loss=escape * (1 - right))


def _predicted(train: Data, test: Data, kind: str) -> tuple[Floats, Floats]:
    """Return predicted success and cost [n, A] by family means or by a ridge regression on the text, made once per pair."""
    key = ("predicted", kind, id(test))
    if key not in train.cache:
        train.cache[key] = (test, _predict(train, test, kind))
    return cast(tuple[Data, tuple[Floats, Floats]], train.cache[key])[1]


def _predict(train: Data, test: Data, kind: str) -> tuple[Floats, Floats]:
    if kind == "family":
        known = tuple(sorted(set(train.family)))
        x, z = baselines.family_features(train.family, known), baselines.family_features(test.family, known)
        penalty = baselines.RIDGE_FAMILY
    else:
        x, z, penalty = train.text, test.text, baselines.RIDGE_TEXT
    p = np.clip(z @ baselines.ridge(x, train.right, penalty), 0, 1)
    cost = np.maximum(z @ baselines.ridge(x, train.cost, penalty), 0.2 * train.cost.mean(axis=0))
    return p, cost


def _routed(train: Data, test: Data, h: float, escape: float, kind: str) -> Judged:
    p, cost = _predicted(train, test, kind)
    return baselines.routed((cost + h * escape * (1 - p)).argmin(axis=1), test.right, test.cost, escape)


def _iso_routed(train: Data, test: Data, target: float, kind: str) -> Judged:
    """Return the router at the least dial whose training accuracy (cross-fitted) meets the target."""
    levels = np.geomspace(0.03, 300.0, 40) * float(train.cost.mean())
    accuracy, spent = np.zeros(levels.shape[0]), np.zeros(levels.shape[0])
    for a, _, b in train.parts():
        p, cost = _predicted(a, b, kind)
        for k, level in enumerate(levels):
            done = baselines.routed((cost + level * (1 - p)).argmin(axis=1), b.right, b.cost, 1.0)
            accuracy[k] += done.right.sum() / train.right.shape[0]
            spent[k] += done.cost.sum()
    able = np.flatnonzero(accuracy >= target)
    k = int(able[spent[able].argmin()]) if able.size else int(accuracy.argmax())
    return _routed(train, test, float(levels[k]), 1.0, kind)


def _oracle(test: Data, h: float | None) -> Judged:
    """Return the cheapest right arm per task (nobody can know it); a task that none solves costs nothing and H, or
    the cheapest arm."""
    cost = np.where(test.right > 0.5, test.cost, np.inf).min(axis=1)
    solved = np.isfinite(cost)
    if h is None:
        return Judged(
            cost=np.where(solved, cost, test.cost.min(axis=1)),
            right=solved.astype(float),
            loss=1.0 - solved.astype(float),
        )
    worth = solved & (cost < h)
    return Judged(cost=np.where(worth, cost, 0.0), right=worth.astype(float), loss=1.0 - worth.astype(float))
