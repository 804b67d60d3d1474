import argparse
import subprocess
import sys
from pathlib import Path

from suffice.cli import serve_command


def test_the_port_may_be_given():
    parser = argparse.ArgumentParser()
    serve_command.configure(parser)
    assert parser.parse_args(["--port", "4321"]).port == 4321
    assert parser.parse_args([]).port is None


def test_nothing_to_serve_says_what_to_do(tmp_path: Path):
    config = tmp_path / "suffice.toml"
    config.write_text("version = 1\n")
    done = subprocess.run(
        [sys.executable, "-m", "suffice.cli.main", "serve", "--config", str(config)],
        capture_output=True, timeout=30, check=False, text=True, env={"HOME": str(tmp_path), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 3
    assert "nothing to serve" in done.stderr
    assert "suffice init" in done.stderr
