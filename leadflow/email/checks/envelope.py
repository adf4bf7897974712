"""What a mailbox shows before the mail is opened: subject and preheader."""

from collections.abc import Iterator

from leadflow.email.checks.rows import PREHEADER_AT_LEAST, PREHEADER_AT_MOST, SUBJECT_AT_MOST, Finding
from leadflow.email.checks.source import NOTHING, VALUE, Written
from leadflow.email.checks.typography import check_french, is_french


def check_subject(written: Written, language: str) -> Iterator[Finding]:
    """Findings in a subject; what its values bring is not counted."""
    words = written.plain.replace(NOTHING, "")
    shown = words.replace(VALUE, "").strip()
    if not words.strip():
        yield written.finding("subject-empty", 0, language=language)
    if len(shown) > SUBJECT_AT_MOST:
        yield written.finding("subject-length", 0, n=len(shown), limit=SUBJECT_AT_MOST)
    if "\n" in words.strip("\n"):
        yield written.finding("subject-line-break", 0)
    yield from check_words(written, language)


def check_preheader(written: Written, language: str) -> Iterator[Finding]:
    """Findings in a preheader; with values in it, it may be any longer."""
    words = written.plain.replace(NOTHING, "")
    shown = words.replace(VALUE, "").strip()
    short = len(shown) < PREHEADER_AT_LEAST and VALUE not in words
    if short or len(shown) > PREHEADER_AT_MOST:
        limits = {"least": PREHEADER_AT_LEAST, "most": PREHEADER_AT_MOST}
        yield written.finding("preheader-length", 0, n=len(shown), **limits)
    yield from check_words(written, language)


def check_words(written: Written, language: str) -> Iterator[Finding]:
    """Findings in any words that people read."""
    if is_french(language):
        yield from check_french(written, written.plain)
