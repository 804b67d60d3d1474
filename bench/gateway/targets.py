"""What is measured: Suffice, nginx as the limit, LiteLLM's proxy as a peer. Each is a process tree pinned to one core."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bench.gateway.bodies import CASES, body

TICKS = os.sysconf("SC_CLK_TCK")
NGINX = """worker_processes 1; daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; client_body_buffer_size 1m; client_max_body_size 8m; client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy;
 fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
 upstream u {{ server 127.0.0.1:{upstream}; keepalive 128; }}
 server {{ listen 127.0.0.1:{port}; keepalive_requests 1000000000; location / {{ proxy_pass http://u; proxy_http_version 1.1;
 proxy_set_header Connection ""; proxy_buffering {buffering}; }} }} }}
"""
SUFFICE = """version = 1
[server]
port = {port}
control_port = {control}
[log]
level = "warning"
[storage]
path = "{dir}/data"
[routing]
reference_model = "openai/gpt-5.5"
[budgets.bench]
limit_usd = 1000000
window = "day"
[endpoints.a]
provider = "openai"
base_url = "http://127.0.0.1:{upstream}/v1"
private = true
api_key = "sk-not-a-real-key-1234"
models = ["gpt-5.5", "gpt-5-mini"]
"""
LITELLM = """model_list:
  - model_name: gpt-5.5
    litellm_params: {{model: openai/gpt-5.5, api_base: "http://127.0.0.1:{upstream}/v1", api_key: sk-not-a-real-key-1234}}
general_settings: {{master_key: sk-bench-1234}}
litellm_settings: {{telemetry: false, drop_params: true}}
"""


def stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat after the name, or nothing when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def tree(root: int) -> list[int]:
    """Return `root` and all its descendants."""
    parents = {int(p.name): int(s[1]) for p in Path("/proc").iterdir() if p.name.isdigit() and (s := stat(int(p.name)))}
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


class Target:
    """One process under test. `model` and `auto` are the names to ask for, `auto` as `model` where nothing routes."""

    name = ""
    model = auto = "gpt-5.5"
    key = "none"

    def __init__(self, folder: Path, port: int, upstream: int, core: Sequence[str]) -> None:
        self.folder, self.port, self.upstream, self._core = folder / self.name.replace(" ", "-"), port, upstream, core
        self.folder.mkdir(parents=True)
        self.answers = 0
        self.cold_s = 0.0

    def command(self) -> list[str]:
        """Write the configuration and return the command line."""
        raise NotImplementedError

    def start(self, patience_s: float = 120.0) -> None:
        """Start and wait for the first right answer. Raises TimeoutError."""
        command = self.command()
        begun = time.monotonic()
        with (self.folder / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [*self._core, *command], stdout=output, stderr=subprocess.STDOUT, cwd=self.folder
            )
        while time.monotonic() < begun + patience_s:
            if self._process.poll() is None and self.ask():
                self.cold_s = time.monotonic() - begun
                self.answers += 1
                return
            time.sleep(0.02)
        self.stop()
        raise TimeoutError(f"{self.name} did not answer; see {self.folder / 'output'}")

    def ask(self) -> bool:
        """Send one request; True when it is answered rightly."""
        head, tail = body(CASES[0], self.model)
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.key}"}
        try:
            client.request("POST", "/v1/chat/completions", head + b"00000000" + tail, headers)
            return client.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            client.close()

    def cpu_s(self) -> float:
        """Return user and system time of the tree so far."""
        first, *others = tree(self._process.pid)
        ticks = sum(map(int, stat(first)[11:15]))  # with children that have ended
        return (ticks + sum(sum(map(int, s[11:13])) for p in others if (s := stat(p)))) / TICKS

    def pss_mb(self) -> float:
        """Return the proportional memory of the tree."""
        total = 0
        for pid in tree(self._process.pid):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        return total / 1024

    def stop(self) -> None:
        """End the process."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Nginx(Target):
    """The limit: a reverse proxy that does nothing."""

    name = "nginx"
    buffering = "on"

    def command(self) -> list[str]:
        """See Target."""
        text = NGINX.format(dir=self.folder, upstream=self.upstream, port=self.port, buffering=self.buffering)
        (self.folder / "nginx.conf").write_text(text)
        return [shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(self.folder / "nginx.conf")]


class NginxUnbuffered(Nginx):
    """The same for streams, which must not wait in a buffer."""

    name = "nginx unbuffered"
    buffering = "off"


class LiteLLM(Target):
    """LiteLLM's proxy in its own environment, one worker, its master key as authentication."""

    name = "LiteLLM"
    key = "sk-bench-1234"
    program = ""

    def command(self) -> list[str]:
        """See Target."""
        (self.folder / "config.yaml").write_text(LITELLM.format(upstream=self.upstream))
        return [
            self.program,
            "--config",
            str(self.folder / "config.yaml"),
            "--port",
            str(self.port),
            "--num_workers",
            "1",
        ]


class Suffice(Target):
    """Suffice with everything on: a virtual key with a budget, routing, verification, ledger, metrics."""

    name = "Suffice"
    model, auto = "openai/gpt-5.5", "auto"

    def command(self) -> list[str]:
        """See Target."""
        text = SUFFICE.format(dir=self.folder, upstream=self.upstream, port=self.port, control=self.port + 1000)
        (self.folder / "suffice.toml").write_text(text)
        suffice = [sys.executable, "-m", "suffice.cli.main"]
        config = ["--config", str(self.folder / "suffice.toml")]
        made = subprocess.run(
            [*suffice, "keys", "create", "--name", "bench", "--budget", "bench", "--json", *config],
            capture_output=True,
            check=True,
            cwd=self.folder,
        )
        self.key = json.loads(made.stdout)["key"]
        return [*suffice, "serve", *config]

    def books(self) -> str:
        """Return what is wrong with the ledger of the stopped gateway, or an empty string."""
        checked = subprocess.run(
            [
                sys.executable,
                "-m",
                "suffice.cli.main",
                "ledger",
                "verify",
                "--config",
                str(self.folder / "suffice.toml"),
            ],
            capture_output=True,
        )
        wrong = "" if checked.returncode == 0 else "`suffice ledger verify` says no; "
        with sqlite3.connect(self.folder / "data" / "suffice.db") as store:
            rows, prompt, output, charged = store.execute(
                "SELECT count(*), sum(json_extract(detail, '$.result.usage.input_tokens')),"
                " sum(json_extract(detail, '$.result.usage.output_tokens')), sum(charge_nano) FROM ledger WHERE kind = 'S'"
            ).fetchone()
            (spent,) = store.execute("SELECT sum(spent_nano) FROM windows").fetchone()
        if rows != self.answers:
            wrong += f"{rows} rows for {self.answers} answers; "
        if (prompt, output) != (300 * rows, 120 * rows):
            wrong += f"{prompt} + {output} tokens for {rows} rows; "
        if charged != spent:
            wrong += f"rows say {charged}, the budget {spent} nano-dollars; "
        return wrong
