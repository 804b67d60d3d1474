"""The git hook that tells the gateway of a commit, installed into and removed from a repository's post-commit hook.

Must not break a commit, touch what others wrote in the hook, or take an address or a key from the repository: the gateway's
address is written down when the hook is installed, the key comes from the environment of whoever commits. Invariant: install
and remove change nothing but the block between the two marks, and doing either twice is doing it once.
"""

from __future__ import annotations

import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from suffice.errors import RequestError
from suffice.sandbox.repo import common_folder, git_folder

BEGIN = "# >>> suffice (take out with: suffice connect repo --remove)"
END = "# <<< suffice"
_BLOCK = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END) + r"\n?", re.S)
_SHELL = re.compile(r"#!\s*(?:/usr)?(?:/local)?/(?:bin/env (?:-S )?)?(?:bin/)?(?:sh|bash|dash|zsh|ksh)\b")
_HOOKS_PATH = re.compile(r"^\s*hookspath\s*=", re.I | re.M)
_FIRST = "#!/bin/sh\n"

# What happened is read at once, as the next commit may follow; it is told in the background with nothing attached, so that neither a
# slow nor a missing gateway is felt; the command itself gives up after seconds. It leaves the repository first: no configuration
# file of the repository is read with the key at hand.
_SCRIPT = """{begin}
(
  commit=$(git rev-parse HEAD) && since=$(git log -1 --format=%ct HEAD~1 || echo 0) &&
    reverted=$(git log -1 --format=%b | sed -n 's/^This reverts commit \\([0-9a-f]\\{{40,64\\}}\\)[^0-9a-f].*/\\1/p') &&
    cd / || exit 0
  tell() {{
    {python} -m suffice.cli.main outcome "$@" --commit --source git-hook --url {url}
  }}
  {{
    tell "$commit" committed --since "${{since:-0}}"
    for one in $reverted; do tell "$one" reverted; done
  }} &
) </dev/null >/dev/null 2>&1
{end}
"""

CI_SNIPPET = """# After the tests (GitHub Actions; elsewhere the same command with the commit's full hash):
- name: Tell Suffice
  if: always()
  env:
    SUFFICE_KEY: ${{{{ secrets.SUFFICE_KEY }}}}
    # Of a pull request the head is what was written; `github.sha` would be the merge made for the test.
    COMMIT: ${{{{ github.event.pull_request.head.sha || github.sha }}}}
  run: |
    kind=${{{{ job.status == 'success' && 'tests_passed' || 'tests_failed' }}}}
    suffice outcome "$COMMIT" "$kind" --commit --source ci --url {url} || true

# In a workflow `on: pull_request: types: [closed]`:
- name: Tell Suffice of the merge
  if: github.event.pull_request.merged
  env:
    SUFFICE_KEY: ${{{{ secrets.SUFFICE_KEY }}}}
    COMMIT: ${{{{ github.event.pull_request.head.sha }}}}
    NUMBER: ${{{{ github.event.pull_request.number }}}}
  run: suffice outcome "$COMMIT" merged --commit --source ci --detail "pull request $NUMBER" --url {url} || true
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of the hook at `path`: installed, renewed, unchanged, removed or absent."""

    path: Path
    became: str


def hook_path(repository: Path) -> Path:
    """Return the path of the post-commit hook. Raises SandboxError for no repository, RequestError for hooks elsewhere."""
    common = common_folder(git_folder(repository))
    config = common / "config"
    if config.is_file() and _HOOKS_PATH.search(config.read_text(encoding="utf-8", errors="replace")):
        raise RequestError(
            f"{repository} keeps its hooks elsewhere (core.hooksPath in {config})",
            hint="put the lines of `suffice connect repo --print` into that post-commit hook",
        )
    return common / "hooks" / "post-commit"


def block(url: str) -> str:
    """Return the lines of the hook for the gateway at `url`."""
    return _SCRIPT.format(begin=BEGIN, end=END, python=shlex.quote(sys.executable), url=shlex.quote(url))


def install(repository: Path, url: str) -> Done:
    """Write the block into the hook, before what is there, so that no `exit` of others skips it. Raises RequestError."""
    path = hook_path(repository)
    before = _read(path)
    if before is None:
        after = _FIRST + block(url)
    else:
        first, rest = _split(path, _BLOCK.sub("", before))
        after = first + block(url) + rest
    became = "installed" if before is None or BEGIN not in before else "unchanged" if after == before else "renewed"
    if became != "unchanged":
        _write(path, after, 0o755 if before is None else path.stat().st_mode | 0o100)
    return Done(path=path, became=became)


def remove(repository: Path) -> Done:
    """Take the block out; a hook that holds nothing else is deleted. Raises RequestError."""
    path = hook_path(repository)
    before = _read(path)
    if before is None or BEGIN not in before:
        return Done(path=path, became="absent")
    after = _BLOCK.sub("", before)
    if after.strip() in ("", _FIRST.strip()):
        path.unlink()
    else:
        _write(path, after, path.stat().st_mode)
    return Done(path=path, became="removed")


def _read(path: Path) -> str | None:
    if path.is_symlink():
        raise RequestError(f"{path} is a link", hint="put the lines of `suffice connect repo --print` into its target")
    if not path.exists():
        return None
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise RequestError(f"{path} is no script", hint="call it from a shell script, then connect again") from None


def _split(path: Path, text: str) -> tuple[str, str]:
    """Return the first line with its end, and the rest. Raises RequestError for a hook in another language."""
    first, end, rest = text.partition("\n")
    if not text.strip():
        return _FIRST, ""
    if not first.startswith("#!"):
        return "", text  # git runs it with sh
    if not _SHELL.match(first):
        raise RequestError(
            f"{path} is no shell script ({first[:60]})", hint="call it from a shell script, then connect again"
        )
    return first + (end or "\n"), rest


def _write(path: Path, text: str, mode: int) -> None:
    """Replace the hook whole: a commit at this moment runs the old or the new one."""
    path.parent.mkdir(exist_ok=True)
    fresh = path.with_name(f".{path.name}.suffice-{os.getpid()}")
    fresh.write_bytes(text.encode())
    fresh.chmod(mode & 0o777)
    fresh.replace(path)
