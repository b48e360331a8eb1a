"""Celery's worker and beat as threads of the server's own process."""

import logging
import threading
import time

from celery import Celery
from celery.beat import EmbeddedService
from celery.worker import WorkController, state

log = logging.getLogger(__name__)

CONCURRENCY = 4
START_SECONDS = 60
# A task that is still busy then is given up: its obligation is a row, which the next start finds.
STOP_SECONDS = 8


class EmbeddedCelery:
    """Start once, stop once. The queue lives in memory and dies with the process; the rows do not."""

    def __init__(self, app: Celery) -> None:
        self.app = app
        self.is_ready = threading.Event()
        self.worker: WorkController | None = None
        self.worker_thread = threading.Thread(target=self._work, name="celery-worker", daemon=True)
        self.beat = EmbeddedService(app, thread=True, scheduler_cls=app.conf.beat_scheduler)

    def start(self) -> None:
        """Returns when the worker takes tasks."""
        state.should_stop = state.should_terminate = None
        self.app.finalize()
        self.worker_thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready.wait(0.1):
            # A worker that fell over while it loaded its tasks has said why in the log; do not wait for it.
            if not self.worker_thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("The task worker did not start.")
        self.beat.start()
        self.app.send_task("contactcenter.canary")

    def stop(self) -> bool:
        """Whether everything came to rest in time."""
        deadline = time.monotonic() + STOP_SECONDS
        # The worker's loop looks at this whenever it wakes: at the latest after two seconds, or for a task.
        state.should_stop = 0
        self.app.send_task("contactcenter.canary")
        self.beat.service.stop()
        threads = [thread for thread in (self.worker_thread, self.beat) if thread.is_alive()]
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.1))
        return not any(thread.is_alive() for thread in threads)

    def _work(self) -> None:
        self.app.set_current()
        self.worker = WorkController(
            app=self.app,
            pool_cls="threads",
            concurrency=CONCURRENCY,
            loglevel="WARNING",
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            ready_callback=lambda _consumer: self.is_ready.set(),
        )
        self.worker.start()
