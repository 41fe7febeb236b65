"""The hard limits on size: a module has at most 400 lines, a function at most 60."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MAX_MODULE_LINES = 400
MAX_FUNCTION_LINES = 60


def _modules() -> Iterator[tuple[str, str]]:
    for room in ("bot", "adapters", "tests", "bench"):
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def _functions(source: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
            yield node.name, node.end_lineno - node.lineno + 1


def test_no_module_is_longer_than_the_limit() -> None:
    lengths = {name: len(source.splitlines()) for name, source in _modules()}

    assert {name: lines for name, lines in lengths.items() if lines > MAX_MODULE_LINES} == {}


def test_no_function_is_longer_than_the_limit() -> None:
    too_long = {
        f"{module}:{function}": lines
        for module, source in _modules()
        for function, lines in _functions(source)
        if lines > MAX_FUNCTION_LINES
    }

    assert too_long == {}
