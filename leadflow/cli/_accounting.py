"""What an import says when it is done: every row accounted for, and who may be mailed."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from leadflow.cli.common import console
from leadflow.errors import UsageError
from leadflow.text import _, ngettext

if TYPE_CHECKING:
    from leadflow.intake.importing import Accounting
    from leadflow.intake.mapping import ColumnMapping
    from leadflow.types import Reason


def _say(text: str, style: str | None = None) -> None:
    # Whole lines: whoever searches the output finds them whatever the width of the terminal.
    console.print(text, style=style, markup=False, soft_wrap=True)


def say_mapping(mapping: "ColumnMapping") -> None:
    """Which column fills what, and which ones are left out."""
    pairs = "  ".join(f"{mapping.header[place]} → {name}" for place, name in mapping.columns)
    _say(_("columns   {pairs}").format(pairs=pairs))
    if mapping.unused:
        _say(_("left out  {names}").format(names=", ".join(mapping.unused)), style="yellow")


def say_counts(counted: "Accounting", what: str, *, dry_run: bool) -> None:
    """Every row, counted once; UsageError when none could be taken."""
    words = _(
        "{rows} rows = {created} created + {updated} updated + {unchanged} unchanged"
        " + {duplicate} duplicate + {rejected} rejected"
    )
    numbers = {name: getattr(counted, name) for name in ("rows", "created", "updated", "unchanged", "duplicate")}
    _say(f"{what}: " + words.format(**numbers, rejected=counted.rejected))
    for (field, word), n in sorted(counted.nulls.items()):
        words = ngettext(
            '  {field}: "{word}" said nothing in {n} row', '  {field}: "{word}" said nothing in {n} rows', n
        )
        _say(words.format(field=field, word=word, n=n))
    for field, n in sorted(counted.empty.items()):
        words = ngettext("  {field}: empty in {n} row", "  {field}: empty in {n} rows", n)
        _say(words.format(field=field, n=n))
    for line, earlier in counted.first_duplicates:
        _say(_("  line {line}: the same as line {earlier}, which counts").format(line=line, earlier=earlier))
    for line, note in counted.first_notes:
        _say(_("  line {line}: {note}").format(line=line, note=note))
    say_more(counted.noted - len(counted.first_notes))
    for line, reason in counted.first_rejected:
        _say(_("  line {line}: rejected: {reason}").format(line=line, reason=reason), style="red")
    say_more(counted.rejected - len(counted.first_rejected))
    if counted.rejects:
        _say(_("  rejected rows: {file} (mend them there and import it)").format(file=counted.rejects))
    if dry_run:
        _say(_("--dry-run: nothing was written"), style="yellow")
    if counted.rejected and counted.rejected == counted.rows:
        raise UsageError(_("nothing was imported: no row could be taken"))


def say_more(n: int) -> None:
    """How many are not shown."""
    if n > 0:
        _say("  " + ngettext("… and {n} more", "… and {n} more", n).format(n=n))


def say_mailable(found: "Mapping[Reason | None, int]") -> None:
    """Who may be mailed tonight, and why the others may not."""
    from leadflow.ask.words import reason_words

    people = sum(found.values())
    mailed = found.get(None, 0)
    _say(_("{mailed} of {people} people may be mailed tonight").format(mailed=mailed, people=people))
    for reason, n in sorted(found.items(), key=lambda pair: -pair[1]):
        if reason is not None:
            _say(f"  {n:>7}  {reason_words(reason)}")
