"""Reading a registered git repository at a commit without running anything that it brings.

A repository's own configuration, hooks and attributes can name programs, and most git commands obey them. So none of them
is read: git runs inside the sandbox on a fresh, empty repository whose only tie to the registered one is its object store
(`objects/info/alternates`), and names of commits are resolved by reading the reference files here.

Must not: start git outside the sandbox, or give on any history. Invariant: the result is plain files and relative symbolic
links that stay inside the tree; no path has `..`, `.git` or an absolute root.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from suffice.errors import SandboxError
from suffice.sandbox.limits import MIB, Limits
from suffice.sandbox.sandbox import Sandbox
from suffice.sandbox.stage import checked_path, reachable

_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_MAX_FILES = 50_000
_MAX_BYTES = 256 * MIB
# $1 is the object store ("." for a copy in the work tree), $2 the commit.
# Made by hand: `git init` wants to change file modes, which the Landlock tier refuses.
_PREPARE = (
    "mkdir -p fresh/objects/info fresh/refs && printf 'ref: refs/heads/none\\n' > fresh/HEAD && "
    "printf '{config}' > fresh/config && "
    'cd "$1" && pwd > "$OLDPWD/fresh/objects/info/alternates" && cd "$OLDPWD" && git --git-dir=fresh '
)
_CONFIG = "[core]\\nbare = true\\nrepositoryformatversion = "
_CONFIGS = {40: _CONFIG + "0\\n", 64: _CONFIG + "1\\n[extensions]\\nobjectFormat = sha256\\n"}
_LIMITS = Limits(
    wall_s=60.0,
    output_bytes=_MAX_BYTES + 32 * MIB,
    address_space_bytes=8192 * MIB,
    memory_bytes=2048 * MIB,
    work_bytes=1024 * MIB,
)
# Read by git instead of any file: nothing of the system, the user or the repository.
GIT_ENVIRONMENT: Mapping[str, str] = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "false",
    "GIT_SSH_COMMAND": "false",
    "GIT_ASKPASS": "false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The files of one commit: contents by path, the executable ones, links by path, and what was left out and why."""

    commit: str
    files: Mapping[str, bytes]
    executable: frozenset[str]
    links: Mapping[str, str]
    left_out: Mapping[str, str]


def git_folder(repository: Path) -> Path:
    """Return the folder with the objects and references of a checkout, a linked work tree or a bare repository."""
    inner = repository / ".git"
    if inner.is_file():
        text = inner.read_text(encoding="utf-8", errors="replace").strip()
        if not text.startswith("gitdir: "):
            raise SandboxError(f"{inner} is not a git link")
        inner = repository / text.removeprefix("gitdir: ")
    folder = inner if inner.is_dir() else repository
    if not (folder / "HEAD").is_file():
        raise SandboxError(f"{repository} is not a git repository", hint="name the folder that holds .git")
    return folder


def common_folder(folder: Path) -> Path:
    """Return the folder that holds the objects: for a linked work tree that of its main repository."""
    link = folder / "commondir"
    return folder / link.read_text().strip() if link.is_file() else folder


def resolve(repository: Path, name: str = "HEAD") -> str:
    """Return the full hash that `name` (a hash, branch, tag or HEAD) stands for, by reading reference files only.

    Raises SandboxError for an unknown name.
    """
    folder = git_folder(repository)
    common = common_folder(folder)
    for _ in range(6):
        if _HASH.fullmatch(name):
            return name
        if ".." in name or name.startswith("/") or not re.fullmatch(r"[\w./@+-]{1,250}", name):
            break
        found = _look_up(folder, common, name)
        if found is None:
            break
        name = found.removeprefix("ref: ").strip()
    raise SandboxError(
        f"{name!r} is no commit, branch or tag of {repository}", hint="give a branch or a full commit hash"
    )


def _look_up(folder: Path, common: Path, name: str) -> str | None:
    candidates = (name, f"refs/{name}", f"refs/tags/{name}", f"refs/heads/{name}", f"refs/remotes/{name}")
    packed = common / "packed-refs"
    lines = packed.read_text(encoding="utf-8", errors="replace").splitlines() if packed.is_file() else []
    known = {line.split(" ", 1)[1]: line.split(" ", 1)[0] for line in lines if " " in line and line[0] not in "#^"}
    for candidate in candidates:
        for top in (folder, common):
            path = top / candidate
            if path.is_file() and (candidate == "HEAD" or candidate.startswith("refs/")):
                return path.read_text(encoding="utf-8", errors="replace").strip()
        if candidate in known:
            return known[candidate]
    return None


