"""The corpus stays as it was drawn before any rule was tuned: rules are fitted to it, never it to the rules."""

import hashlib
from collections import Counter
from pathlib import Path

from tests.bots.corpus import draw
from tests.bots.world import Actor

FROZEN = "2b700db5b13967092c8e603d03237088474c38de9ddf1080bf861abac34b9e68"
_FILES = ("world.py", "places.py", "people.py", "scanners.py", "bystanders.py", "corpus.py")


def test_the_simulator_is_the_one_that_was_frozen() -> None:
    """Whoever changes it tunes the rules anew, on seeds of which no test asks."""
    text = b"".join((Path(__file__).parent / name).read_bytes() for name in _FILES)
    assert hashlib.sha256(text).hexdigest() == FROZEN


def test_a_world_holds_over_a_thousand_sessions_of_everybody() -> None:
    corpus = draw(1)
    seen = Counter(session.actor for session in corpus.sessions)
    assert len(corpus.sessions) >= 1_000
    assert seen[Actor.PERSON] > 400
    assert all(seen[actor] >= 30 for actor in Actor)


def test_the_same_seed_draws_the_same_world_and_another_one_does_not() -> None:
    assert draw(2) == draw(2)
    assert draw(2) != draw(3)
