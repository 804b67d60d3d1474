"""Real coding agents before providers with every quirk of the fault matrix."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.clients.driving import drive, scratch
from tests.clients.judging import ALL, judged, needed, row_of
from tests.clients.quirks import QUIRKS, Quirk
from tests.clients.results import note
from tests.clients.roster import CASES, Case
from tests.clients.script import Model

ERROR_LIMIT_S = 45.0
FIRST = {case.client: case for case in reversed(CASES)}


def quirks_of(case: Case) -> list[Quirk]:
    """All for a client's first dialect, the most telling ones for its others and for slow clients, whose others have one."""
    first = FIRST[case.client] is case
    if ALL or (first and not case.slow):
        return list(QUIRKS)
    return [quirk for quirk in QUIRKS if quirk.slow and (first or not case.slow or quirk.name == "unknown")]


ODD = [(case, quirk) for case in CASES for quirk in quirks_of(case)]


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
            # Some ask on for minutes; that is seen after less than one.
            case = replace(case, limit_s=ERROR_LIMIT_S * (2 if case.slow else 1))
        run = await drive(case, provider, model, folder, doors)
        judged(row, run, quirk.ends)
