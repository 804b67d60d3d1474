from suffice.values.verdict import Outcome, Verdict


def test_only_a_reject_rejects():
    assert Verdict(gate="parses", outcome=Outcome.REJECT).rejected
    assert not Verdict(gate="parses", outcome=Outcome.UNKNOWN).rejected
