"""docs/adding-a-tool.md is a recipe that works: its file is a tool, and its row finds it."""

import re
import sys
import textwrap
from pathlib import Path

import pytest

from bot.core.tools import Tool
from bot.tools.supplies import ToolRow
from tests.bot.tools.web import context, supplies

_PAGE = Path(__file__).parents[3] / "docs" / "adding-a-tool.md"
_BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)


async def test_the_recipe_is_a_tool_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module, row_text = (textwrap.dedent(block) for block in _BLOCK.findall(_PAGE.read_text()))
    (tmp_path / "dice_of_the_recipe.py").write_text(module)
    monkeypatch.syspath_prepend(str(tmp_path))
    written = eval(row_text, {"ToolRow": ToolRow})  # noqa: S307  # our own page
    assert written == ToolRow(factory="bot.tools.dice:build")

    try:
        async with ToolRow(factory="dice_of_the_recipe:build").load()(supplies()) as tool:
            dice: Tool = tool
            rolled = await dice.run({"count": 3, "sides": 2}, context())
            refused = await dice.run({"sides": 1}, context())
    finally:
        sys.modules.pop("dice_of_the_recipe", None)

    assert dice.spec.name == "roll_dice"
    assert re.fullmatch(r"Rolled [12], [12], [12]; [3-6] together\.", rolled.text)
    assert refused.is_error
    assert refused.text == "Wrong arguments: `sides` should be greater than or equal to 2, not 1"
