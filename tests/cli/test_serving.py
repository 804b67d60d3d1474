import argparse
import io as io_module
import socket
from pathlib import Path

import pytest

from suffice.cli.command import Io
from suffice.cli.serving import serve
from suffice.cli.terminal import Terminal
from suffice.errors import ConfigError, SufficeError
from suffice.values.system_env import SystemEnv


def io(folder: Path) -> Io:
    out = Terminal(io_module.StringIO(), io_module.StringIO(), {})
    return Io(out=out, env_vars={"HOME": str(folder)}, env=SystemEnv(), working=folder)


def args(config: Path) -> argparse.Namespace:
    return argparse.Namespace(config=str(config), port=None)


async def test_nothing_to_serve_is_a_configuration_error(tmp_path: Path):
    path = tmp_path / "suffice.toml"
    path.write_text("version = 1\n")
    with pytest.raises(ConfigError, match="nothing to serve"):
        await serve(args(path), io(tmp_path))


async def test_a_port_in_use_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = tmp_path / "suffice.toml"
        path.write_text(
            f'version = 1\n[server]\nport = {port}\ncontrol_port = 0\n[storage]\npath = "data"\n'
            '[endpoints.one]\nprovider = "ollama"\nmodels = ["tiny"]\n'
        )
        with pytest.raises(SufficeError, match=f"127.0.0.1:{port}"):
            await serve(args(path), io(tmp_path))
