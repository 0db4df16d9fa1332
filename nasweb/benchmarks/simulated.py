"""Simulated workers, which do everything except scoring: they lease, wait a fixed time, and record.

Each worker is a coroutine. The product's own services do its database work in a few threads, so that hundreds of
workers fit into one process.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from math import ceil
from typing import Any

from django.conf import settings

from engine.estimate import Estimate
from nasweb.benchmarks import throughput
from nasweb.benchmarks.house import House
from nasweb.celery import app
from searches.models import Evaluation, Search, Worker
from searches.services import recording, scoring
from searches.services.heartbeat import Heartbeat

THREADS = 4
QUEUE = "score"
MOST_A_ROUND = 1_024


class Pulse(Heartbeat):
    """A worker's heartbeat that its coroutine beats, instead of a thread."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.name = f"{self.name}:simulated:{number}"

    def start(self) -> None:
        """Do nothing, because there is no thread."""


class Crew:
    """A number of workers that take ``seconds`` for each network."""

    def __init__(self, count: int, seconds: float) -> None:
        self.pulses = [Pulse(number) for number in range(count)]
        self.seconds = seconds
        self.over = threading.Event()
        self._threads = ThreadPoolExecutor(THREADS)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Run the workers inside the block: the product knows them, and they take tasks from the broker."""
        for pulse in self.pulses:
            pulse.beat()
        thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        thread.start()
        try:
            yield
        finally:
            self.over.set()
            thread.join()
            self._threads.shutdown()
            Worker.objects.filter(name__in=[pulse.name for pulse in self.pulses]).delete()

    async def _run(self) -> None:
        tasks: asyncio.Queue[list[Any]] = asyncio.Queue()
        workers = [asyncio.create_task(self._work(tasks, pulse)) for pulse in self.pulses]
        await asyncio.to_thread(self._receive, tasks, asyncio.get_running_loop())
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _receive(self, tasks: asyncio.Queue[list[Any]], loop: asyncio.AbstractEventLoop) -> None:
        """Forward the broker's messages for workers."""

        def hand_on(payload: Any, message: Any) -> None:
            message.ack()
            arguments, *_ = payload
            loop.call_soon_threadsafe(tasks.put_nowait, arguments)

        with app.connection_for_read() as connection, connection.Consumer(app.amqp.queues[QUEUE], callbacks=[hand_on]):
            while not self.over.is_set():
                with suppress(TimeoutError):
                    connection.drain_events(timeout=0.2)

    async def _work(self, tasks: asyncio.Queue[list[Any]], pulse: Pulse) -> None:
        while True:
            evaluation_ids, search_id = await tasks.get()
            for pk in evaluation_ids:
                search = await self._do(Search.objects.filter(pk=search_id, status=Search.Status.RUNNING).first)
                leased = search and await self._do(partial(scoring.lease, pk))
                if leased:
                    with ExitStack() as stack:
                        await self._do(partial(stack.enter_context, pulse.holding([leased], search)))
                        await self._wait(pulse)
                        estimate = Estimate(made_up(leased), seconds=self.seconds, device="simulated")
                        await self._do(partial(recording.record, leased.pk, leased.attempts, estimate))

    async def _wait(self, pulse: Pulse) -> None:
        """Wait as long as a score takes, and renew the lease as often as a worker's thread does."""
        end = time.monotonic() + self.seconds
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, settings.NASWEB_LEASE_SECONDS / 3))
            if end - time.monotonic() > 0:
                await self._do(pulse.beat)

    async def _do(self, work: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


def made_up(evaluation: Evaluation) -> float:
    """Return a score that depends only on the network."""
    return float(sum((i + 2) * choice % 7 for i, choice in enumerate(evaluation.choices)))


def measure(count: int, seconds: float, a_worker: int) -> dict[str, Any]:
    """Return the seconds of a search with ``a_worker`` networks per worker, and two lower bounds.

    ``ideal`` is the time if no worker ever waits. ``by_rounds`` is the time with the same rounds, each of which must
    end before the next is proposed.
    """
    candidates = a_worker * count
    round_size = min(2 * count, MOST_A_ROUND)
    with House() as house, Crew(count, seconds).working():
        house.work(1, queues="advance")
        house.timed(
            throughput.config(count, round_size, **throughput.DISPATCHED)
        )  # warm-up: the process imports its modules
        took, sizes = house.timed(throughput.config(candidates, round_size, **throughput.DISPATCHED))
    return {
        "candidates": candidates, "round_size": round_size, "rounds": sizes, "seconds": round(took, 2),
        "ideal": a_worker * seconds, "by_rounds": sum(ceil(size / count) for size in sizes) * seconds,
    }  # fmt: skip
