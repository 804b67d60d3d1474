"""Good code in its newest and oddest clothes, one file a language: no gate may reject it in any wrapping. Cut, it must be caught."""

import random
from pathlib import Path

import pytest
from bench.verify import mutants

from suffice.values.task import TaskType
from suffice.verify.judge import judge
from suffice.verify.view import AnswerView, AskView

IDIOMS = {
    f"{path.stem}-{number}": (path.stem, code)
    for path in sorted((Path(__file__).parent / "idioms").glob("*.txt"))
    for number, code in enumerate(path.read_text().split("=====\n"))
}


def rejected(text: str, language: str = ""):
    ask = AskView(text="Write it.", task=TaskType.GENERATE, language=language, whole_code=True)
    return [v for v in judge(AnswerView(text=text, finish_reason="stop"), ask) if v.rejected]


@pytest.mark.parametrize("hinted", [True, False])
@pytest.mark.parametrize("name", IDIOMS)
def test_good_code_is_not_rejected(name, hinted):
    language, code = IDIOMS[name]
    fence = f"```{language}\n{code}```"
    quoted = "\n".join(f"> {line}" for line in fence.split("\n"))
    for text in (fence, f"Here:\n\n```\n{code}```\n", code, f"Text.\n{fence}\nMore.".replace("\n", "\r\n"), quoted):
        assert rejected(text, language if hinted else "") == []


@pytest.mark.parametrize("name", IDIOMS)
def test_code_that_is_cut_is_caught(name):
    language, code = IDIOMS[name]
    for mutant in mutants.truncated(code, language, random.Random(name)):
        if mutant is not None and mutant.unclosed:
            assert rejected(f"```{language}\n{mutant.code}", language)


def test_a_lost_bracket_is_caught_in_nearly_all_of_it():
    found = total = 0
    for name, (language, code) in IDIOMS.items():
        for mutant in mutants.syntax(code, language, random.Random(name)):
            if mutant is not None:
                total += 1
                found += bool(rejected(f"```{language}\n{mutant.code}\n```", language))
    assert total > 40 and found / total > 0.85
