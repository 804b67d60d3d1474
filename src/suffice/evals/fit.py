"""Fit the success and spend models on the training part of an outcome table, for the replay and for shipped priors.

Marginal maximum likelihood of p_a(θ) = σ(α_a (b_a − θ)) by EM over the difficulty grid, with shrinkage; spend as a
log-logistic
law whose centre moves with success and difficulty. Sees training rows only. Invariant: arms are numbers here, tasks
are rows:
nothing can be keyed on a name.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from suffice.decision.grid import GRID, Floats, Ints, normal_prior, sigmoid
from suffice.decision.spend import bin_chances
from suffice.errors import DecisionError

SPREAD = 1.8
ABILITY_PRECISION = 0.15
SLOPE_PRECISION = 12.0
SPEND_RIDGE = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A arms, B spend bins on the 33-point grid.

    `p` [A, 33]; `spend` [A, 2, B, 33] = P(bin | wrong/right, θ); `edges` [A, B − 1] in dollars; `bin_usd` [A, B]
    mean cost within a bin;
    `prior` [33]; `posterior` [n, 33] of the training tasks; `ability`, `slope` [A].
    """

    p: Floats
    spend: Floats
    edges: Floats
    bin_usd: Floats
    prior: Floats
    posterior: Floats
    ability: Floats
    slope: Floats

    def attempt_usd(self, mean_usd: Floats) -> Floats:
        """Return the expected dollars of an attempt by difficulty [A, 33], with the means `mean_usd` [A] over the prior.

        Harder tasks cost more where spend grows with difficulty or with failing; without spend bins it is flat.
        """
        right, wrong = self.p[:, None] * self.spend[:, 1], (1.0 - self.p)[:, None] * self.spend[:, 0]
        grid = np.einsum("ab,abg->ag", self.bin_usd, right + wrong)
        return np.asarray(grid * (mean_usd / np.maximum(grid @ self.prior, 1e-300))[:, None])


def difficulty_posterior(p: Floats, right: Floats, prior: Floats) -> Floats:
    """Return [n, 33] given p [A, 33] and outcomes `right` [n, A] in {0, 1}, NaN where an arm was not run."""
    q = np.clip(p, 1e-9, 1 - 1e-9)
    known = np.isfinite(right)
    y = np.where(known, right, 0.0)
    log = y @ np.log(q) + (known - y) @ np.log(1 - q) + np.log(prior + 1e-300)
    log -= log.max(axis=1, keepdims=True)
    weights = np.exp(log)
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def fit_skill(right: Floats, iterations: int = 40) -> tuple[Floats, Floats]:
    """Return (ability [A], slope [A]) from outcomes [n, A]. Slopes are shrunk to 1, abilities weakly to 0."""
    a = right.shape[1]
    prior = normal_prior(0.0, SPREAD)
    known = np.isfinite(right)
    y = np.where(known, right, 0.0)
    rate = np.clip((y.sum(axis=0) + 0.5) / (known.sum(axis=0) + 1.0), 0.02, 0.98)
    ability, log_slope = 1.4 * np.log(rate / (1 - rate)), np.zeros(a)
    for _ in range(iterations):
        p = sigmoid(np.exp(log_slope)[:, None] * (ability[:, None] - GRID))
        post = difficulty_posterior(p, right, prior)
        hits, tries = y.T @ post, known.T.astype(np.float64) @ post
        for _ in range(2):
            slope = np.exp(log_slope)
            gap = ability[:, None] - GRID
            p = sigmoid(slope[:, None] * gap)
            residual, curve = hits - tries * p, tries * p * (1 - p)
            step_b = (slope * residual.sum(1) - ABILITY_PRECISION * ability) / (
                slope**2 * curve.sum(1) + ABILITY_PRECISION
            )
            ability = ability + np.clip(step_b, -0.5, 0.5)
            by_slope = slope[:, None] * gap
            step_s = ((residual * by_slope).sum(1) - SLOPE_PRECISION * log_slope) / (
                (curve * by_slope**2).sum(1) + SLOPE_PRECISION
            )
            log_slope = np.clip(log_slope + np.clip(step_s, -0.2, 0.2), -0.7, 0.7)
    return np.clip(ability, GRID[0], GRID[-1]), np.exp(log_slope)


