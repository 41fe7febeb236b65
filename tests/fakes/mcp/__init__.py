"""MCP servers for tests: one made with the SDK, over both transports, and one by hand that misbehaves on demand."""
