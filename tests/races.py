"""Races with real threads, connections and commits."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

from core.db import current_schema, transaction
from tenants import context


def race(*acts: Callable[[], Any]) -> list[Any]:
    """Start all acts at once, each in a thread and transaction of its own; return what each gave or raised."""
    schema = current_schema()
    barrier = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(place: int, act: Callable[[], Any]) -> None:
        try:
            with context.in_tenant(schema):
                barrier.wait(timeout=10)
                with transaction():
                    results[place] = act()
        except Exception as error:
            results[place] = error
        finally:
            connections.close_all()

    threads: Sequence[threading.Thread] = [
        threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return results


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Start all acts at once, each on a connection of its own, with its own transactions; return what they gave."""
    schema = current_schema()
    barrier = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            with context.in_tenant(schema):
                barrier.wait(timeout=30)
                return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))
