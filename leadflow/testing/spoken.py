"""What `why` says of somebody in a world, in a language: line by line, whole or only the first block."""

from leadflow.app import why
from leadflow.testing.world import World
from leadflow.text import speaking


def spoken(world: World, who: str, language: str, *, brief: bool) -> tuple[str, ...]:
    """Ask now, in `language`; everything else goes on in the language it was."""
    with speaking(language):
        return _spoken(world, who, brief=brief)


def _spoken(world: World, who: str, *, brief: bool) -> tuple[str, ...]:
    # Languages share the night that is tried: it is the same rows.
    key = (who, world.now)
    asked = f"L-{world.people[who]}"
    found = why(world.app, asked, None, now=world.now, brief=brief, tried=world.tried.get(key))
    if found.would is not None:
        world.tried[key] = found.would
    if not brief:
        sections = (found.heading, *found.scores, *found.sections, found.next_section)
        return tuple(line for section in sections for line in (section.title, *section.lines))
    if found.block is not None:
        return found.block.lines(found.then)
    going = found.following.going if found.following else None
    return (going,) if going else ()
