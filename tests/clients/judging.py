"""From a run to a row of the table and a verdict: shared by the tests that drive clients."""

from __future__ import annotations

import pytest
from tests.clients.driving import Run
from tests.clients.install import install, unreachable
from tests.clients.results import Row, note, version_of
from tests.clients.roster import Case


def marks(case: Case, provider: str) -> list[pytest.MarkDecorator]:
    """Fast clients before a provider of their own dialect run in `make test`, all else in `make test-clients`."""
    return [] if case.fast and case.dialect == provider else [pytest.mark.clients]


def needed(case: Case, row: Row) -> None:
    """Install what the client needs; skip, and say so in the table, when that cannot be."""
    for lock in (*case.needs, case.lock):
        reason = install(lock)
        if reason:
            note(Row(**{**vars(row), "result": "not run", "note": reason}))
            if case.fast and not (unreachable(reason) or reason.startswith("npm is not")):
                pytest.fail(reason)
            pytest.skip(f"{lock}: {reason}")


def row_of(case: Case, provider: str, what: str) -> Row:
    return Row(
        client=case.client,
        version=version_of(case.lock),
        dialect=case.dialect,
        variant=case.variant,
        provider=provider,
        what=what,
        result="failed",
        note="did not end",
    )


def judged(row: Row, run: Run, ends: str) -> None:
    """Note what came of a run, and fail the test when it is not what should have come."""
    faults, result = run.faults(), "passed"
    if ends != "edit" and faults:
        # The client was told the truth, and ended by itself with the books right. That it asks for longer than we wait is its own affair.
        faults, result = run.faults_of_an_error(), "told" if run.code is not None else "asked on"
    elif ends == "error":
        faults = ["the edit was done, by what?"]
    note(Row(**{**vars(row), "result": "failed" if faults else result, "note": "; ".join(faults)}))
    assert not faults, f"{faults}\nturns {run.turns}\n--- client\n{run.said[-3000:]}\n--- gateway\n{run.log[-2000:]}"
