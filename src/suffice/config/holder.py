"""The configuration in use, and its replacement: checked whole, swapped whole, or not at all.

Invariant: `current` is always a configuration that passed every check; a bad file changes nothing. `reload` is
synchronous and not re-entrant; it is called from one thread (the event loop, on SIGHUP or an API call).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from suffice.config.origin import NOWHERE, dotted
from suffice.config.problem import InvalidConfigError, Problem, errors_of
from suffice.config.schema import Settings
from suffice.config.setting import settings_of, walk
from suffice.errors import ConfigError

Check = Callable[[Settings], Sequence[Problem]]
Subscriber = Callable[[Settings, Settings], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReloadReport:
    """What a reload did. `swapped` is false when the new file was refused or says the same as the old one.

    `changed` are dotted names of settings, `needs_restart` those among them that the running process keeps as they were
    until it starts again, `problems` errors and warnings, `failures` what subscribers raised after the swap.
    """

    swapped: bool
    changed: tuple[str, ...] = ()
    needs_restart: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the configuration that is now in use is the one in the file, restarts apart."""
        return not errors_of(self.problems) and not self.failures


class SettingsHolder:
    """Holds the current settings. `read` loads them anew; `checks` may refuse them (unknown names, say)."""

    def __init__(self, settings: Settings, read: Callable[[], Settings], checks: Sequence[Check] = ()) -> None:
        self._current = settings
        self._read = read
        self._checks = tuple(checks)
        self._subscribers: list[Subscriber] = []

    @property
    def current(self) -> Settings:
        """The settings in use."""
        return self._current

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber(old, new)` after each swap, in the order of subscription."""
        self._subscribers.append(subscriber)

    def reload(self) -> ReloadReport:
        """Read, check and swap. Never raises for a bad file; the report says what was wrong."""
        try:
            fresh = self._read()
        except InvalidConfigError as error:
            return ReloadReport(swapped=False, problems=error.problems)
        except (ConfigError, OSError) as error:
            return ReloadReport(
                swapped=False, problems=(Problem(file=self._current.origin.file or NOWHERE, message=str(error)),)
            )
        problems = [*fresh.origin.warnings, *(p for check in self._checks for p in check(fresh))]
        if errors_of(problems):
            return ReloadReport(swapped=False, problems=tuple(problems))
        changed = tuple(differences(self._current, fresh))
        if fresh.candidate != self._current.candidate and "rollout.policy" not in changed:
            changed = (*changed, "rollout.policy")  # the file that it names says something else
        if not changed:
            return ReloadReport(swapped=False, problems=tuple(problems))
        old, self._current = self._current, fresh
        restart = {".".join(path) for path, setting in walk(Settings) if setting.about.restart}
        return ReloadReport(
            swapped=True,
            changed=changed,
            needs_restart=tuple(name for name in changed if name in restart),
            problems=tuple(problems),
            failures=tuple(self._notify(old, fresh)),
        )

    def _notify(self, old: Settings, fresh: Settings) -> list[str]:
        """Tell everybody, even when one of them fails: half of the process on old settings would be worse."""
        failures = []
        for subscriber in self._subscribers:
            try:
                subscriber(old, fresh)
            except Exception as error:
                name = getattr(subscriber, "__qualname__", type(subscriber).__name__)
                failures.append(f"{name}: {type(error).__name__}")
        return failures


def differences(old: Any, new: Any, path: tuple[str, ...] = ()) -> list[str]:
    """Return the dotted names of the settings in which two values differ, deepest first names, in their order."""
    if old == new:
        return []
    if dataclasses.is_dataclass(old) and type(old) is type(new):
        names = [s.name for s in settings_of(type(old))]
        return [d for n in names for d in differences(getattr(old, n), getattr(new, n), (*path, n))]
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        return [d for n in dict.fromkeys([*old, *new]) for d in differences(old.get(n), new.get(n), (*path, n))]
    return [dotted(path)]
