"""What a service for sound is made of: a row of the registry, and where and with which key it connects.

Knows no service by name and reads no environment; the values of the settings come in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from bot.core.ports import Clock

Values = Mapping[str, str | SecretStr | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service as data. `wire` is the module that speaks with it; `*_setting` are names of settings.

    `required` is the setting that switches it on, empty: its key.
    """

    name: str
    wire: str
    key_setting: str
    url_setting: str
    name_setting: str | None = None
    default_url: str | None = None
    required: str = ""
    transcribes: bool = True

    @property
    def switch(self) -> str:
        """The setting that has to be set for it to be there."""
        return self.required or self.key_setting

    def called(self, values: Values) -> str:
        """What comes before the slash in the names of its models."""
        return (_plain(values, self.name_setting) if self.name_setting else None) or self.name

    def is_configured(self, values: Values) -> bool:
        """Whether it can be asked."""
        return _plain(values, self.switch) is not None

    def connection(self, values: Values, clock: Clock) -> "Connection":
        """Where and how to ask it."""
        key = _plain(values, self.key_setting)
        return Connection(
            name=self.called(values),
            base_url=_plain(values, self.url_setting) or self.default_url,
            key=None if key is None else SecretStr(key),
            clock=clock,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """Where a service is. `base_url` None: the API's own address. `key` None: the server wants none.

    `read_timeout_s` is how long it may be silent; a recording is made or heard as a whole before the first byte.
    """

    name: str
    base_url: str | None
    key: SecretStr | None
    clock: Clock
    read_timeout_s: float = 60.0


def api_root(url: str) -> str:
    """The address below which an OpenAI-shaped API hangs: a bare host gets its `/v1`."""
    return url.rstrip("/") + ("/v1" if urlsplit(url).path in ("", "/") else "")


def _plain(values: Values, name: str) -> str | None:
    value = values.get(name)
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    return (text or "").strip() or None
