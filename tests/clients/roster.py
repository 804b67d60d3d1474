"""Every client that is driven: which lock it comes from, how it is started, and which calls make it do the edit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.clients.script import Step, call

TASK = "Fix the bug in calc.py: add must return a+b"
WRONG = "def add(a, b):\n    return a - b\n"
RIGHT = "def add(a, b):\n    return a + b\n"
OLD, NEW = "    return a - b", "    return a + b"
PATCH = f"*** Begin Patch\n*** Update File: calc.py\n@@\n def add(a, b):\n-{OLD}\n+{NEW}\n*** End Patch"
SED = "sed -i 's/a - b/a + b/' calc.py && cat calc.py"
SLOW_S = 120.0  # For clients that take long to start, or to end.
# What a project may have for other programs; nothing of it may lead a client elsewhere.
ELSEWHERE = "".join(f"{name}_API_KEY=wrong\n{name}_API_BASE=http://127.0.0.1:9\n" for name in ("OPENAI", "ANTHROPIC"))
BLOCK = f"calc.py\n```python\n<<<<<<< SEARCH\n{OLD}\n=======\n{NEW}\n>>>>>>> REPLACE\n```\n"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One client in one dialect. `arguments` follow `--`; `{repo}` in an environment value is the repository.

    `lock` names the package set, `needs` further ones whose programs must be on PATH. `fast` clients also take part in
    `make test`. `limit_s` ends a run.
    """

    client: str
    dialect: str
    lock: str
    arguments: tuple[str, ...]
    steps: Callable[[Path], tuple[Step, ...]]
    model: str = "coder"
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    variant: str = ""
    fast: bool = False
    limit_s: float = 60.0

    @property
    def name(self) -> str:
        """The name in a test's id and in the table."""
        return "-".join(part for part in (self.client, self.dialect, self.variant) if part)


def _pi(repo: Path) -> tuple[Step, ...]:
    edits = [{"oldText": OLD, "newText": NEW}]
    return (call("read", path="calc.py"), call("edit", path="calc.py", edits=edits))


def _codex(repo: Path) -> tuple[Step, ...]:
    return (call("exec_command", cmd="cat calc.py"), call("exec_command", cmd=SED))


def _codex_patch(repo: Path) -> tuple[Step, ...]:
    return (call("exec_command", cmd="cat calc.py"), call("apply_patch", input=PATCH))


def _opencode(repo: Path) -> tuple[Step, ...]:
    path = str(repo / "calc.py")
    return (call("read", filePath=path), call("edit", filePath=path, oldString=OLD, newString=NEW))


def _gemini(repo: Path) -> tuple[Step, ...]:
    path = str(repo / "calc.py")
    edit = call("replace", file_path=path, old_string=OLD, new_string=NEW, instruction="Return the sum.")
    return (call("read_file", file_path=path), edit)


def _qwen(repo: Path) -> tuple[Step, ...]:
    path = str(repo / "calc.py")
    return (call("read_file", file_path=path), call("edit", file_path=path, old_string=OLD, new_string=NEW))


def _continue(repo: Path) -> tuple[Step, ...]:
    path = str(repo / "calc.py")
    return (call("Read", filepath=path), call("Edit", file_path=path, old_string=OLD, new_string=NEW))


def _claude(repo: Path) -> tuple[Step, ...]:
    path = str(repo / "calc.py")
    return (call("Read", file_path=path), call("Edit", file_path=path, old_string=OLD, new_string=NEW))


def _copilot(repo: Path) -> tuple[Step, ...]:
    return (call("bash", command="cat calc.py", description="Read"), call("bash", command=SED, description="Edit"))


def _vibe(repo: Path) -> tuple[Step, ...]:
    return (call("bash", command="cat calc.py"), call("bash", command=SED))


def _cline(repo: Path) -> tuple[Step, ...]:
    return (call("read_files", files=[{"path": str(repo / "calc.py")}]), call("run_commands", commands=[SED]))


def _mini(repo: Path) -> tuple[Step, ...]:
    end = "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
    return (call("bash", command="cat calc.py"), call("bash", command=SED), call("bash", command=end))


