"""An address that never finishes the TCP handshake: what a connect timeout looks like. Linux only."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_FILLERS = 4


@contextmanager
def blackhole() -> Iterator[str]:
    """A base_url whose listener has a full backlog, so the kernel drops every new SYN."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(_FILLERS):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
