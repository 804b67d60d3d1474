"""How often a learn-then-test certificate is wrong: 500 resamples of calibration tasks, violations against delta.

Losses are drawn for a ladder of thresholds whose true risk is known; a violation is a certified rung whose true risk
exceeds epsilon. Beside it,
the naive rule that takes the last rung whose empirical risk is below epsilon. `python bench/routing/certificates.py`
"""

from __future__ import annotations

import numpy as np

from suffice.decision.guarantee import learn_then_test

RESAMPLES = 500
DELTA = 0.1


def main() -> None:
    """Print violation rates and the mean certified rung for several sizes and epsilons."""
    rng = np.random.default_rng(11)
    risks = np.linspace(0.01, 0.25, 25)
    for n in (100, 200, 400):
        for epsilon in (0.05, 0.1):
            certified, naive, rungs = 0, 0, 0.0
            for _ in range(RESAMPLES):
                # One uniform per task serves all rungs: riskier rungs fail where safer ones did, as thresholds do.
                losses = (rng.random((n, 1)) < risks).astype(float)
                rung = learn_then_test(losses, epsilon, DELTA)
                certified += int(rung >= 0 and risks[rung] > epsilon)
                rungs += rung
                below = np.flatnonzero(losses.mean(axis=0) <= epsilon)
                naive += int(below.size > 0 and risks[below[-1]] > epsilon)
            print(
                f"n {n}, epsilon {epsilon}, delta {DELTA}: learn-then-test violates {100 * certified / RESAMPLES:.1f} %, "
                f"naive {100 * naive / RESAMPLES:.1f} %; mean certified rung {rungs / RESAMPLES:.1f} of {len(risks) - 1}"
            )


if __name__ == "__main__":
    main()
