"""The changed policy of a rollout: another file's `[routing]` and `[aliases]`, with everything else as it is here.

Does: read that file and refuse what would be more than a policy. Does not: decide who is served by it. Invariant: the candidate
differs from the settings that name it in these two sections alone, and serves the same names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from suffice.config.problem import InvalidConfigError, Problem
from suffice.config.schema import RolloutSettings, Settings

SECTIONS = ("routing", "aliases")
Read = Callable[[Path], Settings]


def only_policy(settings: Settings) -> bool:
    """Tell whether a file holds a policy and nothing else."""
    return {str(path[0]) for path in settings.origin.places} <= {"version", *SECTIONS}


def under(policy: Settings, settings: Settings) -> Settings:
    """Return `settings` with the policy of another file; a section that it leaves out stays as it is."""
    given = {str(path[0]) for path in policy.origin.places}
    changed = {name: getattr(policy, name) for name in SECTIONS if name in given}
    return replace(settings, candidate=None, rollout=RolloutSettings(), **changed)


def with_candidate(settings: Settings, path: Path, read: Read) -> Settings:
    """Return `settings` with the candidate that `path` holds; `read` loads a file. Raises InvalidConfigError."""
    policy = read(path)
    key = ("rollout", "policy")
    for place in policy.origin.places:
        if place[0] not in ("version", *SECTIONS):
            hint = "a candidate changes [routing] and [aliases]; for more, run a second gateway"
            raise InvalidConfigError([policy.origin.problem(place, f"a policy has no [{place[0]}]", hint)])
    candidate = under(policy, settings)
    if set(candidate.aliases) != set(settings.aliases):
        hint = "give both the same aliases: a name must mean something for every session"
        message = f"the aliases of {path.name} have other names: {', '.join(sorted(set(candidate.aliases) ^ set(settings.aliases)))}"
        problem: Problem = settings.origin.problem(key, message, hint)
        raise InvalidConfigError([problem])
    return replace(settings, candidate=candidate)
