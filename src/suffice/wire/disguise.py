"""What a provider cannot take as it is, dressed up for the way out: names, ids, custom tools; and the list of losses.

One `Disguise` per encoded request. All mappings of ids are functions of the id alone, so that no state must survive the
request: the same id is mapped alike in every later turn. Undoing the disguise is `wire.translate`'s part.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire.codec import Emulation
from suffice.wire.neutral import Loss, Tool

_ALNUM9 = re.compile(r"[A-Za-z0-9]{9}\Z")
_PLAIN_ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_NOT_PLAIN = re.compile(r"[^A-Za-z0-9_-]")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

INPUT_FIELD = "input"
OUTPUT_TOOL = "structured_output"


def shaped_id(call_id: str, shape: str) -> str:
    """Return `call_id` in the shape a provider demands: `any`, `alnum9` (9 letters or digits), `anthropic` (also _ and -).

    An id that has the shape already stays as it is.
    """
    if shape == "alnum9":
        return call_id if _ALNUM9.match(call_id) else _digest(call_id, 9)
    if shape == "anthropic" and not _PLAIN_ID.match(call_id):
        return f"toolu_{_digest(call_id, 22)}"
    return call_id


def _digest(text: str, length: int) -> str:
    number = int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(), "big")
    out = []
    for _ in range(length):
        number, rest = divmod(number, 62)
        out.append(_BASE62[rest])
    return "".join(out)


def wrap_input(text: str) -> str:
    """Return the JSON arguments of the function that stands for a custom tool."""
    return msgspec.json.encode({INPUT_FIELD: text}).decode()


def unwrap_input(arguments: str) -> str:
    """Return the free text inside the arguments of such a function; what is no such JSON was meant as the text itself."""
    try:
        value = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return arguments
    if isinstance(value, dict):
        if isinstance(value.get(INPUT_FIELD), str):
            return str(value[INPUT_FIELD])
        if len(value) == 1:
            only = next(iter(value.values()))
            return only if isinstance(only, str) else arguments
    return value if isinstance(value, str) else arguments


class Disguise:
    """Collects what one encoding of a request hides and loses."""

    def __init__(self, tools: tuple[Any, ...] = ()) -> None:
        self.losses: list[Loss] = []
        self._custom: set[str] = set()
        self._names: dict[str, tuple[str, str]] = {}
        self.output_tool = ""
        self._taken = {tool.name for tool in tools if isinstance(tool, Tool) and not tool.namespace}

    def dropped(self, field: str, why: str = "") -> None:
        """Note that `field` is not sent."""
        self.losses.append(Loss(kind="dropped", field=field, why=why))

    def emulated(self, field: str, why: str = "") -> None:
        """Note that `field` is expressed by other means."""
        self.losses.append(Loss(kind="emulated", field=field, why=why))

    def refuse(self, field: str, why: str) -> RequestError:
        """Return the error for a request that cannot be expressed at the target."""
        return RequestError(f"{field}: {why}", code="untranslatable", param=field)

    def name(self, name: str, namespace: str = "") -> str:
        """Return the upstream name of a tool; namespaces are flattened to `namespace__name`, odd characters replaced."""
        if not namespace and _PLAIN_NAME.match(name):
            return name
        flat = _NOT_PLAIN.sub("_", f"{namespace}__{name}" if namespace else name)
        if len(flat) > 64 or (flat in self._taken and flat != name) or not flat:
            flat = f"{flat[:54]}_{_digest(namespace + '/' + name, 9)}"
        self._names[flat] = (namespace, name)
        return flat

    def custom(self, tool: Tool) -> tuple[str, str, dict[str, Any]]:
        """Return (upstream name, description, JSON Schema) of the function that stands for a custom tool."""
        name = self.name(tool.name, tool.namespace)
        self._custom.add(name)
        self.emulated("tools.custom")
        description = tool.description
        if tool.grammar:
            syntax = tool.grammar.get("syntax", "")
            definition = tool.grammar.get("definition", "")
            description += f"\n\nThe input must follow this {syntax} grammar:\n{definition}"
        schema = {
            "type": "object",
            "properties": {
                INPUT_FIELD: {"type": "string", "description": "The whole input of the tool, as plain text."}
            },
            "required": [INPUT_FIELD],
            "additionalProperties": False,
        }
        return name, description, schema

    def emulation(self) -> Emulation:
        """Return what must be undone in the answer."""
        return Emulation(custom=frozenset(self._custom), names=self._names, output_tool=self.output_tool)
