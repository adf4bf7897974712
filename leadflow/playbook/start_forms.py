"""What `leadflow new` writes for visitors: a form or a page to start from, valid at once and commented."""

from collections.abc import Mapping
from pathlib import Path

from leadflow.playbook.model import Playbook
from leadflow.playbook.starts import as_file, refuse_name
from leadflow.text import _

#: What a form says until somebody has written it: French and English.
_TEXTS: Mapping[str, tuple[str, str]] = {
    "button": ("Envoyer", "Send"),
    "notice": (
        "Vos réponses servent à vous répondre, et à rien d’autre.",
        "Your answers serve to answer you alone.",
    ),
    "thanks": ("Merci", "Thank you"),
    "text": ("Nous vous répondons sous un jour ouvré.", "We answer within one working day."),
}
_PAGES = {
    "fr": """---
title: {name}
description: Ce que l’on trouve sur cette page, en une phrase que les moteurs de recherche montreront.
---
# Dites ici ce que le visiteur y gagne

Un fait, un cas ou un chiffre. Puis une seule chose à faire.
""",
    "en": """---
title: {name}
description: What is to be found on this page, in a sentence that search engines will show to people.
---
# Say here what the visitor gains

A fact, a case or a number. Then one thing to do.
""",
}


def start_form(workspace: Path, playbook: Playbook, name: str) -> Mapping[str, str]:
    """Path → text of a new form."""
    path = f"config/forms/{name}.yaml"
    refuse_name(workspace, name, path)
    languages = playbook.brand.languages
    title = ", ".join(f"{language}: {name}" for language in languages)
    text = {key: _localised(words, languages) for key, words in _TEXTS.items()}
    lines = [
        "# yaml-language-server: $schema=../../.schemas/form.json",
        f"title: {{{title}}}",
        f"button: {text['button']}",
        f"event: form_submitted{' ' * 17} # {_('the act it tells of: quote_requested, newsletter_joined …')}",
        f"fields:{' ' * 31} # {_('asked in this order; email is needed')}",
        "  - email",
        "  - {field: company, needed: true}",
        f"  - {{ask_next: qualification}}{' ' * 10} # {_('the first sales question this person has not answered')}",
        f"notice: {text['notice']}",
        "thanks:",
        f"  title: {text['thanks']}",
        f"  text: {text['text']}",
    ]
    return {path: as_file(lines)}


def start_page(workspace: Path, playbook: Playbook, name: str) -> Mapping[str, str]:
    """Path → text of a new page, one file for each language of the brand."""
    languages = playbook.brand.languages
    for language in languages:
        refuse_name(workspace, name, f"pages/{name}.{language}.md")
    return {
        f"pages/{name}.{language}.md": _PAGES.get(language, _PAGES["en"]).format(name=name) for language in languages
    }


def _localised(words: tuple[str, str], languages: tuple[str, ...]) -> str:
    french, english = words
    texts = (f'{language}: "{french if language[:2] == "fr" else english}"' for language in languages)
    return f"{{{', '.join(texts)}}}"
