"""How long answers take, per arm, and how likely one comes in time: P(T <= SLO) from a log-normal law that forgets.

Does: keep the mean and variance of log seconds with exponential forgetting. Does not: read a clock or mask anything. Invariant: an arm
seen fewer than FEWEST times has no probability, so it is never called late on a guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from suffice.values.plan import Arm

FEWEST = 10
MEMORY = 100.0  # answers that count
SURE = 0.9  # an arm with less than this of being in time is late
_SD_FLOOR = 0.1


@dataclass(slots=True)
class _Seen:
    count: int = 0
    mean: float = 0.0
    variance: float = 0.25


class Latencies:
    """What was seen of each arm. Bounded by the number of arms; not for several threads."""

    __slots__ = ("_arms",)

    def __init__(self) -> None:
        self._arms: dict[Arm, _Seen] = {}

    def seen(self, arm: Arm, seconds: float) -> None:
        """Count one whole answer; times that are not positive and finite teach nothing."""
        if not (math.isfinite(seconds) and seconds > 0.0):
            return
        one = self._arms.setdefault(arm, _Seen())
        one.count += 1
        weight = 1.0 / min(float(one.count), MEMORY)
        gap = math.log(seconds) - one.mean
        one.mean += weight * gap
        if one.count > 1:
            one.variance = (1.0 - weight) * (one.variance + weight * gap * gap)

    def within(self, arm: Arm, slo_s: float) -> float | None:
        """Return P(T <= slo_s) of an arm's next answer, None while too few were seen. An SLO of 0 or less is never met."""
        one = self._arms.get(arm)
        if one is None or one.count < FEWEST:
            return None
        if slo_s <= 0.0:
            return 0.0
        sd = max(_SD_FLOOR, math.sqrt(one.variance))
        return 0.5 * math.erfc((one.mean - math.log(slo_s)) / (sd * math.sqrt(2.0)))

    def quantile(self, arm: Arm, share: float) -> float | None:
        """Return the seconds within which `share` (between 0 and 1) of an arm's answers come, None while too few were seen."""
        one = self._arms.get(arm)
        if one is None or one.count < FEWEST:
            return None
        return math.exp(one.mean + NormalDist().inv_cdf(share) * max(_SD_FLOOR, math.sqrt(one.variance)))

    def typical(self) -> dict[Arm, float]:
        """Return the median seconds of every arm that was seen often enough."""
        return {arm: math.exp(one.mean) for arm, one in self._arms.items() if one.count >= FEWEST}

    def late(self, arm: Arm, slo_s: float) -> str:
        """Return why the arm is too slow for the objective, empty when it is not known to be."""
        p = self.within(arm, slo_s)
        if p is None or p >= SURE:
            return ""
        return f"latency: in {slo_s:g} s with probability {p:.2f}, {SURE:g} is asked for"