async def read_tree(sandbox: Sandbox, repository: Path, name: str = "HEAD") -> Tree:
    """Return the files of `repository` at `name`; submodules, escaping links and impossible paths are left out and named.

    Raises SandboxError when it is no repository, the commit is unknown, or it is over 50,000 files or 256 MiB.
    """
    commit = await asyncio.to_thread(resolve, repository, name)
    objects = await object_store(repository)
    listing = await run_git(sandbox, objects, commit, 'ls-tree -r -z --full-tree "$2"')
    entries: list[tuple[str, str, str]] = []
    left_out: dict[str, str] = {}
    for line in listing.split(b"\0")[:-1]:
        meta, raw = line.split(b"\t", 1)
        mode, _, digest = meta.decode("ascii").split(" ")
        path = raw.decode("utf-8", "surrogateescape")
        why = _refused(path, mode)
        if why:
            left_out[path] = why
        else:
            entries.append((path, mode, digest))
    if len(entries) > _MAX_FILES:
        raise SandboxError(f"commit {commit} of {repository} has {len(entries)} files, at most {_MAX_FILES} are read")
    blobs = await _blobs(sandbox, objects, commit, [digest for _, _, digest in entries])
    links = {path: blobs[d].decode("utf-8", "surrogateescape") for path, mode, d in entries if mode == "120000"}
    for path in [path for path, target in links.items() if not _stays_inside(path, target)]:
        left_out[path] = f"a symbolic link out of the tree: {links.pop(path)!r}"
    # A file below a link would be written wherever the link points.
    inside = [entry for entry in entries if not any(str(parent) in links for parent in PurePosixPath(entry[0]).parents)]
    files = {path: blobs[digest] for path, mode, digest in inside if mode != "120000"}
    executable = frozenset(path for path, mode, _ in inside if mode == "100755")
    return Tree(commit=commit, files=files, executable=executable, links=links, left_out=left_out)


def _refused(path: str, mode: str) -> str:
    if mode not in ("100644", "100755", "100664", "120000"):
        return "a submodule" if mode == "160000" else f"an entry of mode {mode}"
    try:
        checked_path(path)
    except SandboxError as e:
        return e.message
    # Names that git itself refuses on other systems because they come to mean .git there.
    if any(re.fullmatch(r"\.git[ .]*|git~\d+", part.lower()) for part in PurePosixPath(path).parts):
        return "a name that can mean .git"
    return ""


def _stays_inside(path: str, target: str) -> bool:
    """True when a link's target, taken step by step from the link's folder, never leaves the tree."""
    if not target or target.startswith("/") or "\0" in target:
        return False
    depth = len(PurePosixPath(path).parent.parts)
    for part in PurePosixPath(target).parts:
        depth += -1 if part == ".." else 1
        if depth < 0 or part.lower() == ".git":
            return False
    return True


async def _blobs(sandbox: Sandbox, objects: Path, commit: str, digests: Iterable[str]) -> dict[str, bytes]:
    """Return the contents by hash, read by one `cat-file --batch`."""
    wanted = list(dict.fromkeys(digests))
    if not wanted:
        return {}
    stdin = "".join(f"{digest}\n" for digest in wanted).encode()
    output = await run_git(sandbox, objects, commit, "cat-file --batch", stdin)
    found: dict[str, bytes] = {}
    at = 0
    for digest in wanted:
        end = output.index(b"\n", at)
        header = output[at:end].split(b" ")
        if len(header) != 3 or header[0].decode() != digest or header[1] != b"blob":
            raise SandboxError(f"the object {digest} of commit {commit} is missing or damaged")
        size = int(header[2])
        found[digest] = output[end + 1 : end + 1 + size]
        at = end + 2 + size
    return found


async def object_store(repository: Path) -> Path:
    """Return the folder with a repository's objects, for `run_git`. Raises SandboxError when it is no repository."""
    return await asyncio.to_thread(lambda: common_folder(git_folder(repository)).resolve() / "objects")


async def run_git(sandbox: Sandbox, objects: Path, commit: str, command: str, stdin: bytes = b"") -> bytes:
    """Return what `git <command>` prints about the objects of a store; `$2` in the command is `commit`, a full hash.

    The command is ours, never the repository's. Raises SandboxError when git fails.
    """
    # Where the uid cannot reach the store, a copy of it goes into the work tree.
    seen = await asyncio.to_thread(reachable, objects, sandbox.uid)
    script = _PREPARE.format(config=_CONFIGS[len(commit)]) + command + " 2>/dev/null"
    result = await sandbox.run(
        ["sh", "-c", script, "git", str(objects) if seen else ".", commit],
        folder=None if seen else objects,
        limits=_LIMITS,
        variables=GIT_ENVIRONMENT,
        stdin=stdin,
        visible=[objects] if seen else [],
    )
    if not result.passed:
        said = result.output[-300:].decode("utf-8", "replace").strip()
        raise SandboxError(
            f"git could not read commit {commit} (exit {result.exit_code} {result.killed_by}) {said}".rstrip(),
            hint="the commit must be in the repository, and git installed",
        )
    return result.output


def write_tree(tree: Tree, folder: Path) -> None:
    """Write the files into `folder`, which must not exist yet; links last, so that nothing is written through one."""
    folder.mkdir(parents=True)
    for path, data in tree.files.items():
        target = folder / checked_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        target.chmod(0o755 if path in tree.executable else 0o644)
    for path, to in tree.links.items():
        target = folder / checked_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(to)
