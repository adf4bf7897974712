"""What every flow shares: parameters, the opened workspace, the claim of a slot, names, tags, errors in words."""

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import update_wrapper
from pathlib import Path
from typing import Annotated, Any

from prefect import Flow, flow, get_client, runtime
from prefect.client.schemas import State
from prefect.states import Completed
from pydantic import Field

from leadflow.app import App, Claim, draining_at_sigterm, open_app, refresh, run_once, slot_at, waiting_words
from leadflow.errors import LeadflowError, UsageError

Workspace = Annotated[str, Field(description="Folder with config/, segments/ and templates/.")]
At = Annotated[
    str | None,
    Field(description="The instant to decide as of, ISO with zone: simulated workspaces only. Empty: now."),
]
Slot = Annotated[
    str | None,
    Field(description="What job_run keeps of this run; `scheduled` derives it from its time. Empty: a run by hand."),
]

logger = logging.getLogger("leadflow")
# Prefect forwards this logger but leaves its level alone: INFO would be dropped.
logger.setLevel(logging.INFO)

_opened: dict[str, App] = {}
_OURS = {"leadflow", "flows"}


def opened(workspace: str) -> App:
    """The workspace, its database opened once a process, its playbook as the files are now."""
    app = _opened.get(workspace)
    _opened[workspace] = refresh(app) if app else open_app(Path(workspace))
    return _opened[workspace]


def clock(app: App, at: str | None) -> Callable[[], datetime]:
    """What a run reads its instant from: the clock, or `at` where days are simulated."""
    if not at:
        return lambda: datetime.now(UTC)
    if not app.settings.simulated:
        raise UsageError("only a simulated workspace may run as of another instant: leave `at` empty")
    told = datetime.fromisoformat(at)
    if told.tzinfo is None:
        raise UsageError("`at` needs a zone: 2026-03-23T04:15:00+01:00")
    return lambda: told.astimezone(UTC)


def moment(at: str | None) -> datetime:
    """The instant a run stands for in its name and slot: `at`, else when it was due."""
    if at:
        return datetime.fromisoformat(at).astimezone(UTC)
    planned = runtime.flow_run.scheduled_start_time
    return planned if isinstance(planned, datetime) else datetime.now(UTC)


def slot_of(app: App, job: str, slot: str | None, at: str | None) -> str:
    """The slot a run claims; one of its own when somebody started it by hand."""
    if slot == "scheduled":
        return slot_at(app, job, moment(at))
    return slot or f"by hand {runtime.flow_run.id}"


def run_name(job: str) -> str:
    """`deliver 2026-03-23 09:00`, in office time."""
    given = runtime.flow_run.parameters
    return f"{job} {_office_time(given, moment(given.get('at'))):%Y-%m-%d %H:%M}"


def night_name() -> str:
    """`night 2026-03-23 · 7c1e4a`; without the version when the playbook cannot be read: the run then says why."""
    given = runtime.flow_run.parameters
    night = f"night {_office_time(given, moment(given.get('at'))):%Y-%m-%d}"
    try:
        return f"{night} · {opened(given['workspace']).playbook.short}"
    except LeadflowError:
        return night


def _office_time(given: Mapping[str, Any], instant: datetime) -> datetime:
    try:
        return instant.astimezone(opened(given["workspace"]).office)
    except LeadflowError:
        return instant


async def tag(app: App, at: str | None, *more: str) -> None:
    """Tag the present run with its environment and its night, so that one filter shows a day."""
    office = moment(at).astimezone(app.office)
    own = {f"env:{app.settings.env}", f"night:{office:%Y-%m-%d}", *more}
    async with get_client() as client:
        await client.update_flow_run(runtime.flow_run.id, tags=sorted(own | set(runtime.flow_run.tags)))


async def rename(more: str) -> None:
    """Add to the name of the present run what came of it: `deliver 2026-03-23 09:00 · 20 of 20`."""
    async with get_client() as client:
        await client.update_flow_run(runtime.flow_run.id, name=f"{runtime.flow_run.name} · {more}")


@contextmanager
def in_words(act: str) -> Iterator[None]:
    """Let errors of ours through as they are; of any other say the kind and the place, for its text may hold a name.

    A database's complaint quotes the row it refused, and what Prefect stores is seen by everybody who sees the runs.
    """
    try:
        yield
    except LeadflowError:
        raise
    except Exception as error:
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _OURS & {*Path(frame.filename).parts}]
        place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        failure = f"{act}: {type(error).__name__}{place}"
        # Chained, the traceback would quote the very text that is left out here.
        raise LeadflowError(failure) from None


def once(
    app: App, job: str, slot: str, act: Callable[[Claim], Mapping[str, Any]], say: Callable[[Mapping[str, Any]], str]
) -> State[Any]:
    """Claim the slot and act; a run that finds it taken is complete, and says so."""
    with in_words(job):
        result = run_once(app, job=job, slot=slot, act=act)
    if result is None:
        return Completed(message=f"nothing to do: {job} {slot} has run or is running")
    told = say(result)
    logger.info("%s: %s", job, told)
    return ended(told, result)


def ended(told: str, counts: Mapping[str, Any]) -> State[Any]:
    """Complete, under a name of its own while mails that were due wait: that is no failure, and not the end."""
    if waiting := waiting_words(counts):
        return Completed(name="Unfinished", message=f"{told} · {waiting}")
    return Completed(message=told)


#: Does a job's work as of an instant, renewing its claim where it takes long, and counts what it did.
Act = Callable[[App, datetime, Claim], Mapping[str, Any]]


def at_intervals(say: Callable[[Mapping[str, Any]], str], name: str = "") -> Callable[[Act], Flow[..., Any]]:
    """Make an act the flow of its name and docstring; `say` puts its counts into words, `name` into the run's name."""

    def made(act: Act) -> Flow[..., Any]:
        job = act.__name__

        async def run(workspace: Workspace = ".", at: At = None, slot: Slot = None) -> State[Any]:
            app = opened(workspace)
            await tag(app, at)
            done: list[Mapping[str, Any]] = []

            def counted(claim: Claim) -> Mapping[str, Any]:
                done.append(act(app, clock(app, at)(), claim))
                return done[-1]

            with draining_at_sigterm():
                state = once(app, job, slot_of(app, job, slot, at), counted, say)
            if name and done:
                await rename(name.format(**done[0]))
            return state

        update_wrapper(run, act, assigned=("__module__", "__name__", "__qualname__", "__doc__"))
        # Prefect asks for the parameters of what is wrapped, and those are the act's.
        del run.__wrapped__  # type: ignore[attr-defined]
        return flow(name=job, flow_run_name=lambda: run_name(job), persist_result=False)(run)

    return made


def words(counts: Mapping[str, Any]) -> str:
    """`name n` pairs that are not zero, as one readable line."""
    return " · ".join(f"{name} {n}" for name, n in counts.items() if isinstance(n, int) and n)
