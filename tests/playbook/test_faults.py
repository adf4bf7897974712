"""What is wrong in a playbook is said with file, line, column, the word, and the nearest right word."""

from pathlib import Path

import pytest

from leadflow.errors import Severity
from leadflow.playbook.load import check_playbook
from tests.playbook.conftest import Breaks, change

SCORING = "config/scoring.yaml"
JOURNEY = "config/journey.yaml"
SALES = "config/sales.yaml"
MAIN = "config/leadflow.yaml"
DISCOVERY = "config/sequences/discovery.yaml"
SHOPS = "segments/online-shops.yaml"
MAKERS = "segments/manufacturers.yaml"
WELCOME = "templates/emails/welcome"


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


def test_a_circle_of_segments_is_printed_whole(faults_after: Breaks) -> None:
    (found,) = faults_after(
        SHOPS,
        "- {field: industry, is: retail}",
        "- {segment: manufacturers}",
        (MAKERS, "- {field: industry, is: manufacturing}", "- {segment: online-shops}"),
    )

    assert "manufacturers → online-shops → manufacturers" in found


def test_a_segment_of_given_facts_may_be_used_before_segments_are_known(faults_after: Breaks) -> None:
    assert faults_after(SCORING, "{field: employees, at_most: 2}", "{segment: online-shops}") == []


def test_a_segment_that_needs_the_journey_may_not_and_the_reason_is_printed(faults_after: Breaks) -> None:
    (found,) = faults_after(
        SCORING,
        "{field: employees, at_most: 2}",
        "{segment: online-shops}",
        (
            SHOPS,
            "- {field: industry, is: retail}",
            "- {field: industry, is: retail}\n    - {field: stage, known: true}",
        ),
    )

    assert found.startswith(f'{SCORING}:17:60  error  segment "online-shops" looks ahead: it uses stage ({SHOPS}:14:7)')


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("- {industry: retail}\n", "- {industry: retail, cms: shopify}\n", "should not match the segment and does"),
        ("{industry: retail, cms: prestashop}", "{industry: retail}", "should match the segment and does not"),
        ("times: 2, ago: 9 days", "times: 1, ago: 9 days", "should match the segment and does not"),
        ("ago: 9 days", "ago: 90 days", "should match the segment and does not"),
        ("{page_viewed:", "{page_veiwed:", "Did you mean page_viewed?"),
        ("{cms: shopify,", "{cms: shopfy,", "Did you mean shopify?"),
    ],
)
def test_examples_of_a_segment_are_tried(faults_after: Breaks, old: str, new: str, words: str) -> None:
    found = faults_after(SHOPS, old, new)

    assert words in found[0]


def test_a_best_for_that_no_email_answers_is_an_error(workspace: Path) -> None:
    for email in (workspace / "templates/emails").glob("*/email.yaml"):
        email.write_text(email.read_text().replace("stage: [discovery]", "stage: [decision]"))

    _playbook, faults = check_playbook(workspace)

    assert {fault.message for fault in faults} == {
        "no email may be chosen here: none has discovery in its for.stage",
    }


def test_a_missing_body_is_an_error_at_the_list_of_languages(workspace: Path) -> None:
    (workspace / WELCOME / "body.en.md").unlink()

    _playbook, faults = check_playbook(workspace)

    assert [str(fault) for fault in faults] == [
        f"{WELCOME}/email.yaml:6:14  error  there is no {WELCOME}/body.en.md",
    ]


def test_a_step_nobody_comes_to_is_a_warning(workspace: Path) -> None:
    change(workspace / DISCOVERY, "{else: true, goto: last-word}", "{else: true, goto: learn-3}")

    playbook, faults = check_playbook(workspace)

    assert playbook is not None
    assert [(fault.line, fault.severity) for fault in faults] == [(25, Severity.WARNING)]


def test_an_email_that_nobody_can_get_is_a_warning(workspace: Path) -> None:
    change(workspace / DISCOVERY, "email: welcome", "email: {best_for: discovery}")

    playbook, faults = check_playbook(workspace)

    assert playbook is not None
    assert [(fault.file, fault.severity) for fault in faults] == [(f"{WELCOME}/email.yaml", Severity.WARNING)]


def test_a_long_subject_is_a_warning(workspace: Path) -> None:
    change(
        workspace / WELCOME / "email.yaml", "et à quel rythme", "et à quel rythme, semaine après semaine après semaine"
    )

    playbook, faults = check_playbook(workspace)

    assert playbook is not None
    assert "mailboxes cut after 60" in faults[0].message


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a: \x00b\n", b"", b"- x\n", b"a: &b [*b, *b]\n"])
@pytest.mark.parametrize("file", [MAIN, SCORING, JOURNEY, SHOPS, DISCOVERY, f"{WELCOME}/email.yaml"])
def test_a_file_of_rubbish_is_an_error_of_that_file_alone(workspace: Path, file: str, content: bytes) -> None:
    (workspace / file).write_bytes(content)

    playbook, faults = check_playbook(workspace)

    assert playbook is None
    assert {fault.file for fault in faults} == {file}


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("config/scorring.yaml", "Did you mean scoring.yaml?"),
        ("segments/shops.yml", "must end in .yaml"),
        ("templates/emails/welcome/body.fr.mdd", "Did you mean body.fr.md?"),
    ],
)
def test_a_file_nobody_reads_does_not_go_unnoticed(workspace: Path, file: str, words: str) -> None:
    (workspace / file).write_text("a: b\n")

    _playbook, faults = check_playbook(workspace)

    assert [fault.file for fault in faults] == [file]
    assert words in faults[0].message


@pytest.mark.parametrize("path", ["../outside.txt", "/etc/hostname", "lists/none.txt"])
def test_a_list_is_read_inside_the_workspace_only(faults_after: Breaks, path: str) -> None:
    (found,) = faults_after(MAIN, "lists/competitors.txt", path)

    assert found.startswith(f"{MAIN}:64:62  error  {path}")
