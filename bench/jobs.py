"""Jobs of a report, in the order of their value, within a budget of time; none spoils another."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Job:
    """A measurement; its results, mappings of plain data, go into a section of the report."""

    section: str
    label: str
    run: Callable[[], Iterable[dict[str, Any]]]

    def __str__(self) -> str:
        return f"{self.section}: {self.label}"


def run_jobs(
    jobs: Iterable[Job],
    seconds: float,
    progress: Callable[[str], object],
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Run jobs until the budget is used up or somebody interrupts, and tell what was not done.

    A job that has begun is not cut short. One that raises is reported with its traceback.
    """
    start = clock()
    report: dict[str, Any] = {"sections": {}, "skipped": [], "failed": []}
    stopped = None
    for job in jobs:
        if stopped is None and clock() - start >= seconds:
            stopped = f"the budget of {seconds:.0f} s is used up"
        if stopped is not None:
            progress(f"skipped   {job}: {stopped}")
            report["skipped"].append({"job": str(job), "reason": stopped})
            continue
        progress(f"{clock() - start:6.1f} s  {job}")
        try:
            results = list(job.run())
            report["sections"].setdefault(job.section, []).extend(results)
        except KeyboardInterrupt:
            stopped = "interrupted"
            report["skipped"].append({"job": str(job), "reason": stopped})
        except Exception as error:
            progress(f"failed    {job}: {type(error).__name__}: {error}")
            report["failed"].append({"job": str(job), "error": traceback.format_exc()})
    return {**report, "seconds": clock() - start}
