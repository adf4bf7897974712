"""Judges clicks by named rules: a person, a machine that opens links for its owner, or nobody can tell.

Rules look at the signs of a visit (`click_signs`) and at the record of the network it came from. A judgement carries
the rule's name and `VERSION`; hits are kept with their signs, so that later evidence, or a better rule, judges them
again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntFlag, auto

from leadflow.intake.click_signs import Sign
from leadflow.types import Click

#: Grows with every change of a sign or a rule.
VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Who made a visit, and the rule that says so."""

    click: Click
    rule: str

    @property
    def classified_by(self) -> str:
        """`no-time-to-read/2`: what an event keeps."""
        return f"{self.rule}/{VERSION}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a network has shown over all mails whose links it asked for."""

    #: Mails it asked for any link of, and whose they were.
    mails: int = 0
    recipients: int = 0
    #: … of which within a minute or two of their arrival.
    soon: int = 0
    #: … of which their hidden link.
    hidden: int = 0
    #: … of which many links one soon after the other.
    quickly: int = 0
    #: Other networks that asked for the same link within seconds.
    echoes: int = 0
    #: The most echoes that one of these networks has.
    rivals: int = 0


class Standing(IntFlag):
    """What the record of a network comes to; kept as a number, so a new one takes the next bit."""

    #: Within a minute or two of the arrival in half of its mails or more.
    ON_THE_SPOT = auto()
    #: Follows links that nobody sees.
    HIDDEN_LINKS = auto()
    #: Goes from link to link in half of its mails or more.
    READS_ALL = auto()
    #: Comes after more networks than any of these does.
    FOLLOWS = auto()


#: Of a network that has shown nothing.
UNKNOWN = Standing(0)
#: A network is known by no fewer readers, or networks it follows.
_MANY = 3


def standing_of(record: Record) -> Standing:
    """What `record` says of its network."""
    is_known = record.recipients >= _MANY
    met = {
        Standing.ON_THE_SPOT: is_known and 2 * record.soon >= record.mails,
        Standing.HIDDEN_LINKS: record.hidden >= 2 and 5 * record.hidden >= record.mails,
        Standing.READS_ALL: is_known and 2 * record.quickly >= record.mails,
        Standing.FOLLOWS: record.echoes >= _MANY and record.echoes > record.rivals,
    }
    return Standing(sum(standing for standing, holds in met.items() if holds))


def _any(sign: Sign) -> Callable[[Sign, Standing], bool]:
    return lambda signs, _standing: bool(signs & sign)


def _from(standing: Standing, sign: Sign | None = None) -> Callable[[Sign, Standing], bool]:
    return lambda signs, known: bool(known & standing) and (sign is None or bool(signs & sign))


def _rented(signs: Sign, _standing: Standing) -> bool:
    return bool(signs & Sign.HOSTING and signs & _STRANGE)


#: What a person who works behind a cloud's exit does not do.
_STRANGE = Sign.SOON | Sign.SPREAD | Sign.SHADOW | Sign.ODD | Sign.NAMELESS | Sign.OUTDATED

#: The first rule that holds judges; no rule: a person.
RULES: Sequence[tuple[str, Click, Callable[[Sign, Standing], bool]]] = (
    ("head-request", Click.MACHINE, _any(Sign.HEAD)),
    ("fetched-ahead", Click.MACHINE, _any(Sign.AHEAD)),
    ("hidden-link", Click.MACHINE, _any(Sign.HIDDEN)),
    ("scanner-agent", Click.MACHINE, _any(Sign.SCANNER)),
    ("many-links-at-once", Click.MACHINE, _any(Sign.AT_ONCE)),
    ("links-in-turn", Click.MACHINE, _any(Sign.IN_TURN)),
    ("no-time-to-read", Click.MACHINE, _any(Sign.AT_ARRIVAL)),
    ("rented-machine", Click.MACHINE, _rented),
    ("network-on-the-spot", Click.MACHINE, _from(Standing.ON_THE_SPOT)),
    ("network-of-hidden-links", Click.MACHINE, _from(Standing.HIDDEN_LINKS)),
    ("network-that-reads-all", Click.MACHINE, _from(Standing.READS_ALL, Sign.QUICKLY | Sign.TWO_AT_ONCE)),
    ("network-that-follows", Click.MACHINE, _from(Standing.FOLLOWS, Sign.ECHO)),
    ("hardly-time-to-read", Click.UNKNOWN, _any(Sign.HARDLY_READ)),
    ("no-agent", Click.UNKNOWN, _any(Sign.NAMELESS)),
    ("odd-agent", Click.UNKNOWN, _any(Sign.ODD | Sign.OUTDATED)),
    ("two-links-at-once", Click.UNKNOWN, _any(Sign.TWO_AT_ONCE)),
    ("from-hosting", Click.UNKNOWN, _any(Sign.HOSTING)),
)
PERSON = Judgement(click=Click.HUMAN, rule="person")


def judge(signs: Sign, standing: Standing = UNKNOWN) -> Judgement:
    """Who made a visit with these `signs`, from a network of this `standing`."""
    for name, click, holds in RULES:
        if holds(signs, standing):
            return Judgement(click=click, rule=name)
    return PERSON
