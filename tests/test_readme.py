"""What is written for operators is what the code does: README and .env.example against Settings."""

import re
from pathlib import Path

from bot.settings import load_settings, readme_table, setting_rows

ROOT = Path(__file__).parents[1]
_SETTING = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$")
#: Read by docker-compose.yml alone.
_FOREIGN = {"MONGO_PASSWORD"}


def _example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    return {found[1]: found[2] for line in lines if (found := _SETTING.match(line))}


def test_the_readme_has_the_table_of_settings_as_the_code_has_it() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert readme_table() in readme


def test_the_example_file_names_every_setting_and_no_other() -> None:
    assert {row.name for row in setting_rows()} == set(_example()) - _FOREIGN


def test_the_example_file_shows_the_defaults() -> None:
    defaults = {row.name: row.default.strip("`") for row in setting_rows() if row.default != "unset"}
    shown = {name: value for name, value in _example().items() if value and name in defaults}

    assert shown == {name: defaults[name] for name in shown}


def test_every_value_in_the_example_file_is_a_right_one() -> None:
    settings = load_settings(_example(), None)

    assert settings.owners == {"discord:123", "telegram:456"}
    assert settings.allow == {"telegram:456", "telegram:chat:-100123", "discord:guild:123", "discord:456"}
