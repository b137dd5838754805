"""Runs many sends at once: small files side by side, large ones one at a time beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from wizard.context import Cancel
from wizard.storages.base import Outcome, Upload

THREADS = 32


def run_pipeline(
    uploads: Iterable[Upload],
    small: Callable[[Upload], Outcome],
    large: Callable[[Upload], Outcome],
    is_large: Callable[[Upload], bool],
    cancel: Cancel,
) -> Iterator[Outcome]:
    """Outcomes in the order they end.

    On a stop or the first error nothing new begins; what is under way ends and is yielded, so that it
    can be recorded; then the error, or Stopped, is raised.
    """
    running: set[Future[Outcome]] = set()
    biggest: Future[Outcome] | None = None
    failed: BaseException | None = None

    def ended(done: Iterable[Future[Outcome]]) -> Iterator[Outcome]:
        nonlocal failed
        for future in done:
            error = future.exception()
            if error is None:
                yield future.result()
            else:
                failed = failed or error

    with ThreadPoolExecutor(THREADS, thread_name_prefix="send") as pool:
        for upload in uploads:
            if failed is not None or cancel.asked():
                break
            if is_large(upload):
                if biggest is not None:
                    wait([biggest])
                biggest = pool.submit(large, upload)
                running.add(biggest)
            else:
                running.add(pool.submit(small, upload))
            if len(running) >= 2 * THREADS:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from ended(done)
            elif biggest is not None and biggest.done():
                done, running = {f for f in running if f.done()}, {f for f in running if not f.done()}
                yield from ended(done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from ended(done)
    if failed is not None:
        raise failed
    cancel.check()
