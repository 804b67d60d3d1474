"""One circuit: closed, open for a time, then half open for a single probe. It holds no clock; times come in as arguments.

It must not know what it protects (`health.py` does). Invariants: an open circuit lets nothing through before its
time; a half-open one lets one probe through at a time; a wait never exceeds the longest cooldown of its fault.
"""

from __future__ import annotations

from dataclasses import dataclass

from suffice.upstream.faults import Fault

WINDOW = 10
STRIKES = 3
PROBE_LEASE_S = 120.0
MAX_DOUBLINGS = 16


@dataclass(slots=True, kw_only=True)
class Circuit:
    """State of one circuit; times are monotonic seconds.

    `outcomes` holds the last ten results as bits (1: a strike), `trips` counts openings since the last success,
    `disabled` waits for a changed configuration.
    """

    open_until: float = 0.0
    is_open: bool = False
    disabled: bool = False
    trips: int = 0
    outcomes: int = 0
    probe_until: float = 0.0
    cause: str = ""
    row: int = 0

    def available(self, now: float) -> bool:
        """Tell whether a request may pass: closed, or half open with no probe under way."""
        if not self.is_open:
            return True
        return not self.disabled and now >= self.open_until and now >= self.probe_until

    def wait_s(self, now: float) -> float:
        """Return the seconds until a request may pass, as far as is known; 0 when it may now."""
        if not self.is_open:
            return 0.0
        return max(0.0, self.open_until - now, self.probe_until - now)

    def begin(self, now: float) -> None:
        """Note that a request passes; on an open circuit it is the probe."""
        if self.is_open:
            self.probe_until = now + PROBE_LEASE_S

    def abandon(self) -> None:
        """The probe ended without a verdict: let another one try."""
        self.probe_until = 0.0

    def succeed(self, now: float) -> None:
        """Note a success. Only a probe closes an open circuit: answers of earlier requests prove nothing."""
        self.outcomes = (self.outcomes << 1) & (1 << WINDOW) - 1
        if self.is_open and self.probe_until:
            self.is_open = self.disabled = False
            self.trips = self.outcomes = 0
            self.probe_until = 0.0
            self.cause, self.row = "", 0
        elif not self.is_open:
            self.trips = 0 if not self.outcomes else self.trips

    def fail(self, fault: Fault, now: float) -> bool:
        """Note a failure; tell whether this opened the circuit (or opened it again)."""
        row = fault.matrix
        self.outcomes = (self.outcomes << 1 | 1) & (1 << WINDOW) - 1
        was_probe, self.probe_until = self.is_open and self.probe_until > 0, 0.0
        if row.strikes and not was_probe and (self.is_open or self.outcomes.bit_count() < STRIKES):
            return False
        if self.is_open and not was_probe and now < self.open_until:
            # A late answer to a request from before: it may lengthen the rest that a provider asked for, never double it.
            if fault.retry_after_s is not None:
                self.open_until = max(self.open_until, now + fault.cooldown_s)
            self.disabled = self.disabled or row.until_changed
            return False
        # A wait that the provider named is kept to the letter; our own guess doubles while the fault goes on.
        cooldown = fault.cooldown_s
        if fault.retry_after_s is None:
            cooldown = max(min(cooldown * 2 ** min(self.trips, MAX_DOUBLINGS), row.cooldown_max_s), fault.cooldown_s)
        self.is_open, self.open_until = True, now + cooldown
        self.disabled = row.until_changed
        self.trips += 1
        self.cause, self.row = fault.code, fault.row
        return True
