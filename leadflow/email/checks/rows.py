"""Every check of an email, one row each: its code, whether it stops a send, what is wrong, and the mend."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from leadflow.errors import Fault, Severity
from leadflow.text import _

#: Gmail cuts a longer message and hides what comes after, the unsubscribe link included.
GMAIL_CLIPS_AT = 102_000
HEAVY_FROM = 90_000
SUBJECT_AT_MOST = 60
PREHEADER_AT_LEAST, PREHEADER_AT_MOST = 40, 110


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """Law and breakage are errors, taste is a warning: an error stops a send, a warning does not."""

    code: str
    severity: Severity
    #: What is wrong, and what to write instead; both may name what a finding tells.
    words: Callable[[], tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place where a check fired; lines and columns count from 1."""

    code: str
    line: int
    column: int
    told: Mapping[str, object] = field(default_factory=dict, hash=False)

    def fault(self, file: str) -> Fault:
        """The finding as a fault of `file`, in the language people read."""
        check = CHECKS[self.code]
        message, mend = check.words()
        return Fault(
            file=file,
            line=self.line,
            column=self.column,
            message=message.format(**self.told),
            severity=check.severity,
            code=self.code,
            mend=mend.format(**self.told),
        )


def _error(code: str, words: Callable[[], tuple[str, str]]) -> Check:
    return Check(code=code, severity=Severity.ERROR, words=words)


def _warning(code: str, words: Callable[[], tuple[str, str]]) -> Check:
    return Check(code=code, severity=Severity.WARNING, words=words)


