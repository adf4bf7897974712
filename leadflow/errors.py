"""Every error leadflow raises; a class's docstring is its default message."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from leadflow.text import _


class LeadflowError(Exception):
    """Something went wrong in leadflow."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class UsageError(LeadflowError):
    """The command cannot be carried out as typed."""


class InputError(LeadflowError):
    """A file given to leadflow cannot be read."""


class SettingsError(LeadflowError):
    """A setting is missing or wrong."""


class LockedError(LeadflowError):
    """Another sweep is running; try again when it has finished."""


class InvariantError(LeadflowError):
    """A rule that always holds was found broken."""


class Severity(StrEnum):
    """How much a fault of the playbook matters."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong in a file people wrote. `line` and `column` count from 1; 0 means the whole file."""

    file: str
    line: int = 0
    column: int = 0
    message: str
    severity: Severity = Severity.ERROR
    #: Which check found it, where checks have names (docs/reference/checks.md).
    code: str = ""
    #: What to write instead, where `message` does not say it.
    mend: str = ""

    def __str__(self) -> str:
        severity = _("error") if self.severity is Severity.ERROR else _("warning")
        return f"{self.file}:{self.line}:{self.column}  {severity}  {self.words}"

    @property
    def words(self) -> str:
        """What is wrong, and the mend."""
        return f"{self.message}. {self.mend}" if self.mend else self.message


class PlaybookError(LeadflowError):
    """The playbook has faults; `leadflow check` lists them."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class TemplateError(LeadflowError):
    """An email template cannot be rendered."""

    def __init__(self, message: str | None = None, *, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        #: Where in the source, from 1; 0 when it cannot be said.
        self.line = line
        self.column = column


class LinkError(LeadflowError):
    """This link was not signed by this workspace, or was cut short."""


class ProviderError(LeadflowError):
    """The outside world answered with an error."""


class RefusedError(ProviderError):
    """Definitely not sent, and trying again with the same message will not help."""


class BuildError(RefusedError):
    """This mail cannot be put into the form that the provider takes."""


class RetryableError(ProviderError):
    """Definitely not sent; trying again later may help."""

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        #: Seconds the provider asked to wait, where it said so.
        self.retry_after = retry_after


class OutageError(RetryableError):
    """Definitely not sent, and any other mail would fare alike just now."""


class StaleError(RetryableError):
    """Definitely not sent: its intent is so old that others may have judged it meanwhile."""


class UnknownOutcomeError(ProviderError):
    """May have been sent: never blindly tried again."""


class CrowdedError(ProviderError):
    """So much was sent in those minutes that the log has to be asked about one mail at a time."""


class BusyError(ProviderError):
    """The provider's log takes no more questions this minute."""

    def __init__(
        self, message: str | None = None, *, found: Mapping[str, str] | None = None, denied: Collection[str] = ()
    ) -> None:
        super().__init__(message)
        #: Attempt → the provider's id, of those it knows as far as it was asked.
        self.found = dict(found or {})
        #: Attempts it certainly does not know.
        self.denied = frozenset(denied)


class UnsupportedFeatureError(ProviderError):
    """The provider would silently ignore something this message asks for."""
