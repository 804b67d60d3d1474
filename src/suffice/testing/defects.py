"""Realistic defects in Python code, for simulated models: what a wrong answer looks like, deterministic from a seed.

Each kind is a small change of a correct solution. A change of logic may happen to keep the tests passing: the tests decide, not
the intention. Used by the demo and by benchmarks only.
"""

from __future__ import annotations

import ast

from suffice.testing.seeded import Seeded

KINDS = ("logic", "syntax", "truncated", "name", "import")
_FLIPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.Gt,
    ast.LtE: ast.Lt,
    ast.Gt: ast.Lt,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Mod: ast.FloorDiv,
}


class _Sites(ast.NodeTransformer):
    """Counts the places where logic can be flipped, and flips the chosen one."""

    def __init__(self, chosen: int = -1) -> None:
        self.chosen = chosen
        self.count = 0

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        flip = _FLIPS.get(type(node))
        constant = isinstance(node, ast.Constant) and type(node.value) is int
        if flip is None and not constant:
            return node
        self.count += 1
        if self.count - 1 != self.chosen:
            return node
        if flip is not None:
            return flip()
        assert isinstance(node, ast.Constant) and isinstance(node.value, int)
        return ast.copy_location(ast.Constant(node.value + 1), node)


def break_code(code: str, kind: str, chance: Seeded) -> str:
    """Return `code` with one defect of `kind` (one of KINDS). A kind that finds no place falls back to a syntax error."""
    if kind == "logic":
        return _logic(code, chance) or _syntax(code, chance)
    if kind == "truncated":
        lines = code.rstrip().split("\n")
        keep = max(1, int(len(lines) * (0.4 + 0.4 * chance.random())))
        return "\n".join(lines[:keep])
    if kind == "name":
        return _renamed(code) or _syntax(code, chance)
    if kind == "import":
        return f"from fast_collections_ext import quick_{'sort' if chance.random() < 0.5 else 'map'}\n{code}"
    return _syntax(code, chance)


def _logic(code: str, chance: Seeded) -> str:
    tree = ast.parse(code)
    sites = _Sites()
    sites.visit(tree)
    if not sites.count:
        return ""
    chosen = min(int(chance.random() * sites.count), sites.count - 1)
    return ast.unparse(ast.fix_missing_locations(_Sites(chosen).visit(ast.parse(code)))) + "\n"


def _syntax(code: str, chance: Seeded) -> str:
    places = [i for i, c in enumerate(code) if c in "():"]
    if not places:
        return code + "\n)"
    at = places[min(int(chance.random() * len(places)), len(places) - 1)]
    return code[:at] + code[at + 1 :]


def _renamed(code: str) -> str:
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            return code.replace(node.name, f"{node.name}_impl")
    return ""