def fit(right: Floats, cost: Floats, quantiles: tuple[float, ...]) -> Fitted:
    """Return the models from training outcomes [n, A] and costs [n, A]; `quantiles` of each arm's cost are the bin edges.

    Raises DecisionError with fewer than 10 tasks or no arm.
    """
    n, a = right.shape
    if n < 10 or a == 0:
        raise DecisionError(f"{n} training tasks x {a} arms are too few to fit", hint="at least 10 tasks")
    ability, slope = fit_skill(right)
    prior = normal_prior(0.0, SPREAD)
    p = sigmoid(slope[:, None] * (ability[:, None] - GRID))
    posterior = difficulty_posterior(p, right, prior)
    edges = np.stack([np.quantile(cost, q, axis=0) for q in quantiles], axis=1) if quantiles else np.zeros((a, 0))
    bins = edges.shape[1] + 1
    where = bin_of(cost, edges)
    bin_usd = np.empty((a, bins))
    for b in range(bins):
        inside = where == b
        count = inside.sum(axis=0)
        total = np.where(inside, cost, 0.0).sum(axis=0)
        bin_usd[:, b] = np.where(count > 0, total / np.maximum(count, 1), cost.mean(axis=0))
    return Fitted(
        p=p, spend=_spend(right, cost, posterior, edges), edges=edges, bin_usd=bin_usd, prior=prior, posterior=posterior,
        ability=ability, slope=slope,
    )  # fmt: skip


def bin_of(cost: Floats, edges: Floats) -> Ints:
    """Return the spend bin [n, A] of costs [n, A] under `edges` [A, B − 1]; a cost equal to an edge is below it."""
    return np.asarray((cost[:, :, None] > edges[None]).sum(axis=2), dtype=np.int64)


def _spend(right: Floats, cost: Floats, posterior: Floats, edges: Floats) -> Floats:
    """Return P(bin | outcome, θ) [A, 2, B, 33]: log cost = m + d·wrong + g·θ + noise per arm, d and g shrunk to the pool."""
    n, a = cost.shape
    log = np.log(np.maximum(cost, 1e-9))
    theta = posterior @ GRID
    wrong = 1.0 - right
    x = np.stack([wrong - wrong.mean(axis=0), np.broadcast_to((theta - theta.mean())[:, None], wrong.shape)], axis=2)
    centred = log - log.mean(axis=0)
    gram = np.einsum("nai,naj->aij", x, x)
    moment = np.einsum("nai,na->ai", x, centred)
    pooled = np.linalg.solve(gram.sum(axis=0) + np.eye(2), moment.sum(axis=0))
    ridge = SPEND_RIDGE * np.eye(2)
    beta = np.linalg.solve(gram + ridge, (moment + pooled @ ridge)[..., None])[..., 0]
    noise = centred - np.einsum("nai,ai->na", x, beta)
    sd = np.sqrt((noise**2).sum(axis=0) / max(1, n - 3) + 1e-4)
    centre = (
        log.mean(axis=0)[:, None, None]
        + beta[:, 0, None, None] * (np.array([1.0, 0.0])[None, :, None] - wrong.mean(axis=0)[:, None, None])
        + beta[:, 1, None, None] * (GRID - theta.mean())[None, None, :]
    )
    if edges.shape[1] == 0:
        return np.ones((a, 2, 1, GRID.shape[0]))
    return bin_chances(
        np.log(np.maximum(edges, 1e-9))[:, None, :], centre, np.broadcast_to(sd[:, None], centre.shape[:2])
    )
