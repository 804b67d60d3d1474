"""`python -m bench.gateway`: measure, check every answer and the ledger, write the table. docs/performance.md explains the numbers."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from bench.gateway import report
from bench.gateway.bodies import CASES, Case
from bench.gateway.targets import LiteLLM, Nginx, NginxUnbuffered, Suffice, Target

PYTHON = sys.executable
# Slow peers get fewer requests of the large bodies; each run ends at its time anyway.
MOST = 1_000_000


def free_port() -> int:
    """Return a port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        return int(sock.getsockname()[1])


class Bench:
    """One run: targets, rounds, and what was measured."""

    def __init__(self, args: argparse.Namespace, folder: Path) -> None:
        self.args, self.folder = args, folder
        cores = sorted(os.sched_getaffinity(0))
        two = len(cores) > 1 and shutil.which("taskset") is not None
        self.gateway_core = ["taskset", "-c", str(cores[0])] if two else []
        self.load_core = ["taskset", "-c", str(cores[1])] if two else []
        self.notes = [] if two else ["one core only, or no taskset: load generator and gateway share it"]
        self.samples: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        self.facts: dict[str, dict[str, float]] = defaultdict(dict)
        self.first = 1
        self.unable: set[tuple[str, str]] = set()

    def targets(self, upstream: int) -> list[Target]:
        """Return what can be measured here; say what cannot."""
        kinds: list[type[Target]] = [Suffice]
        if shutil.which("nginx") or Path("/usr/sbin/nginx").exists():
            kinds += [Nginx, NginxUnbuffered]
        else:
            self.notes.append("nginx is not installed (apt-get install nginx-light): no limit to compare with")
        if self.args.litellm and Path(self.args.litellm).exists():
            LiteLLM.program = str(Path(self.args.litellm).resolve())
            kinds.append(LiteLLM)
        else:
            self.notes.append("LiteLLM's proxy is not there (--litellm PATH to its program): not compared")
        return [kind(self.folder, free_port(), upstream, self.gateway_core) for kind in kinds]

    def load(self, target: Target, case: Case, seconds: float, rate: float = 0.0, most: int = MOST) -> dict[str, Any]:
        """Load one target once. Raises RuntimeError when one answer was wrong."""
        model = target.auto if case.automatic else target.model
        spec = {
            "case": case.name,
            "model": model,
            "key": target.key,
            "port": target.port,
            "seconds": seconds,
            "rate": rate,
        }
        spec |= {"concurrency": 16 if rate else case.concurrency, "first": self.first, "most": most}
        before = target.cpu_s()
        done = subprocess.run(
            [*self.load_core, PYTHON, "-m", "bench.gateway.load", json.dumps(spec)], capture_output=True, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{target.name}, {case.name}: the load generator failed: {done.stderr[-400:]}")
        told: dict[str, Any] = json.loads(done.stdout)
        told["cpu_s"] = target.cpu_s() - before
        self.first += told["answers"] + told["errors"]
        target.answers += told["answers"]
        if told["errors"] or not told["answers"]:
            raise RuntimeError(
                f"{target.name}, {case.name}: {told['errors']} wrong answers, the first: {told['first_error']!r}"
            )
        return told

    def measure(self, targets: list[Target]) -> None:
        """Interleave the targets, round after round; the first round of each case warms up and is not counted."""
        for number in range(self.args.rounds + 1):
            for case in [c for c in CASES if self.args.only in c.name]:
                for target in targets:
                    if isinstance(target, NginxUnbuffered) != bool(case.chunks) and isinstance(target, Nginx):
                        continue
                    say(f"round {number or 'warm-up'}: {case.name}: {target.name}")
                    slow = isinstance(target, LiteLLM)
                    seconds = (self.args.seconds if number else 0.5) * (2 if slow and number else 1)
                    told = self.fair(target, case, seconds)
                    if told and number:
                        per = told["cpu_s"] / told["answers"] / (case.chunks or 1)
                        self.samples[case.name, family(target)].append({"cpu_us": per * 1e6, **told})
        for target in targets:
            if not isinstance(target, NginxUnbuffered):
                for _ in range(self.args.rounds):
                    told = self.load(target, CASES[0], max(4.0, 2 * self.args.seconds), rate=50.0)
                    self.samples["50 requests/s", family(target)].append(told)

    def fair(self, target: Target, case: Case, seconds: float) -> dict[str, Any]:
        """Load one target; a peer that does not manage a case is left out of it, and the table says so.

        Raises RuntimeError when one of our own answers was wrong.
        """
        if (target.name, case.name) in self.unable:
            return {}
        try:
            return self.load(target, case, seconds)
        except RuntimeError:
            if isinstance(target, Suffice):
                raise
            self.unable.add((target.name, case.name))
            self.samples.pop((case.name, family(target)), None)
            self.notes.append(
                f"{target.name} did not manage `{case.name}` within a minute an answer: not compared there"
            )
            return {}

    def memory(self, targets: list[Target]) -> None:
        """Load Suffice until it has had the requests that were asked for."""
        for target in targets:
            if isinstance(target, Suffice):
                until = time.monotonic() + self.args.memory_seconds
                while target.answers < self.args.memory_requests and time.monotonic() < until:
                    say(f"memory: {target.answers} of {self.args.memory_requests} requests")
                    self.load(target, CASES[0], 5.0, most=self.args.memory_requests - target.answers)
                self.facts["Suffice"]["pss_requests"] = target.answers
                self.facts["Suffice"]["pss_after_mb"] = target.pss_mb()

    def run(self) -> dict[str, Any]:
        """Start everything, measure, stop everything, check the books."""
        port = free_port()
        upstream = subprocess.Popen(
            [*self.load_core, PYTHON, "-m", "bench.gateway.upstream", str(port)], stdout=subprocess.PIPE
        )
        running: list[Target] = []
        try:
            assert upstream.stdout is not None
            upstream.stdout.readline()
            targets = self.targets(port)
            for target in targets:
                say(f"start: {target.name}")
                target.start()
                running.append(target)
                self.facts[target.name]["cold_s"] = target.cold_s
                self.facts[target.name]["pss_idle_mb"] = target.pss_mb()
            self.measure(targets)
            self.memory(targets)
        finally:
            for target in running:
                target.stop()
            upstream.kill()
            upstream.wait()
        books = {t.name: t.books() for t in running if isinstance(t, Suffice)}
        for name, wrong in books.items():
            if wrong:
                raise RuntimeError(f"the ledger of {name} is wrong: {wrong}")
        return self.result(running)

    def result(self, targets: list[Target]) -> dict[str, Any]:
        """Return medians and facts as JSON values."""
        medians: dict[str, dict[str, dict[str, float]]] = defaultdict(dict)
        for (case, target), rounds in self.samples.items():
            names = [n for n in ("cpu_us", "p50_ms", "p99_ms") if n in rounds[0]]
            medians[case][target] = {n: statistics.median(r[n] for r in rounds) for n in names}
            medians[case][target]["answers"] = sum(r["answers"] for r in rounds)
        if self.args.install_size:
            self.facts["Suffice"]["install_mb"] = install_mb(self.folder)
        ledger = next((t.answers for t in targets if isinstance(t, Suffice)), 0)
        return {
            "date": time.strftime("%Y-%m-%d"), "python": sys.version.split()[0], "rounds": self.args.rounds,
            "seconds": self.args.seconds, "load_average": os.getloadavg()[0], "ledger_rows_checked": ledger,
            "notes": self.notes, "medians": medians, "facts": self.facts,
        }  # fmt: skip


def family(target: Target) -> str:
    """Return the column of a target: both configurations of nginx are one."""
    return "nginx" if isinstance(target, Nginx) else target.name


def install_mb(folder: Path) -> float:
    """Install the core into a fresh environment and return what it weighs, this package included."""
    say("install size: the core in a fresh environment")
    root = Path(__file__).resolve().parents[2]
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    site = next((folder / "venv" / "lib").glob("python*/site-packages"))
    pip = [PYTHON, "-m", "pip", "install", "-q", "--require-hashes", "-r", str(root / "requirements/core.txt")]
    subprocess.run([*pip, "--target", str(site)], check=True)
    shutil.copytree(root / "src" / "suffice", site / "suffice", ignore=shutil.ignore_patterns("__pycache__"))
    return sum(p.stat().st_size for p in site.rglob("*") if p.is_file()) / 1e6


def say(text: str) -> None:
    """Tell how far it is, on standard error."""
    print(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, file=sys.stderr, flush=True)


def main() -> int:
    """Parse, run, write."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument(
        "--litellm", default="", metavar="PATH", help="the program `litellm` of an environment with its proxy"
    )
    parser.add_argument("--quick", action="store_true", help="short rounds, fewer requests for the memory figure")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.0, help="of each round of each case")
    parser.add_argument("--memory-requests", type=int, default=0, help="default 100,000; 10,000 with --quick")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the cases whose name has TEXT; no table")
    parser.add_argument("--out", default="bench/results", metavar="FOLDER")
    args = parser.parse_args()
    args.install_size = not args.quick
    args.seconds = args.seconds or (0.8 if args.quick else 3.0)
    args.memory_requests = args.memory_requests or (10_000 if args.quick else 100_000)
    args.memory_seconds = 20.0 if args.quick else 300.0
    with tempfile.TemporaryDirectory(prefix="suffice-bench-") as folder:
        try:
            told = Bench(args, Path(folder)).run()
            if args.only:
                print(json.dumps(told["medians"], indent=1))
                return 0
        except (RuntimeError, TimeoutError) as error:
            print(f"the benchmark has failed: {error}", file=sys.stderr)
            return 1
    out = Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "gateway.json").write_text(json.dumps(told, indent=1) + "\n")
    (out / "gateway.md").write_text(report.table(told))
    print(report.table(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
