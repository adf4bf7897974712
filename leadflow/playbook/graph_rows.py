"""Every check of how the files of a playbook fit together, one row each; all are warnings: what is there works."""

from collections.abc import Mapping

from leadflow.email.checks import Check
from leadflow.errors import Fault, Severity
from leadflow.text import _
from leadflow.types import Place

_ROWS = (
    Check(
        code="never-holds",
        severity=Severity.WARNING,
        words=lambda: (
            _("nobody can ever meet this: what is asked of {what} excludes itself"),
            _("Ask for less: any instead of all, or another value"),
        ),
    ),
    Check(
        code="segment-same",
        severity=Severity.WARNING,
        words=lambda: (
            _('segments "{segment}" and "{other}" always hold the same people'),
            _("Keep one, or say in `when` what tells them apart"),
        ),
    ),
    Check(
        code="segment-covered",
        severity=Severity.WARNING,
        words=lambda: (
            _('whoever is in "{segment}" is in "{other}", too, which comes before it: it is nobody\'s main segment'),
            _("Put {segment} before {other} in segment_order of config/leadflow.yaml"),
        ),
    ),
    Check(
        code="email-unasked",
        severity=Severity.WARNING,
        words=lambda: (
            _("nobody gets this email: no step asks for the best one of {stages}, and none names it"),
            _("Add a step with email: {{best_for: {stage}}}, or name it in one"),
        ),
    ),
    Check(
        code="email-unreached",
        severity=Severity.WARNING,
        words=lambda: (
            _('nobody gets this email: {sequence} lets nobody in whom it is for, because of "{what}"'),
            _("Change `for`, or `enter` of the sequence"),
        ),
    ),
    Check(
        code="email-again",
        severity=Severity.WARNING,
        words=lambda: (
            _('step "{step}" has sent this email already: again_after passes this step over'),
            _("Name another email, or shorten again_after"),
        ),
    ),
    Check(
        code="case-never",
        severity=Severity.WARNING,
        words=lambda: (
            _('nobody under way in this sequence meets this, because of "{what}": enter, exit and goal see to it'),
            _("Remove the case, or ask something else"),
        ),
    ),
    Check(
        code="case-covered",
        severity=Severity.WARNING,
        words=lambda: (
            _("nobody comes to this case: whoever meets it meets one above it"),
            _("Put it first, or remove it"),
        ),
    ),
    Check(
        code="step-unreached",
        severity=Severity.WARNING,
        words=lambda: (
            _('nobody ever comes to step "{step}"'),
            _("Let a step before it go on, or a case that can hold lead here"),
        ),
    ),
    Check(
        code="sequence-left",
        severity=Severity.WARNING,
        words=lambda: (
            _("no step is ever due: whoever meets enter meets {way}, too, and leaves at once"),
            _("Let enter leave out whom {way} lets go"),
        ),
    ),
    Check(
        code="sequence-held",
        severity=Severity.WARNING,
        words=lambda: (
            _("no step is ever due: customers, the disqualified and people with sales are in no sequence"),
            _("Let enter ask for leads or prospects"),
        ),
    ),
)

#: Code → check, in the order of the reference page.
GRAPH_CHECKS: Mapping[str, Check] = {row.code: row for row in _ROWS}


def told(code: str, place: Place, /, **words: object) -> Fault:
    """A fault of the check `code` at `place`."""
    check = GRAPH_CHECKS[code]
    message, mend = check.words()
    return Fault(
        file=place.file,
        line=place.line,
        column=place.column,
        message=message.format(**words),
        severity=check.severity,
        code=code,
        mend=mend.format(**words),
    )
