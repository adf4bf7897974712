"""What `leadflow new` writes: an email, a segment or a sequence to start from, valid at once and commented."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from leadflow.errors import UsageError
from leadflow.playbook.known import is_name, wrong_name
from leadflow.playbook.model import Playbook
from leadflow.text import _

_EMPTY = '""'
#: What each mail says until somebody has written it, by language; a language besides these starts from the English.
_SUBJECTS = {"fr": "Une question qui revient souvent", "en": "A question we are often asked"}
_PREHEADERS = {
    "fr": "Une réponse courte, tirée de notre expérience, à lire en deux minutes.",
    "en": "A short answer from what we have seen, to read in two minutes.",
}
_BODIES = {
    "fr": """Bonjour{{ " " ~ lead.first_name if lead.first_name }},

Écrivez ici un fait, un cas ou un chiffre qui serve à ce lecteur, puis une seule chose à faire.

**[Lire la réponse complète]({{ links.page("") }})**

{{ sender.first_name }}
""",
    "en": """Hello{{ " " ~ lead.first_name if lead.first_name }},

Write a fact, a case or a number here that is of use to this reader, then one thing to do.

**[Read the whole answer]({{ links.page("") }})**

{{ sender.first_name }}
""",
}


def start_email(workspace: Path, playbook: Playbook, name: str) -> Mapping[str, str]:
    """Path → text of a new email, one body for each language of the brand."""
    folder = f"templates/emails/{name}"
    refuse_name(workspace, name, folder)
    languages = playbook.brand.languages
    lines = [
        "# yaml-language-server: $schema=../../../.schemas/email.json",
        f"title: {name}".ljust(38) + f" # {_('for your colleagues: what the mail is about')}",
        "purpose: nurture".ljust(38) + " # nurture | newsletter | service | sales",
        f"for:{' ' * 34} # {_('all keys must hold, one value of each list is enough; without a key: anybody')}",
        f"  stage: [{playbook.journey.stages[0].name}]",
        f"  languages: [{', '.join(languages)}]".ljust(38) + f" # {_('one body for each')}",
        "rank: 50".ljust(38) + f" # {_('among those that fit, the highest goes')}",
        f"again_after: 365 days{' ' * 17} # {_('the same person does not get it again before')}",
        f"subject:{' ' * 30} # {_('60 characters at most')}",
        *(f"  {language}: {_quoted(_SUBJECTS, language)}" for language in languages),
        f"preheader:{' ' * 28} # {_('what a mailbox shows after the subject: 40 to 110 characters')}",
        *(f"  {language}: {_quoted(_PREHEADERS, language)}" for language in languages),
        f"# {_('What to write where we do not know. A value that a body uses and that is not here is needed:')}",
        f"# {_('whoever lacks it never gets this email.')}",
        "defaults:",
        f"  lead.first_name: {{{', '.join(f'{language}: {_EMPTY}' for language in languages)}}}",
        f"expires: 5 business_days{' ' * 14} # {_('not sent by then: skipped')}",
    ]
    bodies = {f"{folder}/body.{language}.md": _BODIES.get(language, _BODIES["en"]) for language in languages}
    return {f"{folder}/email.yaml": as_file(lines), **bodies}


def start_segment(workspace: Path, playbook: Playbook, name: str) -> Mapping[str, str]:
    """Path → text of a new segment."""
    path = f"segments/{name}.yaml"
    refuse_name(workspace, name, path)
    title = ", ".join(f"{language}: {name}" for language in playbook.brand.languages)
    lines = [
        "# yaml-language-server: $schema=../.schemas/segment.json",
        f"title: {{{title}}}",
        f"why: {_('what these people have in common, and what it changes for them')}",
        "",
        f"when:{' ' * 33} # {_('under all, any and not: a field, an event or a segment')}",
        "  all:",
        "    - {field: country, in: [LU]}",
        "    - {event: page_viewed, at_least: 3, within: 30 days}",
        "",
        f"examples:{' ' * 29} # {_('tried by leadflow check and leadflow test: change them with the condition')}",
        "  match:",
        "    - {country: LU, events: [{page_viewed: {path: /}, times: 3, ago: 2 days}]}",
        "  no_match:",
        "    - {country: LU}",
    ]
    return {path: as_file(lines)}


def start_sequence(workspace: Path, playbook: Playbook, name: str) -> Mapping[str, str]:
    """Path → text of a new sequence, of which nobody is part until it says `live: true`."""
    path = f"config/sequences/{name}.yaml"
    refuse_name(workspace, name, path)
    title = ", ".join(f"{language}: {name}" for language in playbook.brand.languages)
    stage = playbook.journey.stages[0].name
    lines = [
        "# yaml-language-server: $schema=../../.schemas/sequence.json",
        f"title: {{{title}}}",
        f"track: nurture{' ' * 24} # {_('a person is in one sequence of a track at a time')}",
        f"priority: 10{' ' * 26} # {_('when two sequences have a mail for one person, the higher goes first')}",
        f"live: false{' ' * 27} # {_('nobody enters before this says true')}",
        f"existing: {{enter: none}}{' ' * 15} # {_('who matches already on the first day: none, all, or 100 per day')}",
        f"enter: {{all: [{{field: stage, is: {stage}}}, {{field: lifecycle, is: lead}}]}}",
        f"on_unmatch: pause{' ' * 21} # {_('pause, exit or finish')}",
        "reentry: once",
        "",
        "steps:",
        f"  - {{name: first, email: {{best_for: {stage}}}}}",
        "  - {name: wait-1, wait: 3 business_days}",
        f"  - {{name: second, email: {{best_for: {stage}}}, when_none: skip}}",
    ]
    return {path: as_file(lines)}


def refuse_name(workspace: Path, name: str, path: str) -> None:
    """UsageError for a name that cannot be, or is taken."""
    if not is_name(name) or name.startswith("_"):
        raise UsageError(_('"{name}" cannot be a name: {why}').format(name=name, why=wrong_name()))
    if (workspace / path).exists():
        raise UsageError(_("{path} is there already: choose another name").format(path=path))


def _quoted(words: Mapping[str, str], language: str) -> str:
    return f'"{words.get(language, words["en"])}"'


def as_file(lines: Sequence[str]) -> str:
    """The text of a file."""
    return "\n".join(lines) + "\n"
