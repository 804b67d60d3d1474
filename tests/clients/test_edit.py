"""Real coding agents, launched by `suffice launch`, fix a bug in a tiny repository through a gateway before scripted providers."""

from __future__ import annotations

import pytest
from tests.clients.driving import PROVIDERS, drive, scratch
from tests.clients.judging import judged, marks, needed, row_of
from tests.clients.results import note
from tests.clients.roster import CASES, Case
from tests.clients.script import Model

EDITS = [(case, provider) for case in CASES for provider in PROVIDERS]


@pytest.mark.parametrize(
    ("case", "provider"), [pytest.param(c, p, id=f"{c.name}-via-{p}", marks=marks(c, p)) for c, p in EDITS]
)
async def test_a_one_shot_edit(case: Case, provider: str):
    row = row_of(case, provider, "edit")
    needed(case, row)
    note(row)
    with scratch() as folder:
        run = await drive(case, provider, Model(case.steps(folder / "repo")), folder)
        assert case.variant != "websocket" or "GET /v1/responses (websocket)" in run.asked, run.asked
        judged(row, run, "edit")
        # Held calls of a model that makes no mistake are given as they are: none is asked for again.
        rejected = [v for r in run.attempts for v in r.detail.result.verdicts if v.rejected]
        assert not rejected
