"""Servers that stand at Ollama's address and speak only its OpenAI-shaped API: proxies, gateways, look-alikes.

They are served as any compatible server is; the price is that nobody can tell them how large a context is needed.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from importlib import import_module

from bot.core.catalogue import ModelInfo
from bot.core.errors import ModelNotFound
from bot.core.events import ProviderEvent
from bot.core.ports import ChatRequest, Provider
from bot.providers.connection import Connection

log = logging.getLogger(__name__)

_COMPATIBLE = "bot.providers.compatible"


class NoSuchApi(ModelNotFound):
    """The server does not know the path: Ollama itself would say which model it lacks."""


class OllamaOrAlike:
    """`Provider` that asks by Ollama's API, and by the OpenAI-shaped one from the moment the server lacks the first.

    Listing and answering are found out apart: some offer Ollama's lists and the other API's answers.
    """

    def __init__(self, own: Provider, connection: Connection, origin: str) -> None:
        self._own = own
        self._connection = replace(connection, base_url=f"{origin}/v1")
        self._alike: Provider | None = None
        self._lacks_chat = False
        self._lacks_lists = False

    @property
    def name(self) -> str:
        return self._own.name

    async def stream(self, request: ChatRequest) -> AsyncGenerator[ProviderEvent, None]:
        if not self._lacks_chat:
            try:
                async with aclosing(self._own.stream(request)) as events:
                    async for event in events:
                        yield event
                return
            except NoSuchApi:
                self._lacks_chat = True
                log.warning("%s has no /api/chat: it may cut long prompts without a word", self.name)
        async with aclosing((await self._other()).stream(request)) as events:
            async for event in events:
                yield event

    async def list_models(self) -> tuple[ModelInfo, ...] | None:
        if not self._lacks_lists:
            try:
                return await self._own.list_models()
            except NoSuchApi:
                self._lacks_lists = True
        return await (await self._other()).list_models()

    async def aclose(self) -> None:
        await self._own.aclose()
        if self._alike is not None:
            await self._alike.aclose()

    async def _other(self) -> Provider:
        """The other API's client, which takes half a second to import."""
        if self._alike is None:
            module = await asyncio.to_thread(import_module, _COMPATIBLE)
            if self._alike is None:
                self._alike = module.build(self._connection)
        return self._alike
