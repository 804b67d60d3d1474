from pathlib import Path

import numpy as np
import pytest
from tests.gateway.running import endpoint, gateway

from suffice.cli.assembly import Runtime
from suffice.config.load import parse
from suffice.decision.ope import Estimate
from suffice.gateway.policy_replay import _estimate, _gate, _Row, replay
from suffice.gateway.state import State
from suffice.ledger import queries
from suffice.testing.fake_upstream import FakeProvider

HARD = "{ input_usd_per_mtok = 50, output_usd_per_mtok = 250 }"


def toml(cheap: str, dear: str, repair: str = "3") -> str:
    return (
        endpoint("cheap", cheap, model="gpt-3.5-turbo")
        + endpoint("dear", dear, model="gpt-5.5", price=HARD)
        + f"[routing.repair_usd]\ndefault = {repair}\ngenerate = {repair}\n"
    )


async def stories(tmp_path: Path) -> tuple[tuple[queries.Story, ...], Runtime, str]:
    async with FakeProvider(models=("gpt-3.5-turbo",)) as cheap, FakeProvider(models=("gpt-5.5",)) as dear:
        text = toml(cheap.base_url, dear.base_url)
        async with gateway(text, tmp_path) as running:
            for _ in range(4):
                assert (await running.chat(model="auto")).status == 200
            assert (await running.chat(model="openai/gpt-5.5")).status == 200
            await running.written()
            with running.runtime._database.reader() as session:
                return queries.decided(session, 0.0), running.runtime, text


def state_of(runtime: Runtime, text: str, folder: Path) -> State:
    return runtime._state(parse("version = 1\n" + text, "suffice.toml", {}, folder))


async def test_the_same_policy_differs_in_nothing_and_pins_are_left_out(tmp_path: Path):
    found, runtime, text = await stories(tmp_path)
    same = replay(found, state_of(runtime, text, tmp_path))
    assert (same.n, same.changes, same.refused) == (4, (), 0)
    assert same.spend is not None and (same.promoted, same.verdict) == (False, "nothing would change")
    assert (same.spend.mean, same.spend.low, same.spend.high) == (0.0, 0.0, 0.0)


async def test_a_policy_that_fears_no_repair_goes_cheap_and_says_what_that_changes(tmp_path: Path):
    found, runtime, text = await stories(tmp_path)
    cheap = replay(found, state_of(runtime, text.replace("generate = 3", "generate = 0.0000001"), tmp_path))
    assert len(cheap.changes) == 4
    assert {c.after for c in cheap.changes} == {"openai/gpt-3.5-turbo"}
    assert cheap.spend is not None and cheap.success is not None
    assert cheap.spend.mean < 0
    assert cheap.spend.low <= cheap.spend.mean <= cheap.spend.high
    assert cheap.ess == 0.0
    assert not cheap.promoted and "effective sample size" in cheap.verdict


async def test_models_that_are_gone_are_counted_not_guessed(tmp_path: Path):
    found, runtime, _ = await stories(tmp_path)
    gone = state_of(runtime, '[endpoints.x]\nprovider = "ollama"\nenabled = false\n', tmp_path)
    assert replay(found, gone).refused == 4


def test_nothing_recorded_is_no_estimate():
    found = replay((), None)  # type: ignore[arg-type]
    assert (found.n, found.spend, found.total) == (0, None, None)


def row(spend: float, predicted: float, wanted: float, *, ratio: float, supported: bool = True) -> _Row:
    return _Row(
        spend=spend, right=0.0, known=False, repair=1.0, q_spend=predicted, q_right=0.0, new_spend=wanted, new_right=0.0,
        ratio=ratio, supported=supported,
    )  # fmt: skip


def spend_of(rows: list[_Row]):
    found = _estimate(rows, lambda r: r.spend, lambda r: r.q_spend, lambda r: r.new_spend)
    assert found is not None
    return found


def test_logged_propensities_correct_predictions_that_are_wrong():
    # Arm 0 costs 1, arm 1 costs 3; the model believes 1 and 1. The log drew arm 1 with probability 0.2; the new policy always takes it.
    rng = np.random.default_rng(3)
    rows = [row(3.0, 1.0, 1.0, ratio=5.0) if rng.random() < 0.2 else row(1.0, 1.0, 1.0, ratio=0.0) for _ in range(4000)]
    truth = 3.0 - float(np.mean([r.spend for r in rows]))
    found = spend_of(rows)
    assert found.mean == pytest.approx(truth, abs=0.2)
    assert found.low < truth < found.high
    assert found.ess == pytest.approx(sum(r.ratio > 0 for r in rows))


def test_what_the_log_could_not_have_done_rests_on_the_prediction_and_its_mean_error():
    found = spend_of([row(2.0, 1.5, 4.0, ratio=0.0, supported=False) for _ in range(5)])
    assert found.mean == pytest.approx(4.0 + 0.5 - 2.0) and found.ess == 0.0


def test_a_change_goes_live_only_where_it_is_cheaper_beyond_doubt_and_success_does_not_fall() -> None:
    cheaper = Estimate(mean=-0.2, low=-0.3, high=-0.1, ess=900.0, n=1000)
    level, worse = (Estimate(mean=m, low=m - 0.002, high=m + 0.002, ess=900.0, n=1000) for m in (0.0, -0.05))
    assert _gate(cheaper, level, 10)[0]
    assert _gate(cheaper, worse, 10) == (False, "escaped defects may rise by +0.0520, more than 0.005")
    assert not _gate(level, level, 10)[0] and not _gate(None, None, 3)[0]
