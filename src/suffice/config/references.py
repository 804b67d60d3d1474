"""`${NAME}` and `file:/path`: values that stand elsewhere.

Any text may hold `${NAME}` or `${NAME:-default}`; `$$` is a dollar sign. A secret may be one `${NAME}` (no default: a
default would be a secret in the file) or `file:/path`. No message made here holds a value, only names and paths.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from suffice.config.problem import did_you_mean
from suffice.config.secret import Secret

_TOKEN = re.compile(r"\$\$|\$\{(?P<name>[^}:]*)(?P<rest>[^}]*)\}|\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
MAX_SECRET_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a reference could not be followed; a warning leaves the value usable."""

    message: str
    hint: str
    warning: bool = False


def is_reference(text: str) -> bool:
    """Tell whether a secret's text is a reference, not the secret itself."""
    return text.startswith("file:") or bool(re.search(r"\$\{", text))


def expand(text: str, env_vars: Mapping[str, str]) -> tuple[str, list[Fault]]:
    """Return `text` with its references replaced, and the faults met; faulty references become empty."""
    faults: list[Fault] = []

    def value(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        name, rest = match["name"], match["rest"]
        if name is None or not _NAME.fullmatch(name) or (rest and not rest.startswith(":-")):
            faults.append(
                Fault(
                    message=f"cannot read the reference {match[0]!r}",
                    hint="write ${NAME}, ${NAME:-default}, or $$ for a dollar sign",
                )
            )
            return ""
        if env_vars.get(name):
            return env_vars[name]
        if rest:
            return rest[2:]
        faults.append(_unset(name, env_vars, default=True))
        return ""

    return _TOKEN.sub(value, text), faults


def _unset(name: str, env_vars: Mapping[str, str], *, default: bool) -> Fault:
    state = "is empty" if name in env_vars else "is not set"
    close = did_you_mean(name, (n for n in env_vars if n != name)) if name not in env_vars else ""
    way = f"export {name}=..." + (f" or write ${{{name}:-default}}" if default else "")
    return Fault(message=f"the environment variable {name} {state}", hint=f"{close}; {way}" if close else way)


def secret(text: str, env_vars: Mapping[str, str], folder: Path) -> tuple[Secret | None, list[Fault]]:
    """Return the secret that `text` names or is, and the faults met; None when there is none to return."""
    if text.startswith("file:"):
        return _from_file(text.removeprefix("file:"), env_vars, folder)
    if "${" in text:
        name = text[2:-1] if text.startswith("${") and text.endswith("}") else ""
        if not _NAME.fullmatch(name):
            where = "a default would be a secret in the file" if ":-" in text else "a secret is one whole reference"
            return None, [
                Fault(
                    message=f"cannot take a secret from this text: {where}",
                    hint="write ${NAME} or file:/path, and nothing else",
                )
            ]
        if not env_vars.get(name):
            return None, [_unset(name, env_vars, default=False)]
        return _checked(Secret(env_vars[name], f"env:{name}"), f"the environment variable {name}")
    if not text:
        return None, [
            Fault(message="the secret is empty", hint="write ${NAME} or file:/path, or leave the setting out")
        ]
    return _checked(Secret(text.replace("$$", "$")), "the secret")


def unread(text: str) -> Secret | None:
    """Return what stands for the secret that `text` refers to, when nobody needs it; None when `text` is no whole reference.

    Two references stand for different texts, and none for a trivial one, so that the rules hold of it.
    """
    name = text[2:-1] if text.startswith("${") and text.endswith("}") else ""
    if not text.startswith("file:") and not _NAME.fullmatch(name):
        return None
    return Secret(f"a secret that was not read, {text}", text if text.startswith("file:") else f"env:{name}")


def _checked(found: Secret, what: str) -> tuple[Secret | None, list[Fault]]:
    """Refuse what could not be sent in a header, which would let a key smuggle header lines."""
    text = found.reveal()
    if not text.isascii() or not text.isprintable() or text != text.strip():
        return None, [
            Fault(
                message=f"{what} has spaces around it, control characters or characters outside ASCII",
                hint="copy the key again, without line breaks",
            )
        ]
    return found, []


def _from_file(name: str, env_vars: Mapping[str, str], folder: Path) -> tuple[Secret | None, list[Fault]]:
    path = resolve(name.removeprefix("//") if name.startswith("///") else name, env_vars, folder)
    try:
        with path.open("rb") as stream:
            mode = stat.S_IMODE(path.stat().st_mode)
            data = stream.read(MAX_SECRET_BYTES + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return None, [
            Fault(message=f"cannot read the secret file {path}: {reason}", hint="check the path and who may read it")
        ]
    if len(data) > MAX_SECRET_BYTES:
        return None, [
            Fault(
                message=f"the secret file {path} is larger than {MAX_SECRET_BYTES} bytes",
                hint="it should hold the secret and nothing else",
            )
        ]
    text = data.decode("utf-8", "replace").rstrip("\r\n")
    if not text:
        return None, [Fault(message=f"the secret file {path} is empty", hint="write the secret into it")]
    found, faults = _checked(Secret(text, f"file:{name}"), f"the content of {path}")
    if mode & 0o077 and found is not None:
        faults.append(
            Fault(
                message=f"the secret file {path} can be read by others (mode {mode:04o})",
                hint=f"chmod 600 {path}",
                warning=True,
            )
        )
    return found, faults


def resolve(text: str, env_vars: Mapping[str, str], folder: Path) -> Path:
    """Return the path that `text` names: `~` is the home folder, anything relative is below `folder`."""
    if text == "~" or text.startswith("~/"):
        return Path(env_vars.get("HOME") or "/") / text[2:]
    return folder / text
