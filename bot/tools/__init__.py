"""One file a tool, one row here; to add one see docs/adding-a-tool.md.

The rows are data: a tool's module is imported when its settings are there, never from here.
"""

from bot.tools.supplies import ToolRow

TOOLS: tuple[ToolRow, ...] = (
    ToolRow(factory="bot.tools.web_search:build", any_of=("TAVILY_API_KEY", "BRAVE_SEARCH_API_KEY")),
    ToolRow(factory="bot.tools.read_page:build"),
    ToolRow(factory="bot.tools.market_price:build"),
    ToolRow(factory="bot.tools.calculate:build"),
    ToolRow(factory="bot.tools.read_attachment:build"),
    ToolRow(factory="bot.tools.search_history:build"),
)
