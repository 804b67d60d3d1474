"""Tools of the Responses dialect, both ways: functions, free-form tools, namespaces, the client's tool search, hosted tools.

`tool_search` with execution `client` is a tool like any other to a model: here it is a function of that name, so that every
provider can call it, and its items are turned back where the client is. Tools that a search loaded count as tools of the
request. Hosted tools go only to providers of this dialect.
"""

from __future__ import annotations

from typing import Any

import msgspec

from suffice.errors import RequestError
from suffice.wire import fields
from suffice.wire.disguise import Disguise
from suffice.wire.neutral import ServerTool, Tool, ToolChoice

DIALECT = "responses"
SEARCH = "tool_search"
# In `Tool.extra`: the row of a client-run tool search; the description of the namespace; "this one was loaded by a search".
ROW, SPACE, LOADED = "row", "namespace_description", "loaded"
_FUNCTION_KEYS = frozenset(("type", "name", "description", "parameters", "strict"))


def read(rows: list[dict[str, Any]]) -> tuple[Tool | ServerTool, ...]:
    """Return the neutral tools of `tools`. Raises RequestError for a tool without a name."""
    out: list[Tool | ServerTool] = []
    for at, row in enumerate(rows):
        out += _one(row, f"tools[{at}]")
    return tuple(out)


def _one(row: dict[str, Any], where: str, space: str = "", about: str = "") -> list[Tool | ServerTool]:
    kind = row.get("type")
    if kind == "function":
        return [_function(row, where, space, about)]
    if kind == "custom":
        form = fields.mapping(row.get("format"), f"{where}.format")
        grammar = None
        if form.get("type") == "grammar":
            grammar = {key: fields.text(form.get(key), f"{where}.format.{key}") for key in ("syntax", "definition")}
        extra = {k: v for k, v in row.items() if k not in ("type", "name", "description", "format")}
        return [
            Tool(
                name=_name(row, where),
                description=fields.text(row.get("description"), f"{where}.description"),
                kind="custom",
                grammar=grammar,
                namespace=space,
                extra=extra | ({SPACE: about} if about else {}),
            )
        ]
    if kind == "namespace" and not space:
        name, about = _name(row, where), fields.text(row.get("description"), f"{where}.description")
        inner = fields.rows(row.get("tools"), f"{where}.tools")
        return [tool for n, r in enumerate(inner) for tool in _one(r, f"{where}.tools[{n}]", name, about)]
    if kind == SEARCH and row.get("execution") == "client":
        schema = row.get("parameters")
        return [
            Tool(
                name=SEARCH,
                description=fields.text(row.get("description"), f"{where}.description"),
                schema=None if schema is None else fields.mapping(schema, f"{where}.parameters"),
                extra={ROW: row},
            )
        ]
    if not isinstance(kind, str):
        raise RequestError(f"{where}.type is missing", param=f"{where}.type")
    return [ServerTool(dialect=DIALECT, value=row, name=kind)]


def _function(row: dict[str, Any], where: str, space: str, about: str) -> Tool:
    schema = row.get("parameters")
    extra = {k: v for k, v in row.items() if k not in _FUNCTION_KEYS}
    return Tool(
        name=_name(row, where),
        description=fields.text(row.get("description"), f"{where}.description"),
        schema=None if schema is None else fields.mapping(schema, f"{where}.parameters"),
        strict=fields.flag(row.get("strict"), f"{where}.strict"),
        namespace=space,
        extra=extra | ({SPACE: about} if about else {}),
    )


def _name(row: dict[str, Any], where: str) -> str:
    name = fields.text(row.get("name"), f"{where}.name")
    if not name:
        raise RequestError(f"{where}.name is missing", param=f"{where}.name")
    return name


def loaded(rows: list[dict[str, Any]]) -> list[Tool]:
    """Return the tools that a search found, marked so that they are not declared twice to this dialect."""
    out = [tool for at, row in enumerate(rows) for tool in _one(row, f"tool_search_output.tools[{at}]")]
    return [msgspec.structs.replace(tool, extra=tool.extra | {LOADED: True}) for tool in out if isinstance(tool, Tool)]


