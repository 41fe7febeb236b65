"""Sends an answer's events over one HTTP answer; only what is wrong with an event is Anthropic's own."""

from tests.fakes.sse import Sender


class AnthropicSender(Sender):
    """One streamed answer."""

    # The SDK passes over events without a name.
    malformed = b'event: content_block_delta\ndata: {"type": "content_blo\n\n'
