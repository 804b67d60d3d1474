"""Real coding agents before providers with every quirk of the fault matrix."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.clients.driving import drive, scratch
from tests.clients.judging import judged, needed, row_of
from tests.clients.quirks import QUIRKS, Quirk
from tests.clients.results import note
from tests.clients.roster import CASES, Case
from tests.clients.script import Model

# Of a run's time: some ask on for minutes where no answer can come, and that is seen before.
ERROR_SHARE = 0.75
ODD = [(case, quirk) for case in CASES for quirk in QUIRKS]


@pytest.mark.clients
@pytest.mark.parametrize(("case", "quirk"), [pytest.param(c, q, id=f"{c.name}-{q.name}") for c, q in ODD])
async def test_a_fault_quirk(case: Case, quirk: Quirk):
    provider = quirk.provider or case.dialect
    row = row_of(case, provider, quirk.name)
    needed(case, row)
    note(row)
    with scratch() as folder:
        model, doors = Model(case.steps(folder / "repo"), quirk.odd), 2 if quirk.once else 1
        if quirk.ends == "error":
            case = replace(case, limit_s=case.limit_s * ERROR_SHARE)
        run = await drive(case, provider, model, folder, doors)
        judged(row, run, quirk.ends)
