"""An MCP server over stdio by hand (protocol of 2025-06-18), which misbehaves as its one argument says, in JSON.

`tools`: what it lists, `later`: what it lists once `swap` was called. `mute`: it never answers. `stray`: so many lines
that are no messages come first. `crash`: it ends at once with this code. `stubborn`: it stays when its input closes
and at SIGTERM, and has a child. `says`: its first line on standard error. Imports nothing but the standard library,
so that it starts at once.
"""

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

PROTOCOL = "2025-06-18"
Message = dict[str, Any]


def send(message: Message) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


class Clumsy:
    def __init__(self, script: Message) -> None:
        self.script = script
        self.tools = script.get("tools", [])

    def answer(self, request: Message) -> None:
        """One request; notifications want no answer."""
        number = request.get("id")
        if number is None or self.script.get("mute"):
            return
        match request["method"]:
            case "initialize":
                send({"id": number, "result": self.greeting()})
            case "tools/list":
                send({"id": number, "result": {"tools": self.tools}})
            case "tools/call":
                result = self.call(request["params"]["name"], request["params"].get("arguments") or {})
                if result is not None:
                    send({"id": number, "result": result})
            case _:
                send({"id": number, "error": {"code": -32601, "message": "no such method"}})

    def greeting(self) -> Message:
        return {
            "protocolVersion": PROTOCOL,
            "capabilities": {"tools": {"listChanged": True}},
            "serverInfo": {"name": "clumsy", "version": "1"},
        }

    def call(self, tool: str, arguments: Message) -> Message | None:
        """The result of a tool by what its name begins with; None: no answer."""
        match tool.partition(" ")[0]:
            case "die":
                sys.exit(7)
            case "hang":
                return None
            case "nonsense":
                return {"content": "not a list"}
            case "pour":
                sys.stdout.write("x" * (9 * 2**20))
                sys.stdout.flush()
                return None
            case "environment":
                return text(json.dumps(dict(os.environ)))
            case "who":
                return text(str(os.getpid()))
            case "swap":
                self.tools = self.script["later"]
                send({"method": "notifications/tools/list_changed"})
                return text("swapped")
            case _:
                return text(json.dumps(arguments))


def text(words: str) -> Message:
    return {"content": [{"type": "text", "text": words}]}


def main() -> None:
    script: Message = json.loads(sys.argv[1])
    print(script.get("says", ""), file=sys.stderr, flush=True)
    for number in range(script.get("stray", 0)):
        print(f"loading {number} …", flush=True)
    if "crash" in script:
        sys.exit(script["crash"])
    if script.get("stubborn"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    clumsy = Clumsy(script)
    for line in sys.stdin:
        clumsy.answer(json.loads(line))
    if script.get("stubborn"):
        time.sleep(600)


if __name__ == "__main__":
    main()
