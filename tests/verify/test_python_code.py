import pytest
from hypothesis import given
from hypothesis import strategies as st

from suffice.verify.python_code import Status, doctest_source, read

GOOD = [
    "x = 1",
    "    return x\n",
    "def f():\n    ...",
    "else:\n    pass\n",
    "except ValueError:\n    pass\n",
    "case 1:\n    pass\n",
    ">>> 1 + 1\n2\n>>> for i in x:\n...     print(i)\n",
    "%matplotlib inline\n!pip install x\nx = 1\n",
    "%%bash\nls -l\n",
    "x = 5\r\n".replace("\r\n", "\n"),
    "x = '\\d'",
    "    a = 1\nb = 2\n",
]
BAD = [
    "def f(x)\n    return x\n",
    "x = (1, 2\n",
    "x = = 1\n",
    "def f():\nreturn 1\n",
    'def f():\n    """Never `closed`.\n',
    "if x:\n    y = 1\n     z = 2\n",
    "class A:\n    def f(self):\n        return [i for i in\n",
    "for i in range(3):\n",
    "fro x import y\nx = 1 +\n",
]
ELSEWHERE = [
    "print 'hello'\n",
    "try:\n    pass\nexcept ValueError, e:\n    pass\n",
    "def f[T](x: T) -> T:\n    return x\n",
    "type X[T] = list[T]\n",
    "class A[T]:\n    pass\n",
    "x = f'{d['a']}'\n",
    "$ python foo.py\n",
    "{% for x in y %}\nx = 1\n{% endfor %}\n",
]


@pytest.mark.parametrize("code", GOOD)
def test_good(code):
    assert read(code).status is Status.GOOD


@pytest.mark.parametrize("code", BAD)
def test_bad(code):
    assert read(code).status is Status.BAD


@pytest.mark.parametrize("code", ELSEWHERE)
def test_another_python_or_no_python_is_never_bad(code):
    assert read(code).status is not Status.BAD


def test_the_place_and_the_cut_are_named():
    parsed = read("x = 1\ny = (2,\n")
    assert parsed.line == 2 and parsed.cut and "line 2" in parsed.why


def test_deep_nesting_is_unsure():
    assert read("(" * 5000 + ")" * 5000).status is Status.UNSURE
    assert read("-" * 50_000 + "1").status is not Status.BAD


def test_sessions():
    assert doctest_source(">>> x = 1\n1\n") == "x = 1\n"
    assert doctest_source('def f():\n    """\n    >>> f()\n    """') is None


@given(st.text(max_size=300))
def test_never_raises(code):
    read(code)
