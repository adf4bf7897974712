"""Email providers: one file each, found by its name."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from leadflow.errors import SettingsError
from leadflow.ports import EmailProvider, MessageLog
from leadflow.settings import Settings


def open_provider(name: str, settings: Settings) -> EmailProvider:
    """The provider of `leadflow/esp/<name>.py`, opened; SettingsError when there is no such file."""
    if not name.isidentifier():
        raise SettingsError(f"no email provider is called '{name}'")
    module = f"{__name__}.{name}"
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        raise SettingsError(f"no email provider is called '{name}'") from error
    return cast(EmailProvider, found.open(settings))


def open_log(name: str, settings: Settings, turn: Callable[[], bool]) -> MessageLog | None:
    """The log of `leadflow/esp/<name>_log.py`, which takes a `turn` for each question; None where there is none."""
    module = f"{__name__}.{name}_log"
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return None
    return cast(MessageLog, found.open(settings, turn))