def _aider(repo: Path) -> tuple[Step, ...]:
    return (BLOCK,)


def _llm(repo: Path) -> tuple[Step, ...]:
    return (call("write_calc", text=RIGHT),)


_PI = ("--no-session", "-p", TASK)
_CODEX = ("exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", TASK)
_CLAUDE = ("-p", TASK, "--permission-mode", "acceptEdits")
_CLAUDE_QUIET = {"CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1"}
_OPENCODE = {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"}
_OPENCODE_ALLOWS = '{"permission": {"edit": "allow", "bash": "allow"}}\n'
_AIDER = ("--edit-format", "diff", "--yes-always", "--no-check-update", "--analytics-disable", "--no-gitignore")
_LLM_TOOL = "def write_calc(text: str) -> str:\n    open('calc.py', 'w').write(text)\n    return 'written'\n"

CASES: tuple[Case, ...] = (
    Case(client="claude-code", dialect="messages", lock="claude-code", arguments=_CLAUDE, steps=_claude, env=_CLAUDE_QUIET),
    *(Case(client="copilot", dialect=d, lock="copilot", arguments=("--allow-all-tools", "-p", TASK), steps=_copilot)
      for d in ("chat", "responses", "messages")),
    Case(client="copilot", dialect="responses", variant="websocket", lock="copilot", steps=_copilot,
         env={"COPILOT_PROVIDER_TRANSPORT": "websockets"}, arguments=("--allow-all-tools", "-p", TASK)),
    *(Case(client="pi", dialect=d, lock="pi", arguments=_PI, steps=_pi, env={"PI_OFFLINE": "1"}, fast=True)
      for d in ("chat", "responses", "messages")),
    Case(client="codex", dialect="responses", lock="codex", arguments=_CODEX, steps=_codex),
    Case(client="codex", dialect="responses", variant="patch", lock="codex", arguments=_CODEX, steps=_codex_patch,
         model="gpt-5.5"),
    Case(client="codex", dialect="responses", variant="websocket", lock="codex", steps=_codex,
         arguments=("-c", "model_providers.suffice.supports_websockets=true", *_CODEX)),
    *(Case(client="opencode", dialect=d, lock="opencode", arguments=("run", "-m", "suffice/coder", TASK), steps=_opencode,
           env=_OPENCODE, files={"opencode.json": _OPENCODE_ALLOWS}, limit_s=SLOW_S)
      for d in ("chat", "messages", "responses", "gemini")),
    Case(client="gemini-cli", dialect="gemini", lock="gemini-cli", arguments=("--yolo", "--skip-trust", "-p", TASK),
         steps=_gemini, model="gemini-2.5-flash"),
    *(Case(client="qwen-code", dialect=d, lock="qwen-code", needs=("node",), arguments=("-y", "-p", TASK), steps=_qwen)
      for d in ("chat", "messages")),
    Case(client="continue", dialect="chat", lock="continue", arguments=("--auto", "-p", TASK), steps=_continue),
    Case(client="cline", dialect="chat", lock="cline", needs=("node",), arguments=("--json", TASK), steps=_cline, limit_s=SLOW_S),
    *(Case(client="kilo", dialect=d, lock="kilo", arguments=("run", "--auto", "-m", "suffice/coder", TASK), steps=_opencode,
           limit_s=SLOW_S)
      for d in ("chat", "messages", "responses", "gemini")),
    *(Case(client="aider", dialect=d, lock="aider", arguments=(*_AIDER, "--message", TASK, "calc.py"), steps=_aider,
           files={".env": ELSEWHERE}, limit_s=SLOW_S)
      for d in ("chat", "messages")),
    Case(client="mini-swe-agent", dialect="chat", lock="mini-swe-agent", limit_s=SLOW_S, steps=_mini,
         arguments=("-y", "--exit-immediately", "-t", TASK)),
    Case(client="vibe", dialect="chat", lock="vibe", arguments=("--trust", "--auto-approve", "-p", TASK), steps=_vibe),
    Case(client="llm", dialect="chat", lock="llm", arguments=("--functions", "tool.py", TASK), steps=_llm,
         files={"tool.py": _LLM_TOOL}),
)  # fmt: skip
