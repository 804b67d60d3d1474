"""A right answer passes, a wrong one fails, and no forgery changes that."""

from __future__ import annotations

import pytest

from suffice.sandbox.grading import grade
from suffice.sandbox.limits import Limits
from suffice.sandbox.sandbox import Sandbox
from suffice.values.system_env import SystemEnv

TESTS = {"two": "assert double(2) == 4", "text": "assert double('a') == 'aa'"}
WRONG = "def double(x):\n    return None\n"
FORGERIES = {
    "prints a result and ends": "import os\nprint('2 passed')\nos.write(1, b'2 passed')\nos._exit(0)\n",
    "changes the test tools": WRONG + "import unittest, builtins\nunittest.TestCase.fail = lambda *a: None\n"
    "builtins.AssertionError = Warning\nimport sys\nsys.modules['json'].dumps = lambda *a: '[]'\n",
    "equals everything": "class Any(int):\n    def __eq__(self, other): return True\n    __hash__ = None\n"
    "def double(x): return Any(7)\n",
    "writes to the grader's output": WRONG + "import os\nfor pid in os.listdir('/proc'):\n    if pid.isdigit():\n"
    "        try: open(f'/proc/{pid}/fd/1', 'w').write('[\"\", 4]')\n        except OSError: pass\n",
    "reads the grader's memory": WRONG + "import os\np = os.getppid()\nopen(f'/proc/{p}/mem', 'rb').read(1)\n",
    "reads the grader's input": WRONG + "import os\nopen(f'/proc/{os.getppid()}/fd/0').read()\n",
    "kills the grader": WRONG + "import os\nos.kill(os.getppid(), 9)\n",
    "answers before it is asked": "import os\nfor fd in range(3, 30):\n    try: os.write(fd, b'\\0\\0\\0\\x0c{\"ok\": true}')\n"
    "    except OSError: pass\n" + WRONG,
    "sends nonsense": "import os\nfor fd in range(3, 30):\n    try: os.write(fd, b'\\xff' * 99)\n    except OSError: pass\n",
    "never ends": "while True: pass\n",
}


async def test_right_and_wrong_answers(sandbox: Sandbox) -> None:
    good = await grade(
        sandbox, SystemEnv(), solution="def double(x):\n    return x + x\n", entry_points=["double"], tests=TESTS
    )
    assert good.all_passed, good
    half = "def double(x):\n    print('noise')\n    return 2 * x if x == 2 else 1 / 0\n"
    mixed = await grade(sandbox, SystemEnv(), solution=half, entry_points=["double"], tests=TESTS)
    assert mixed.passed == ("two",)
    assert mixed.complete
    assert mixed.failed["text"].startswith("ZeroDivisionError")
    broken = await grade(sandbox, SystemEnv(), solution="def (", entry_points=["double"], tests=TESTS)
    assert broken.complete
    assert broken.passed == ()
    assert "SyntaxError" in broken.failed["two"]


@pytest.mark.parametrize("name", FORGERIES)
async def test_no_forgery_passes(sandbox: Sandbox, name: str) -> None:
    result = await grade(
        sandbox, SystemEnv(), solution=FORGERIES[name], entry_points=["double"], tests=TESTS, limits=Limits(wall_s=2.0)
    )
    assert result.passed == ()
    assert not result.all_passed
    assert set(result.failed) == set(TESTS)
