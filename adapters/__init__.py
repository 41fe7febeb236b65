"""The doors to the core: one package a platform, one row here. Their SDKs are imported when their token is set."""

from bot.core.door import AdapterRow

ADAPTERS: tuple[AdapterRow, ...] = (
    AdapterRow(
        platform="discord",
        module="adapters.discord.building",
        token_setting="DISCORD_TOKEN",  # noqa: S106  # the name of a setting
        url_setting="DISCORD_API_URL",
    ),
    AdapterRow(
        platform="telegram",
        module="adapters.telegram.building",
        token_setting="TELEGRAM_TOKEN",  # noqa: S106  # the name of a setting
        url_setting="TELEGRAM_API_URL",
    ),
)
