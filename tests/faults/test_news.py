"""The provider's log is down: what its webhooks tell, in copies, in disorder and late, settles what was in doubt."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from pydantic import SecretStr

from leadflow.app import App
from leadflow.db import make_engine
from leadflow.web.site import create_site
from tests.apps import an_app
from tests.faults.fire import Fire
from tests.faults.outbox import NOTHING, states
from tests.faults.world import wait_for

#: One mail in three is accepted and the answer lost.
LOSSY = {"accepted-reset": 0.15, "half-closed": 0.1, "accepted-error": 0.1}


@contextmanager
def serving(app: App) -> Iterator[str]:
    """The address of the webhook behind a real uvicorn."""
    server = uvicorn.Server(uvicorn.Config(create_site(app), port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started, 20)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}/hooks/sendgrid/a-secret"
    server.should_exit = True
    thread.join()


def test_what_the_provider_tells_by_itself_settles_what_was_in_doubt(fire: Fire) -> None:
    engine = make_engine(fire.url)
    app = an_app(engine)
    with serving(app) as webhook:
        fire.world(mix=LOSSY, seed=2, log_down=True, webhook=webhook, copies=3, delay=0.6)
        app.settings.hook_key = SecretStr("a-secret")
        app.settings.sendgrid_webhook_keys = fire.outside.state["key"]
        ids = fire.plan(60)
        constants = {"leadflow.pipeline.reconcile_news._ALIVE": 1_000_000}
        team = [fire.worker(constants=constants) for _one in range(2)]
        wait_for(lambda: states(fire.engine)["accepted"] > 10, 20)
        fire.strike(team[0])
        # Of a killed worker's mails those that never arrived have no news: without a log they wait, and nobody guesses.
        wait_for(lambda: states(fire.engine)["accepted"] >= len({one.message for one in fire.accepted()}) > 40, 30)
        fire.stop()
    engine.dispose()
    account = fire.account_of(ids)
    arrived = {one.message for one in fire.accepted()}
    assert (account.lost, account.duplicated, account.denied) == ([], [], [])
    assert account.states["accepted"] == len(arrived)
    assert len(account.stuck) == 60 - len(arrived) <= 2 * 8
    fire.outside.change(log_down=False)
    fire.worker()
    assert fire.settle().faults == NOTHING
