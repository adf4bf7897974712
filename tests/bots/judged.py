"""Judges a corpus in plain Python, visit by visit: what the statements over tables must say, too."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from leadflow.intake.click_signs import ECHO_WITHIN, Sign, Visit, signs_of
from leadflow.intake.clicks import Judgement, Record, judge, standing_of
from leadflow.intake.networks import network_of
from leadflow.types import micros
from tests.bots.world import Corpus, Mail, Request, Session

_AHEAD = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


class Judged(NamedTuple):
    session: Session
    request: Request
    said: Judgement


class _Seen(NamedTuple):
    session: Session
    request: Request
    visit: Visit
    signs: Sign


@dataclass(slots=True)
class _Shown:
    mails: set[int] = field(default_factory=set)
    recipients: set[int] = field(default_factory=set)
    soon: set[int] = field(default_factory=set)
    hidden: set[int] = field(default_factory=set)
    quickly: set[int] = field(default_factory=set)
    beside: set[str] = field(default_factory=set)


def is_ahead(request: Request) -> bool:
    return any(name in request.headers for name in _AHEAD)


def judged(corpus: Corpus) -> Iterator[Judged]:
    """Every request of `corpus` with what the rules say of it, once all of them are known."""
    seen = list(_seen(corpus))
    records = _records(seen, {mail.id: mail for mail in corpus.mails})
    for one in seen:
        record = records[one.visit.network or ""]
        yield Judged(one.session, one.request, judge(one.signs, standing_of(record)))


def _seen(corpus: Corpus) -> Iterator[_Seen]:
    mails = {mail.id: mail for mail in corpus.mails}
    by_mail: defaultdict[int, list[tuple[Session, Request]]] = defaultdict(list)
    for session in corpus.sessions:
        for request in session.requests:
            by_mail[request.mail].append((session, request))
    for id, pairs in by_mail.items():
        mail = mails[id]
        visits = [_visit(request, mail) for _session, request in pairs]
        signs = signs_of(visits, mail.delivered_at or mail.sent_at)
        yield from (_Seen(*pair, visit, sign) for pair, visit, sign in zip(pairs, visits, signs, strict=True))


def _visit(request: Request, mail: Mail) -> Visit:
    return Visit(
        link=request.link,
        at=request.at,
        method=request.method,
        user_agent=request.agent or None,
        network=network_of(request.ip),
        ahead=is_ahead(request),
        hidden=request.link == mail.hidden,
    )


def _records(seen: list[_Seen], mails: Mapping[int, Mail]) -> Mapping[str, Record]:
    shown: defaultdict[str, _Shown] = defaultdict(_Shown)
    by_link: defaultdict[tuple[int, str], list[Visit]] = defaultdict(list)
    for one in seen:
        network, mail = shown[one.visit.network or ""], one.request.mail
        network.mails.add(mail)
        network.recipients.add(mails[mail].recipient)
        for sign, kept in (
            (Sign.SOON, network.soon),
            (Sign.HIDDEN, network.hidden),
            (Sign.QUICKLY | Sign.IN_TURN, network.quickly),
        ):
            if one.signs & sign:
                kept.add(mail)
        by_link[mail, one.visit.link].append(one.visit)
    for visits in by_link.values():
        for one_visit in visits:
            for other in visits:
                if _stand_beside(one_visit, other):
                    shown[one_visit.network or ""].beside.add(other.network or "")
    return {name: _record(network, shown) for name, network in shown.items()}


def _stand_beside(one: Visit, other: Visit) -> bool:
    return one.network != other.network and abs(micros(one.at) - micros(other.at)) <= ECHO_WITHIN


def _record(network: _Shown, shown: Mapping[str, _Shown]) -> Record:
    return Record(
        mails=len(network.mails),
        recipients=len(network.recipients),
        soon=len(network.soon),
        hidden=len(network.hidden),
        quickly=len(network.quickly),
        echoes=len(network.beside),
        rivals=max((len(shown[name].beside) for name in network.beside), default=0),
    )
