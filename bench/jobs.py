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
    save: Callable[[dict[str, Any]], object] = lambda report: None,
    before: dict[str, Any] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> dict[str, Any]:
    """Run jobs until the budget is used up or somebody interrupts, and tell what was not done.

    A job that has begun is not cut short. One that raises is reported with its traceback. After
    each the report so far is handed to `save`. What is done in the report `before` is not done
    again; what failed or was skipped there is.
    """
    start = clock()
    report: dict[str, Any] = {"sections": {}, "done": [], "skipped": [], "failed": []}
    spent = 0.0
    if before is not None:
        report |= {key: before[key] for key in ("sections", "done")}
        spent = before["seconds"]
    stopped = None
    for job in jobs:
        if str(job) in report["done"]:
            continue
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
            report["done"].append(str(job))
        except KeyboardInterrupt:
            stopped = "interrupted"
            report["skipped"].append({"job": str(job), "reason": stopped})
        except Exception as error:
            progress(f"failed    {job}: {type(error).__name__}: {error}")
            report["failed"].append({"job": str(job), "error": traceback.format_exc()})
        report["seconds"] = spent + clock() - start
        save(report)
    return {**report, "seconds": spent + clock() - start}
