"""Email providers: one file each, found by its name."""

from importlib import import_module
from typing import cast

from leadflow.errors import SettingsError
from leadflow.ports import EmailProvider
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