_ROWS = (
    _error(
        "no-unsubscribe",
        lambda: (
            _("there is no unsubscribe link, which the law asks for"),
            _('Add <a href="{{{{ links.unsubscribe }}}}"> with words that say what it does'),
        ),
    ),
    _error(
        "no-unsubscribe-text",
        lambda: (
            _("there is no unsubscribe link, which the law asks for"),
            _("Add a line with {{{{ links.unsubscribe }}}}"),
        ),
    ),
    _error(
        "no-postal-address",
        lambda: (
            _("there is no postal address, which the law asks for"),
            _("Add {{{{ brand.postal_address }}}} at the foot"),
        ),
    ),
    _error(
        "active-content",
        lambda: (_("{what} has no place in a mail: mailboxes throw it out, or the mail with it"), _("Remove it")),
    ),
    _error(
        "link-scheme",
        lambda: (
            _("a link to {scheme} is dangerous, and no mailbox follows it"),
            _("Link to a page of yours, or to an address that begins with https://"),
        ),
    ),
    _error(
        "link-target",
        lambda: (
            _('"{target}" leads nowhere from a mail'),
            _('Write {{{{ links.page("{page}") }}}} for a page of your site, or a whole address, https:// included'),
        ),
    ),
    _error(
        "link-value",
        lambda: (
            _("{target} may not decide where a link leads"),
            _('Write {{{{ links.page("…") }}}} or a fixed address'),
        ),
    ),
    _error(
        "image-source",
        lambda: (_('an image from "{target}" does not show in a mailbox'), _("Give its whole address, https://…")),
    ),
    _error(
        "unquoted-attribute",
        lambda: (
            _("the value of {attribute} stands without quotes: a name with a blank in it would break the mail"),
            _('Write {attribute}="{value}"'),
        ),
    ),
    _error(
        "foreign-merge-field",
        lambda: (_('"{words}" is the merge field of another program: people would read it as it is'), _("{mend}")),
    ),
    _error(
        "subject-empty",
        lambda: (_("the subject in {language} is empty"), _("Say in it what the mail brings")),
    ),
    _error(
        "body-empty",
        lambda: (_("this body is empty"), _("Write the mail here, or remove the file")),
    ),
    _error(
        "clipped",
        lambda: (
            _("the mail has {n} kB: Gmail cuts after 102 and hides the rest, the unsubscribe link included"),
            _("Shorten it, or put the long part on a page and link to it"),
        ),
    ),
    _error(
        "mjml-tag",
        lambda: (_("<{tag}> is opened here and never closed, or closed in the wrong place"), _("Add </{tag}>")),
    ),
    _error(
        "mjml-stray",
        lambda: (_("</{tag}> closes nothing"), _("Remove it, or open <{tag}> before")),
    ),
    _error(
        "mjml-element",
        lambda: (_("<{tag}> is no element of MJML"), _("{mend}")),
    ),
    _error(
        "mjml-unreadable",
        lambda: (_("this MJML cannot be read"), _("Begin with <mjml><mj-body>, and close every element you open")),
    ),
    _error(
        "too-deep",
        lambda: (
            _("more than {n} elements stand one in another"),
            _("Close what you open, or build the mail flatter"),
        ),
    ),
    _error(
        "refused",
        lambda: (_("the mail cannot be made of this"), _("Change what is named here")),
    ),
    _warning(
        "heavy",
        lambda: (
            _("the mail has {n} kB: Gmail cuts after 102, and some names are long"),
            _("Shorten it, or put the long part on a page and link to it"),
        ),
    ),
    _warning(
        "link-http",
        lambda: (_("this link is not encrypted"), _("Write https:// instead of http://")),
    ),
    _warning(
        "image-http",
        lambda: (
            _("this image is not encrypted: many mailboxes do not show it"),
            _("Write https:// instead of http://"),
        ),
    ),
    _warning(
        "dead-anchor",
        lambda: (_('nothing here has the id "{anchor}"'), _("{mend}")),
    ),
    _warning(
        "image-alt",
        lambda: (
            _("this image has no alternative text: who sees no images reads nothing"),
            _("Say in alt what it shows"),
        ),
    ),
    _warning(
        "link-no-words",
        lambda: (
            _("this link has no words: a screen reader can only read out its address"),
            _("Write where it leads, or give its image an alt"),
        ),
    ),
    _warning(
        "link-words",
        lambda: (
            _('"{words}" does not say where the link leads'),
            _("Link the words that name what people find there"),
        ),
    ),
    _warning(
        "html-lang",
        lambda: (
            _("the mail does not say that it is in {language}: a screen reader guesses, and reads it badly"),
            _('Write <{tag} lang="{language}">'),
        ),
    ),
    _warning(
        "contrast",
        lambda: (
            _("{colour} on {background} is hard to read: contrast {ratio}:1"),
            _("Take a darker or a lighter colour, for {least}:1 at least"),
        ),
    ),
    _warning(
        "table-role",
        lambda: (
            _("a table that makes the layout is read out cell by cell"),
            _('Write <table role="presentation">, or give a table of figures <th> headings'),
        ),
    ),
    _warning(
        "html-in-markdown",
        lambda: (
            _("<{tag}> shows as it is written: Markdown bodies hold no HTML"),
            _("Write it in Markdown, or call the file body.{language}.html"),
        ),
    ),
    _warning(
        "greets-nobody",
        lambda: (
            _('without a {name} this reads "{words}"'),
            _('Write {greeting}{{{{ " " ~ {name} if {name} }}}}{sign}'),
        ),
    ),
    _warning(
        "subject-length",
        lambda: (_("the subject has {n} characters; mailboxes cut after {limit}"), _("Shorten it")),
    ),
    _warning(
        "subject-line-break",
        lambda: (_("the subject goes over several lines"), _("Write it on one line")),
    ),
    _warning(
        "preheader-length",
        lambda: (
            _("the preheader has {n} characters; {least} to {most} show whole in a mailbox"),
            _("Shorten it, or say a little more"),
        ),
    ),
    _warning(
        "text-link",
        lambda: (
            _("the text part has lost a link of the mail: {target}"),
            _("Add it, or remove this file: a text part is made from the mail"),
        ),
    ),
    _warning(
        "text-fact",
        lambda: (
            _('the text part and the mail do not say the same: "{fact}" is only in {where}'),
            _("Say it in both, or remove this file: a text part is made from the mail"),
        ),
    ),
    _warning(
        "french-space",
        lambda: (
            _('"{words}": French puts a no-break space before {sign}'),
            _('Write "{better}", the blank being U+00A0 (&nbsp; in HTML)'),
        ),
    ),
    _warning(
        "french-guillemet",
        lambda: (
            _('"{words}": French puts a no-break space after «'),
            _('Write "{better}", the blank being U+00A0 (&nbsp; in HTML)'),
        ),
    ),
    _warning(
        "french-apostrophe",
        lambda: (_('"{words}" has the apostrophe of a typewriter'), _('Write "{better}"')),
    ),
    _warning(
        "french-quotes",
        lambda: (_("these are no French quotation marks: {words}"), _("Write {better}")),
    ),
)

#: Code → check, in the order of the reference page.
CHECKS: Mapping[str, Check] = {row.code: row for row in _ROWS}
