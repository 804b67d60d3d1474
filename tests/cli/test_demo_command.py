import json
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from suffice.cli.demo_command import dollars

PROFILES = """note = "invented"
[models."deepseek/deepseek-v4-flash"]
success = {{ humaneval = {rate}, mbpp = {rate}, exercism = {rate} }}
defects = {{ {defect} = 1 }}
[models."openai/gpt-5.5"]
success = {{ humaneval = 0.95, mbpp = 0.95, exercism = 0.95 }}
"""


def demo(tmp_path: Path, profiles: str, *more: str) -> dict[str, Any]:
    path = tmp_path / "models.toml"
    path.write_text(profiles)
    done = subprocess.run(
        [sys.executable, "-m", "suffice.cli.main", "demo", "--tasks", "24", "--models", str(path), "--json", *more],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["simulated"] is True
    return found


def test_the_saving_changes_its_sign_when_the_cheap_model_is_bad(tmp_path: Path):
    """The router never reads the simulator's rates: with a cheap model that solves nothing its attempts are a loss."""
    found = demo(tmp_path, PROFILES.format(rate=0.9, defect="logic"), "--repair-usd", "0.00001")
    good, policies = found["versus"]["openai/gpt-5.5"], found["policies"]
    assert list(policies["auto"]["j_usd"]) == ["0.6", "0.00001"]
    # A failure that costs nothing to speak of is worth no second attempt.
    assert policies["auto, failure at $0.00001"]["escalated"] == 0
    bad = demo(tmp_path, PROFILES.format(rate=0.0, defect="syntax"))["versus"]["openai/gpt-5.5"]
    assert good["saving"] > 0.4
    assert bad["saving"] < 0


def test_a_nonsensical_count_is_a_usage_error():
    done = subprocess.run(
        [sys.executable, "-m", "suffice.cli.main", "demo", "--tasks", "-3"], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_a_demo_that_is_told_to_end_takes_its_gateway_with_it(tmp_path: Path):
    command = [sys.executable, "-m", "suffice.cli.main", "demo", "--tasks", "400", "--no-wait"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=tmp_path) as process:
        started: list[int] = []
        end_s = time.monotonic() + 60
        while not started and process.poll() is None and time.monotonic() < end_s:
            started = _children(process.pid)
            time.sleep(0.05)
        assert started
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 130
    assert not [pid for pid in started if Path(f"/proc/{pid}").exists()]


def test_an_amount_that_is_none_is_refused():
    for text in ("-1", "nan", "much"):
        with pytest.raises(ValueError):
            dollars(text)
    assert dollars("0.0001") == Decimal("0.0001")
