"""Simulated models: answers drawn from reference solutions, with defects at rates that a file sets.

A simulated model knows a task by its prompt. Whether it solves it depends on its skill and on the task's latent difficulty,
which all models share, so that hard tasks are hard for everybody, as in recorded outcomes of real models. The same model asked
the same task answers the same way: comparisons between policies are paired. Nothing here is ever read by the router.
"""

from __future__ import annotations

import math
import tomllib
from importlib import resources
from statistics import NormalDist

import msgspec

from suffice.testing.defects import KINDS, break_code
from suffice.testing.script import Behaviour, Call, Timing
from suffice.testing.seeded import Seeded
from suffice.testing.tasks import Task

# Bytes per token of the simulated tokenizer.
_BYTES_PER_TOKEN = 3.6


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one simulated model behaves.

    `success` is the share of tasks it solves, per source; `spread` the standard deviation of shared difficulty relative to the
    model's own luck; `verbosity` multiplies the length of its prose; `defects` weighs the kinds of defects; `first_token_s` and
    `tokens_per_s` its speed (scaled down by the demo).
    """

    success: dict[str, float]
    verbosity: float = 1.0
    defects: dict[str, float] = {}
    first_token_s: float = 0.0
    luck: float = 0.5


class Profiles(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file: a note that it is invented, and a profile per model."""

    note: str
    models: dict[str, Profile]


def load_profiles(text: str | None = None) -> Profiles:
    """Return the profiles of `text` (TOML), or those shipped with the demo. Raises msgspec.ValidationError."""
    if text is None:
        text = resources.files("suffice.testing").joinpath("data/simulated_models.toml").read_text()
    return msgspec.convert(tomllib.loads(text), Profiles)


class SimulatedModel:
    """A script for `FakeProvider`: answers chat requests about known tasks as one model would."""

    def __init__(self, name: str, profile: Profile, tasks: tuple[Task, ...], seed: int) -> None:
        self.name = name
        self._profile = profile
        self._tasks = {task.prompt: task for task in tasks}
        self._seed = seed

    def __call__(self, index: int, call: Call) -> Behaviour:
        """Return what the model does with one request."""
        task = self._find(call)
        if task is None:
            return Behaviour(text="I can only answer the tasks of the demo.", timing=self._timing())
        text = self._answer(task)
        return Behaviour(text=text, prompt_tokens=math.ceil(len(call.body) / _BYTES_PER_TOKEN), timing=self._timing())

    def solves(self, task: Task) -> bool:
        """True when the model answers with the reference solution.

        Normal scores with a shared part (difficulty) and an own part (luck) give correlated successes with the marginal rate
        that the profile asks for: solved iff sqrt(1 - luck^2) * difficulty + luck * own < inverse_normal(rate).
        """
        rate = min(max(self._profile.success.get(task.source, 0.5), 1e-6), 1 - 1e-6)
        normal = NormalDist()
        difficulty = normal.inv_cdf(_open(Seeded(self._seed, "difficulty", task.id).random()))
        own = normal.inv_cdf(_open(Seeded(self._seed, "luck", self.name, task.id).random()))
        luck = self._profile.luck
        return math.sqrt(1 - luck * luck) * difficulty + luck * own < normal.inv_cdf(rate)

    def _answer(self, task: Task) -> str:
        chance = Seeded(self._seed, "answer", self.name, task.id)
        code = task.reference
        if not self.solves(task):
            code = break_code(code, self._kind(chance), chance)
        prose = "Here is the solution." + " It follows the description step by step." * round(
            3 * self._profile.verbosity
        )
        return f"{prose}\n\n```python\n{code.strip()}\n```\n"

    def _kind(self, chance: Seeded) -> str:
        weights = [self._profile.defects.get(kind, 0.0) for kind in KINDS]
        at = chance.random() * sum(weights)
        for kind, weight in zip(KINDS, weights, strict=True):
            at -= weight
            if at < 0:
                return kind
        return KINDS[0]

    def _timing(self) -> Timing:
        return Timing(before_first_token_s=self._profile.first_token_s)

    def _find(self, call: Call) -> Task | None:
        messages = (call.parsed or {}).get("messages")
        for message in reversed(messages) if isinstance(messages, list) else ():
            if isinstance(message, dict) and message.get("content") in self._tasks:
                return self._tasks[message["content"]]
        return None


def _open(value: float) -> float:
    return min(max(value, 1e-9), 1 - 1e-9)
