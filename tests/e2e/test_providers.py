"""Every provider of the catalogue, from a minimal configuration to the ledger, over real sockets."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e import provider_trials
from tests.e2e.provider_table import TABLE

from suffice.catalog.load import load as load_catalog


def test_the_table_has_every_provider_and_every_dialect_of_conversations():
    rows = {
        p.id: set(p.dialects) & {"chat", "messages", "responses", "gemini", "converse"}
        for p in load_catalog().providers()
    }
    assert rows.keys() == TABLE.keys()
    wrapped = {"bedrock-messages": "messages", "vertex-messages": "messages"}
    # Layers that a provider offers beside its own dialect and that are not used: see gateway.speech.
    unused = {"anthropic": {"chat"}, "cohere": {"chat"}, "google-gemini": {"chat"}}
    for provider, dialects in rows.items():
        tried = {wrapped.get(dialect, dialect) for dialect in TABLE[provider].urls} - {"cohere"}
        assert tried == dialects - unused.get(provider, set()), provider


async def test_every_provider_gets_what_it_wants_and_is_booked_as_it_bills(tmp_path: Path):
    done = await provider_trials.trials(tmp_path)
    assert [line for trial in done for line in trial.failed] == []
    written = json.loads(provider_trials.RESULTS.read_text())
    for row in written.values():
        assert row.pop("recorded") >= 0  # counted where the recordings are
    assert provider_trials.results(done) == written, "run `python -m tests.e2e.provider_trials`"