def found(rows: list[dict[str, Any]]) -> str:
    """Return what to tell a model that knows no tool search: the names of the tools that it may call now."""
    names = [f"{tool.namespace}__{tool.name}" if tool.namespace else tool.name for tool in loaded(rows)]
    return "Tools found, callable from now on: " + ", ".join(names) if names else "No tools found."


def read_choice(choice: Any) -> ToolChoice | None:
    """Return the neutral tool choice; None for none and for hosted tools, which stay in the request's `extra`."""
    if choice is None:
        return None
    if choice in ("auto", "none", "required"):
        return ToolChoice(mode=choice)
    if isinstance(choice, dict):
        kind, name = choice.get("type"), choice.get("name")
        if kind in ("function", "custom") and isinstance(name, str) and name:
            return ToolChoice(mode="tool", name=name, kind=kind)
        if kind == "allowed_tools":
            rows = fields.rows(choice.get("tools"), "tool_choice.tools")
            names = tuple(row["name"] for row in rows if isinstance(row.get("name"), str))
            return ToolChoice(mode="allowed", names=names, required=choice.get("mode") == "required")
        if isinstance(kind, str) and kind not in ("function", "custom"):
            return None
    raise RequestError("tool_choice must be auto, none, required or an object that names a tool", param="tool_choice")


def is_search(tools: tuple[Tool | ServerTool, ...], name: str) -> bool:
    """True when `name` is the client's tool search."""
    return name == SEARCH and any(isinstance(t, Tool) and t.name == SEARCH and ROW in t.extra for t in tools)


def native(tools: tuple[Tool | ServerTool, ...]) -> list[dict[str, Any]]:
    """Return the rows of `tools` as this dialect declares them: namespaces together, hosted tools as they came."""
    out: list[dict[str, Any]] = []
    spaces: dict[str, dict[str, Any]] = {}
    for tool in tools:
        if isinstance(tool, ServerTool):
            if tool.dialect == DIALECT:
                out.append(tool.value)
            continue
        if LOADED in tool.extra:
            continue
        row = tool.extra[ROW] if ROW in tool.extra else _row(tool)
        if not tool.namespace:
            out.append(row)
            continue
        space = spaces.get(tool.namespace)
        if space is None:
            about = tool.extra.get(SPACE, "")
            space = {"type": "namespace", "name": tool.namespace, "description": about, "tools": []}
            spaces[tool.namespace] = space
            out.append(space)
        space["tools"].append(row)
    return out


def _row(tool: Tool) -> dict[str, Any]:
    extra = {k: v for k, v in tool.extra.items() if k not in (SPACE, LOADED)}
    if tool.kind == "custom":
        form = {"type": "grammar", **tool.grammar} if tool.grammar else {"type": "text"}
        return {"type": "custom", "name": tool.name, "description": tool.description, "format": form, **extra}
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description or None,
        "parameters": tool.schema,
        "strict": tool.strict,
        **extra,
    }


def plain(tools: tuple[Tool | ServerTool, ...], disguise: Disguise) -> list[dict[str, Any]]:
    """Return rows for a provider of this dialect that knows functions only; notes what is emulated or dropped."""
    out: list[dict[str, Any]] = []
    for tool in tools:
        if isinstance(tool, ServerTool):
            disguise.dropped(f"tools.{tool.name or 'server'}", "the provider does not run it")
        elif tool.kind == "custom":
            name, description, schema = disguise.custom(tool)
            out.append(
                {"type": "function", "name": name, "description": description, "parameters": schema, "strict": False}
            )
        else:
            if tool.namespace:
                disguise.emulated("tools.namespace")
            name = disguise.name(tool.name, tool.namespace)
            row = _row(msgspec.structs.replace(tool, name=name, extra={}))
            out.append({key: value for key, value in row.items() if value is not None or key == "parameters"})
    return out


def write_choice(choice: ToolChoice | None) -> Any:
    """Return `tool_choice` of this dialect; None when nothing was said."""
    if choice is None:
        return None
    if choice.mode == "tool":
        return {"type": choice.kind, "name": choice.name}
    if choice.mode == "allowed":
        tools = [{"type": "function", "name": name} for name in choice.names]
        return {"type": "allowed_tools", "mode": "required" if choice.required else "auto", "tools": tools}
    return choice.mode
