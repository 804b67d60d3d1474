import msgspec

from suffice.ledger.records import AttemptIntent, AttemptResult, Closed, DecisionRecord, Entry, Opened, RowKind
from suffice.values.money import NanoUsd
from suffice.values.plan import Arm, Candidate, Plan, Step
from suffice.values.usage import Usage
from suffice.values.verdict import Outcome, Verdict


def test_a_decision_with_its_whole_plan_survives_storage():
    arm = Arm(model="a/b", endpoint="a")
    plan = Plan(
        steps=(Step(arm=arm, reach=1.0, p_success=0.5, cost=NanoUsd(3)),), expected_total=NanoUsd(9), p_complete=0.9,
        repair=NanoUsd(1), propensity=1.0, reason="cheapest", candidates=(Candidate(arm=arm, masked_by="context"),),
        contributions=(("task", 0.1),),
    )  # fmt: skip
    record = DecisionRecord(request_id="r", at_ms=1, plan=plan)
    assert msgspec.json.decode(msgspec.json.encode(record), type=DecisionRecord) == record


def test_journal_entries_survive_storage():
    verdict = Verdict(gate="parses", outcome=Outcome.REJECT, reason="line 3", span=(1, 2))
    result = AttemptResult(charge_nano=5, usage=Usage(input_tokens=7, estimated=True), verdicts=(verdict,))
    for entry in (
        Opened("r", 1, 2, 3, (("b", 0, True),), "k", AttemptIntent(model="m")),
        Closed("r", 1, 2, RowKind.SETTLED, result),
    ):
        assert msgspec.json.decode(msgspec.json.encode(entry), type=Entry) == entry
