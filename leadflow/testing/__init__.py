"""What a workspace's own tests may use: a world on a clock of its own, and scenarios that march it day by day."""

from leadflow.testing.compare import check
from leadflow.testing.overlay import Changes, lay_over
from leadflow.testing.play import play
from leadflow.testing.sales import MemorySales
from leadflow.testing.scenario import Scenario, ScenarioError, read_scenario
from leadflow.testing.world import World, open_world

__all__ = [
    "Changes",
    "MemorySales",
    "Scenario",
    "ScenarioError",
    "World",
    "check",
    "lay_over",
    "open_world",
    "play",
    "read_scenario",
]
