import json

import msgspec
import pytest

from suffice.testing.script import Call
from suffice.testing.simulated import SimulatedModel, load_profiles
from suffice.testing.tasks import load

TASKS = load()


def ask(prompt: str) -> Call:
    body = {"model": "m", "messages": [{"role": "user", "content": prompt}]}
    raw = json.dumps(body).encode()
    return Call(method="POST", path="/v1/chat/completions", model="m", stream=False, body=raw, parsed=body)


def test_rates_come_out_as_the_file_says():
    profiles = load_profiles().models
    for name, profile in profiles.items():
        rates = []
        for seed in range(6):
            model = SimulatedModel(name, profile, TASKS, seed)
            mbpp = [t for t in TASKS if t.source == "mbpp"]
            rates.append(sum(model.solves(t) for t in mbpp) / len(mbpp))
        assert abs(sum(rates) / len(rates) - profile.success["mbpp"]) < 0.04


def test_hard_tasks_are_hard_for_everybody():
    profiles = load_profiles().models
    cheap, best = (SimulatedModel(n, profiles[n], TASKS, 1) for n in ("deepseek/deepseek-v4-flash", "openai/gpt-5.5"))
    failed = [t for t in TASKS if not cheap.solves(t)]
    passed = [t for t in TASKS if cheap.solves(t)]
    assert sum(map(best.solves, failed)) / len(failed) < sum(map(best.solves, passed)) / len(passed) - 0.05


def test_the_same_question_gets_the_same_answer():
    profile = load_profiles().models["openai/gpt-5.5"]
    a, b = (SimulatedModel("openai/gpt-5.5", profile, TASKS, 3)(0, ask(TASKS[5].prompt)) for _ in range(2))
    assert a == b
    assert "```python" in a.text


def test_other_questions_are_not_answered():
    model = SimulatedModel("m", load_profiles().models["openai/gpt-5.5"], TASKS, 3)
    assert "demo" in model(0, ask("What is the weather?")).text


def test_a_wrong_file_is_told():
    with pytest.raises(msgspec.ValidationError):
        load_profiles('note = "x"\n[models.a]\nsucces = {}\n')
