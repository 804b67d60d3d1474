import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.values.task import TaskType
from suffice.values.verdict import Outcome
from suffice.verify import names
from suffice.verify.reading import Reading
from suffice.verify.view import AnswerView, AskView


def check(code, **ask):
    ask.setdefault("task", TaskType.GENERATE)
    return names.check(Reading(AnswerView(text=f"```python\n{code}\n```"), AskView(**ask)))


GOOD = [
    "def f(x):\n    return [y for y in x if y]\n",
    "import os\ndef f():\n    global G\n    G = os.getcwd()\ndef g():\n    return G\n",
    "class A:\n    x = 1\n    def f(self):\n        return self.x, __class__, __name__\n",
    "def f(a, *b, c=1, **d):\n    with open(a) as h:\n        return h, b, c, d\n",
    "def f():\n    try:\n        pass\n    except ValueError as e:\n        print(e)\n",
    "def f():\n    return g()\ndef g():\n    return (n := 1) and n\n",
    "def f(x: 'Later') -> Undefined:\n    y: Other = x\n    return y\n",
    "def f(x):\n    match x:\n        case {'a': b, **rest}: return b, rest\n        case [c, *d]: return c, d\n",
    "for i in range(3):\n    pass\ndef f():\n    return i\n",
    "def f():\n    return [lambda: z for z in y]\ny = []\n",
    # The standard library's symbol tables take a function of this name for a module.
    "class Stack:\n    def top(self, n=0):\n        import os\n        m = n\n        return self.items[m], os\n",
    "def top():\n    global G\n    G = 1\ndef f():\n    return G\n",
]


@pytest.mark.parametrize("code", GOOD)
def test_defined_names(code):
    assert names.undefined(code) == ()


def test_an_undefined_name_is_rejected():
    found = check("def f(x):\n    return totl + x\n")
    assert found.rejected and found.kind == "undefined-name" and "totl" in found.reason


@pytest.mark.parametrize(
    "code", ["from x import *\ndef f():\n    return y\n", "def f():\n    exec('y = 1')\n    return y\n"]
)
def test_what_cannot_be_known_is_unknown(code):
    assert check(code).outcome is Outcome.UNKNOWN


def test_a_forgotten_import_is_only_flagged():
    found = check("def f():\n    return np.zeros(os.cpu_count())\n")
    assert found.outcome is Outcome.UNKNOWN and found.kind == "missing-import"


def test_a_class_for_a_judge_may_use_what_judges_import_before_it():
    lone = "class Solution:\n    def f(self, x):\n        return {}(x, 1)\n"
    assert check(lone.format("bisect_left")).outcome is Outcome.UNKNOWN
    assert check(lone.format("bisect_lft")).rejected
    assert check("import os\n" + lone.format("bisect_left")).rejected
    assert check(lone.format("bisect_left") + "def main():\n    pass\n").rejected
    assert check("class Stack:\n    def top(self):\n        return itms\n").rejected


def test_names_of_the_conversation_may_be_used():
    code = "def f(x):\n    return helper_of_theirs(x)\n"
    assert check(code).rejected
    assert not check(code, text="There is helper_of_theirs(x).").rejected
    assert not check(code, files={"a.py": "def helper_of_theirs(x): ..."}).rejected


def test_fragments_are_unknown():
    assert check("x = y + 1\n").outcome is Outcome.UNKNOWN
    assert check("    def f(self):\n        return y\n").outcome is Outcome.UNKNOWN


@given(st.text(max_size=200))
def test_never_raises(code):
    names.undefined(code)


def test_an_excerpt_takes_its_surroundings_for_granted():
    excerpt = "async def home(request):\n    return JSONResponse({'a': await database.fetch_one()})\n"
    assert not check(excerpt, task=TaskType.OTHER).rejected
    assert not check("class User(BaseModel):\n    name: str\n").rejected
    assert check("import json\n\nclass User(BaseModel):\n    name: str\n").rejected
