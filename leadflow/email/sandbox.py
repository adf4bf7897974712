"""The two Jinja environments every mail is filled in with: one that escapes for HTML, one for text and subjects."""

from jinja2 import StrictUndefined, TemplateRuntimeError, filters, tests
from jinja2.sandbox import ImmutableSandboxedEnvironment

from leadflow.email.filters import FILTERS as OURS
from leadflow.email.names import FILTERS, TESTS


class NoValueError(TemplateRuntimeError):
    """A known name without a value was to be shown."""


class Missing(StrictUndefined):
    """A known name without a value: asking whether it is there is harmless, showing it is an error."""

    def __bool__(self) -> bool:  # type: ignore[override]
        return False


def missing(name: str) -> Missing:
    """The stand-in for the value of `name`, which this person lacks."""
    return Missing(hint=f"{name} has no value", name=name, exc=NoValueError)


def _environment(*, escape: bool) -> ImmutableSandboxedEnvironment:
    # Constant folding is off: it runs at compile time, where nothing bounds what an expression may cost.
    made = ImmutableSandboxedEnvironment(
        autoescape=escape, undefined=StrictUndefined, optimized=False, cache_size=0, keep_trailing_newline=False
    )
    made.filters = {name: OURS.get(name) or filters.FILTERS[name] for name in FILTERS}
    made.tests = {name: tests.TESTS[name] for name in TESTS}
    made.globals = {}
    return made


HTML = _environment(escape=True)
TEXT = _environment(escape=False)
