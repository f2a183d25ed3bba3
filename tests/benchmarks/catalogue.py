"""How fast the catalogue answers with 5,000 procedures, 126 wards and 10 years of history.

    python -m tests.benchmarks.catalogue
    python -m tests.benchmarks.catalogue --procedures 500

On SQLite, and on PostgreSQL where TEST_POSTGRES_URL (or this machine) has one. All data is made up
(tests/catalogue/volume.py). Seconds are those of a clock, waiting for other processes included, except for single
look-ups, which are too short to be told from a pause: there it is the processor's time. Exits with 1 where a limit
is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import TypeVar

import sqlalchemy as sa

from bot.catalogue import check, database, report, store
from tests.catalogue import volume

RESOLVE_LIMIT, REPORT_LIMIT = 0.001, 10.0
"""Seconds, as the project promises."""
SAMPLES = 20_000
T = TypeVar("T")


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--procedures", type=int, default=5_000)
    size = volume.Size(procedures=options.parse_args().procedures)
    print(f"{size.procedures} procedures × {size.units} units × {size.years} years, all made up")
    return max([measure(name, engine, size) for name, engine in engines()], default=1)


def engines() -> Iterator[tuple[str, sa.engine.Engine]]:
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", database.connect(f"sqlite:///{Path(folder) / 'volume.sqlite'}")
    url = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@localhost/postgres")
    try:
        with scratch(url) as engine:
            yield "PostgreSQL", engine
    except sa.exc.OperationalError as error:
        print(f"PostgreSQL: not measured ({str(error.orig).splitlines()[0]})")


@contextmanager
def scratch(url: str) -> Iterator[sa.engine.Engine]:
    """A database of its own on a PostgreSQL server, dropped afterwards."""
    name = f"motcua_bench_{uuid.uuid4().hex[:8]}"
    server = sa.create_engine(url, isolation_level="AUTOCOMMIT", future=True)
    with server.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine = database.connect(sa.engine.make_url(url).set(database=name).render_as_string(hide_password=False))
    try:
        yield engine
    finally:
        engine.dispose()
        with server.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name}"))
        server.dispose()


def measure(name: str, engine: sa.engine.Engine, size: volume.Size) -> int:
    rows, took = timed(lambda: volume.fill(engine, size))
    print(f"{name}: {rows} rows written in {took:.1f} s")
    catalogue, loading = timed(lambda: store.load(engine))
    day = date(size.last_year, 6, 1)
    _, building = timed(lambda: report.build(catalogue, day))
    with tempfile.TemporaryDirectory() as folder:
        _, writing = timed(lambda: report.write_csv(report.build(catalogue, day), Path(folder)))
    _, checking = timed(lambda: check.check(catalogue, day))
    each = sorted(resolve_times(catalogue, size))
    middle, late = quantiles(each, n=100)[49], quantiles(each, n=100)[98]
    print(
        f"  resolve: median {middle * 1e6:.0f} µs, 99th percentile {late * 1e6:.0f} µs, slowest {each[-1] * 1e6:.0f} µs"
    )
    print(f"  report: {loading:.1f} s to read the catalogue + {building:.1f} s to count = {loading + building:.1f} s")
    print(f"  report as CSV files, catalogue in memory: {writing:.1f} s; nightly check: {checking:.1f} s")
    missed = late > RESOLVE_LIMIT or loading + building > REPORT_LIMIT
    print(f"  {'MISSED' if missed else 'within'} the limits of 1 ms and 10 s")
    return int(missed)


def resolve_times(catalogue: store.Catalogue, size: volume.Size) -> Iterator[float]:
    """Seconds that single look-ups take: any procedure, any ward, any day of the history."""
    random, first = Random(1), date(size.last_year - size.years + 1, 1, 1).toordinal()
    codes, units = list(catalogue.procedures), [*catalogue.places.units]
    for _ in range(SAMPLES):
        code, unit = random.choice(codes), random.choice(units)
        day = date.fromordinal(first + random.randrange(size.years * 365))
        start = time.thread_time()
        catalogue.competence(code, unit, day)
        yield time.thread_time() - start


def timed(work: Callable[[], T]) -> tuple[T, float]:
    start = time.perf_counter()
    return work(), time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(main())
