"""What is wrong in a playbook is said with file, line, column, the word, and the nearest right word."""

import pytest

from tests.playbook.conftest import DISCOVERY, JOURNEY, MAIN, MAKERS, SALES, SCORING, SHOPS, WELCOME, Breaks


@pytest.mark.parametrize(
    ("file", "old", "new", "expected"),
    [
        # YAML itself
        (SCORING, "  fit: {A", "\tfit: {A", f"{SCORING}:5:1  error  a tab: use spaces instead"),
        (MAIN, "brake:", "break:", f'{MAIN}:79:1  error  "break" is not known here. Did you mean brake?'),
        # Words of conditions
        (
            SCORING,
            "event: page_viewed, points: 1",
            "event: page_veiwed, points: 1",
            f'{SCORING}:61:49  error  event "page_veiwed" is not known. Did you mean page_viewed?',
        ),
        (
            SCORING,
            "{field: country,",
            "{field: contry,",
            f'{SCORING}:15:80  error  field "contry" is not known. Did you mean country?',
        ),
        (
            SCORING,
            "{field: employees, at_most: 2}",
            "{field: employees, atmost: 2}",
            f'{SCORING}:17:79  error  operator "atmost" is not known. Did you mean at_most?',
        ),
        (
            MAKERS,
            "is: manufacturing",
            "is: mannufacturing",
            f'{MAKERS}:14:29  error  "mannufacturing" is not a choice of industry. '
            "One of: retail, manufacturing, professional_services, public, other",
        ),
        # Circles, and looking ahead
        (
            SHOPS,
            "    - {field: industry, is: retail}",
            "    - {segment: online-shops}",
            f"{SHOPS}:13:7  error  these segments go in a circle: online-shops → online-shops",
        ),
        (
            SCORING,
            "{field: employees, at_most: 2}",
            "{field: stage, is: decision}",
            f"{SCORING}:17:60  error  stage looks ahead: it is not known yet where fit rules are judged. "
            "They may use attributes, events, consent",
        ),
        # Scores
        (
            SCORING,
            "event: email_replied",
            "event: email_opened",
            f"{SCORING}:71:41  error  opens cannot score: machines open mails too, and opens are not tracked",
        ),
        (SCORING, "points: 6,", "points: 1.5,", f'{SCORING}:65:76  error  expected a whole number, got "1.5"'),
        (SCORING, "points: 6,", "points: 101,", f"{SCORING}:65:76  error  101 is too big: 100 at most"),
        (
            SCORING,
            "half_life: 60 days",
            "half_life: 12 hours",
            f"{SCORING}:65:90  error  a half-life is a whole number of hours, 24 hours at least",
        ),
        (
            SCORING,
            "group: mail, event: email_replied",
            "group: mial, event: email_replied",
            f'{SCORING}:71:28  error  group "mial" is not declared under groups. Did you mean mail?',
        ),
        (SCORING, "B: 50", "B: 80", f"{SCORING}:5:19  error  band B must begin below band A"),
        (
            SCORING,
            "name: reply",
            "name: webinar",
            f'{SCORING}:71:14  error  the name "webinar" is taken; the first is on line 67',
        ),
        # Journey and sales
        (
            JOURNEY,
            "ask: budget",
            "ask: bugdet",
            f'{JOURNEY}:33:75  error  "bugdet" is not a declared field. Did you mean budget?',
        ),
        (
            SALES,
            "when: {event: [quote_requested, demo_requested, meeting_booked], at_least: 1, within: 24 hours}",
            "when: {event: email_clicked, at_least: 3}",
            f"{SALES}:24:11  error  a click in a mail alone cannot make a lead hot: machines click too. "
            "Ask for another act besides",
        ),
        (SALES, "name: Marc", "name: Inès", f'{SALES}:10:11  error  the name "Inès" is taken; the first is on line 5'),
        (
            SALES,
            "to: account_owner",
            "to: account_ownr",
            f'{SALES}:44:31  error  "account_ownr" is not known here. Did you mean account_owner?',
        ),
        # Sequences
        (
            DISCOVERY,
            "email: welcome",
            "email: welcom",
            f'{DISCOVERY}:14:28  error  no email is called "welcom". Did you mean welcome?',
        ),
        (
            DISCOVERY,
            "goto: last-word",
            "goto: lastword",
            f'{DISCOVERY}:23:28  error  no step is called "lastword". Did you mean last-word?',
        ),
        (
            DISCOVERY,
            "name: wait-2",
            "name: wait-1",
            f'{DISCOVERY}:17:12  error  the name "wait-1" is taken; the first is on line 15',
        ),
        (
            DISCOVERY,
            "then: end",
            "then: welcome",
            f'{DISCOVERY}:24:57  error  step "welcome" does not come later: a sequence only goes forward',
        ),
        (
            DISCOVERY,
            "best_for: discovery",
            "best_for: discvery",
            f'{DISCOVERY}:16:39  error  no stage is called "discvery". Did you mean discovery?',
        ),
        # Emails
        (
            f"{WELCOME}/body.fr.md",
            "Vous nous avez",
            "Et vous, {{ lead.firstname }} ? Vous nous avez",
            f"{WELCOME}/body.fr.md:3:13  error  lead.firstname: did you mean lead.first_name?",
        ),
        (
            f"{WELCOME}/body.en.md",
            "A person reads these.",
            "{% if lead.first_name %}A person",
            f"{WELCOME}/body.en.md:21:1  error  a block is never closed: write {{% endif %}} or {{% endfor %}} "
            "where it ends",
        ),
        (
            f"{WELCOME}/email.yaml",
            'en: "What you',
            'en: "{{ brand.nam }}: what you',
            f"{WELCOME}/email.yaml:8:73  error  brand.nam: did you mean brand.name?",
        ),
        (
            f"{WELCOME}/email.yaml",
            "languages: [fr, en]",
            "languages: [fr, de]",
            f'{WELCOME}/email.yaml:6:19  error  "de" is not known here. One of: fr, en',
        ),
    ],
)
def test_one_mistake_gives_one_located_error(
    faults_after: Breaks, file: str, old: str, new: str, expected: str
) -> None:
    assert faults_after(file, old, new) == [expected]


def test_every_mistake_is_reported_not_the_first(faults_after: Breaks) -> None:
    found = faults_after(
        SCORING,
        "points: 6,",
        "points: 600,",
        (SCORING, "half_life: 45 days, max", "half_life: 45 days, mx"),
        (SALES, "at: once", "at: onec"),
    )

    assert [line.split()[0] for line in found] == [f"{SALES}:25:9", f"{SCORING}:65:76", f"{SCORING}:66:102"]


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (
            JOURNEY,
            "project: {when: {field: project, in: [new_site, redesign, seo, strategy]}, ask: project}",
            "project:",
        ),
        (JOURNEY, "when:", "keep_while:"),
        (SCORING, "  veto:", "  veto:\n    -"),
        (SALES, "hot:", "hot:\n  -"),
        (MAIN, "office: {zone: Europe/Paris, country: FR}", "office:"),
        (DISCOVERY, "steps:", "steps:\n  -"),
        (DISCOVERY, "steps:", "stps:"),
        (SHOPS, "when:", "why:"),
    ],
)
def test_nothing_written_is_never_taken_for_a_condition_that_holds(
    faults_after: Breaks, file: str, old: str, new: str
) -> None:
    found = faults_after(file, old, new)

    assert found
    assert all(line.startswith(f"{file}:") for line in found)
