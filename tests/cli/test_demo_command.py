import json
import subprocess
import sys
from pathlib import Path
from typing import Any

PROFILES = """note = "invented"
[models."deepseek/deepseek-v4-flash"]
success = {{ humaneval = {rate}, mbpp = {rate}, exercism = {rate} }}
defects = {{ {defect} = 1 }}
[models."openai/gpt-5.5"]
success = {{ humaneval = 0.95, mbpp = 0.95, exercism = 0.95 }}
"""


def demo(tmp_path: Path, profiles: str) -> dict[str, Any]:
    path = tmp_path / "models.toml"
    path.write_text(profiles)
    done = subprocess.run(
        [sys.executable, "-m", "suffice.cli.main", "demo", "--tasks", "24", "--models", str(path), "--json"],
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
    good = demo(tmp_path, PROFILES.format(rate=0.9, defect="logic"))["versus"]["openai/gpt-5.5"]
    bad = demo(tmp_path, PROFILES.format(rate=0.0, defect="syntax"))["versus"]["openai/gpt-5.5"]
    assert good["saving"] > 0.4
    assert bad["saving"] < 0


def test_a_nonsensical_count_is_a_usage_error():
    done = subprocess.run(
        [sys.executable, "-m", "suffice.cli.main", "demo", "--tasks", "-3"], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
