"""Variants: the share of those who get one is the share that was asked for, and nobody changes from one to another."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import BigInteger, Column, Engine, MetaData, Table, insert, literal, select

from leadflow.email.catalog import Email, Variant
from leadflow.email.variants import MODULUS, shares_of, variant_for
from leadflow.intake.people import seeds_of
from leadflow.pipeline.nurture_variants import variant_of
from tests.build import playbook

SEEDS = list(seeds_of(range(1, 10_001), "a workspace"))
NAMES = st.text("abcdefghij-", min_size=1, max_size=12)


def email(name: str, shares: dict[str, int]) -> Email:
    drawn = tuple(Variant(name=one, share=share, subject={"en": one}) for one, share in shares.items())
    return Email(name=name, subject={"en": name}, bodies={"en": "-"}, kinds={"en": "md"}, variants=drawn)


@st.composite
def emails(draw: st.DrawFn) -> Email:
    """One with up to three variants and, now and then, nothing left for the original."""
    cuts = sorted(draw(st.sets(st.integers(1, 100), min_size=1, max_size=3)))
    names = draw(st.lists(NAMES, min_size=len(cuts), max_size=len(cuts), unique=True))
    shares = [after - before for before, after in pairwise([0, *cuts])]
    return email(draw(NAMES), dict(zip(names, shares, strict=True)))


@given(emails())
def test_ten_thousand_readers_fall_into_the_shares(mail: Email) -> None:
    drawn = [variant_for(mail, seed) for seed in SEEDS]
    for name, share in shares_of(mail).items():
        assert abs(drawn.count(name) / 100 - share) <= 1.5


@given(st.integers(1, 80), st.integers(1, 20))
def test_a_share_that_grows_takes_nobody_from_the_variant(share: int, more: int) -> None:
    before, after = email("a", {"b": share}), email("a", {"b": share + more})
    kept = [seed for seed in SEEDS[:2000] if variant_for(before, seed) == "b"]
    assert {variant_for(after, seed) for seed in kept} <= {"b"}


def test_two_emails_draw_independently() -> None:
    one, other = (email(name, {"b": 50}) for name in ("one", "other"))
    both = sum(variant_for(one, seed) == variant_for(other, seed) for seed in SEEDS)
    assert 4_700 <= both <= 5_300


def test_both_databases_draw_what_python_draws(engine: Engine) -> None:
    mails = [email("plain", {}), email("half", {"b": 50}), email("three", {"b": 20, "c": 30, "d": 50})]
    seeds = [1, MODULUS - 1, *SEEDS[:3000]]
    table = Table("seeds", MetaData(), Column("seed", BigInteger), prefixes=["TEMPORARY"])
    book = playbook(emails={mail.name: mail for mail in mails})
    with engine.begin() as connection:
        table.create(connection)
        connection.execute(insert(table), [{"seed": seed} for seed in seeds])
        for mail in mails:
            drawn = select(table.c.seed, variant_of(book, literal(mail.name), table.c.seed))
            found = {row[0]: row[1] or "" for row in connection.execute(drawn)}
            assert found == {seed: variant_for(mail, seed) for seed in seeds}
        table.drop(connection)


def test_what_a_variant_does_not_say_is_as_in_the_original() -> None:
    texts = {"en": "by hand"}
    one = Variant(name="b", share=10, subject={"en": "B"}, bodies={"fr": "<p>B</p>"}, kinds={"fr": "html"})
    mail = Email(
        name="a",
        subject={"en": "A", "fr": "A"},
        bodies={"en": "a", "fr": "a"},
        kinds={"en": "md", "fr": "md"},
        texts=texts | {"fr": "à la main"},
        variants=(one,),
    )
    drawn = mail.as_variant("b")
    assert (drawn.subject, drawn.bodies) == ({"en": "B", "fr": "A"}, {"en": "a", "fr": "<p>B</p>"})
    assert (drawn.body_file("fr"), drawn.body_file("en")) == ("body.b.fr.html", "body.en.md")
    # A text part goes with the body it was written for.
    assert drawn.texts == texts
    assert mail.as_variant("gone") is mail
