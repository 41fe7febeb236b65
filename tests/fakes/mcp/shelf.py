"""A real MCP server, made with the SDK: as a program over stdio, or as an app for streamable HTTP.

Run it as a file (`python shelf.py`), or serve `shelf_app`. It knows nothing of Parley.
"""

import anyio
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, ImageContent, TextContent
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send


class Found(BaseModel):
    """A structured result."""

    shelf: int
    free: bool


def build() -> MCPServer:
    """The tools of a small library."""
    server = MCPServer("shelf", version="1")

    @server.tool(description="Adds two numbers.")
    def add(a: int, b: int) -> str:
        return str(a + b)

    @server.tool(description="Where a book stands.")
    def find(title: str) -> Found:
        return Found(shelf=len(title), free=True)

    @server.tool(description="Fails.")
    def fail() -> str:
        raise ToolError("the shelf is empty")

    @server.tool(description="Waits for good.")
    async def wait() -> str:
        await anyio.sleep_forever()
        return "never"

    @server.tool(description="Reads a whole book.")
    def read(chars: int) -> str:
        return "x" * chars

    @server.tool(description="The cover of a book.")
    def cover() -> CallToolResult:
        picture = ImageContent(type="image", data="aGk=", mime_type="image/png")
        return CallToolResult(content=[picture, TextContent(type="text", text="A red cover.")])

    @server.tool(description="Puts one more tool on the shelf.")
    async def grow(ctx: Context) -> str:
        server.add_tool(lambda: "here", name="grown", description="Came later.")
        await ctx.notify_tools_changed()
        return "grown"

    return server


def shelf_app(*, token: str, json_response: bool = False) -> ASGIApp:
    """The same over streamable HTTP at /mcp, for whoever sends `Authorization: Bearer <token>`."""
    app: Starlette = build().streamable_http_app(json_response=json_response)
    expected = (b"authorization", f"Bearer {token}".encode())

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and expected not in scope["headers"]:
            await send({"type": "http.response.start", "status": 401, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"who are you?"})
            return
        await app(scope, receive, send)

    return guarded


if __name__ == "__main__":
    build().run("stdio")
