import asyncio
import signal
import sys
from pathlib import Path

import httpx2 as httpx

from suffice.testing.demo import Gateway
from suffice.testing.fake_upstream import FakeProvider

CONFIG = """version = 1
[server]
port = 0
control_port = 0
[storage]
path = "data"
[endpoints.one]
provider = "openai"
base_url = "{url}"
private = true
models = ["gpt-5.5"]
"""


async def test_it_serves_reloads_and_drains(tmp_path: Path):
    config = tmp_path / "suffice.toml"
    async with FakeProvider(models=("gpt-5.5",)) as provider:
        config.write_text(CONFIG.format(url=provider.base_url))
        gateway = await Gateway.start(config)
        try:
            async with httpx.AsyncClient() as client:
                asked = {"model": "auto", "messages": [{"role": "user", "content": "hi"}]}
                assert (await client.post(f"{gateway.base_url}/chat/completions", json=asked)).status_code == 200
                config.write_text("version = 1\n[endpoints.one]\nprovider = 3\n")
                gateway.process.send_signal(signal.SIGHUP)
                await asyncio.sleep(0.3)
                assert (await client.post(f"{gateway.base_url}/chat/completions", json=asked)).status_code == 200
            second = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "suffice.cli.main", "serve", "--config", str(tmp_path / "second.toml")),
                stderr=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            _, said = await second.communicate()
            assert second.returncode == 3, "there is no such file"
            (tmp_path / "second.toml").write_text(CONFIG.format(url=provider.base_url))
            second = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "suffice.cli.main", "serve", "--config", str(tmp_path / "second.toml")),
                stderr=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            _, said = await second.communicate()
            assert second.returncode == 4
            assert b"Traceback" not in said
        finally:
            await gateway.stop()
    assert gateway.process.returncode == 0
