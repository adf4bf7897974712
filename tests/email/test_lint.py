"""Finished mails: every shipped one, for somebody we know well and for somebody we hardly know."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leadflow.email.lint import lint_mail
from leadflow.email.names import ALWAYS, allowed_names
from leadflow.email.preview import preview_email
from leadflow.email.render import MissingValueError, Rendered
from leadflow.playbook.load import load_playbook

PLAYBOOK = load_playbook(Path(__file__).parents[2])
SHIPPED = [(name, language) for name, email in PLAYBOOK.emails.items() for language in email.bodies]
EMPTY: dict[str, object] = {
    **dict.fromkeys(name for name in allowed_names(PLAYBOOK.fields) if not name.startswith("links.")),
    "brand.name": PLAYBOOK.brand.name,
    "brand.site": PLAYBOOK.brand.site,
    "brand.postal_address": PLAYBOOK.brand.postal_address,
    "sender.name": "Camille",
    "sender.first_name": "Camille",
    "sender.reply_to": "bonjour@a.example",
    "lead.language": "fr",
}
FULL = {name: value or f"{name.replace('.', ' ')} <&>" for name, value in EMPTY.items()}


def faults(mail: Rendered, language: str) -> tuple[str, ...]:
    unsubscribe = f"{PLAYBOOK.brand.site}/unsubscribe"
    address = PLAYBOOK.brand.postal_address
    return lint_mail(mail, language=language, unsubscribe_url=unsubscribe, postal_address=address)


@pytest.mark.parametrize(("name", "language"), SHIPPED)
def test_every_mail_is_in_order_for_somebody_we_know_well(name: str, language: str) -> None:
    assert faults(preview_email(PLAYBOOK.emails[name], language, FULL, PLAYBOOK.base), language) == ()


@pytest.mark.parametrize(("name", "language"), SHIPPED)
def test_every_mail_is_in_order_for_somebody_we_hardly_know_or_is_not_sent(name: str, language: str) -> None:
    email = PLAYBOOK.emails[name]
    if email.needs.get(language, frozenset()) - ALWAYS:
        with pytest.raises(MissingValueError):
            preview_email(email, language, EMPTY, PLAYBOOK.base)
        return
    assert faults(preview_email(email, language, EMPTY, PLAYBOOK.base), language) == ()


GOOD = Rendered(
    subject="Hello",
    preheader="",
    html='<html lang="fr"><p>1 rue A</p><a href="https://a.example/unsubscribe">out</a></html>',
    text="1 rue A https://a.example/unsubscribe",
)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ()),
        ({"text": GOOD.text + " Bonjour ,"}, ('greets nobody: "Bonjour ,"',)),
        ({"text": GOOD.text + " Hi !"}, ('greets nobody: "Hi !"',)),
        ({"text": GOOD.text + " None"}, ('"None" was left over',)),
        ({"text": GOOD.text + " None of it"}, ()),
        ({"subject": "{{ x"}, ('"{{" was left over',)),
        ({"subject": ""}, ("has no subject",)),
        ({"subject": "x" * 61}, ("the subject is longer than 60 signs",)),
        ({"text": "1 rue A"}, ("the text has no unsubscribe link",)),
        ({"html": GOOD.html.replace("1 rue A", "")}, ("the HTML has no postal address",)),
        ({"html": GOOD.html + "<!--" + "x" * 102_000 + "-->"}, ("is longer than 102 kB: Gmail would hide the end",)),
        ({"html": GOOD.html.replace("fr", "en")}, ('the HTML does not say that it is in "fr"',)),
        ({"html": GOOD.html + "<img src=x>"}, ("an image has no alternative text",)),
        ({"html": GOOD.html + "<a href='https://x'><img alt=''></a>"}, ("a link has no words",)),
    ],
)
def test_each_fault_is_said_in_words(change: dict[str, Any], expected: tuple[str, ...]) -> None:
    found = lint_mail(
        replace(GOOD, **change),
        language="fr",
        unsubscribe_url="https://a.example/unsubscribe",
        postal_address="1 rue A",
    )
    assert found == expected
