"""Stages: what each optimiser of a training did, and how they add up to a reason to stop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

ALL_DONE = "all epochs done"
STILL_RUNNING = "still running"
INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Stage:
    """One optimiser's part in a training.

    The defaults are what a checkpoint without the figure stands for.

    Attributes
    ----------
    optimizer : str
        Its class.
    epochs : int
        Its steps.
    iterations : int or None
        Where the optimiser counts them.
    evaluations : int
        Losses with their gradients.
    seconds : float
        Of training.
    stop_reason : str
    """

    optimizer: str
    epochs: int
    iterations: int | None = None
    evaluations: int = 0
    seconds: float = 0.0
    stop_reason: str = STILL_RUNNING


def whole_reason(stages: Sequence[Stage], planned: int) -> str:
    """Return why a run of some stages ended, with what the last one's reason alone would hide.

    Parameters
    ----------
    stages : sequence of Stage
        Those that were begun.
    planned : int
        How many there should have been.

    Examples
    --------
    >>> adam = Stage("Adam", 90, None, 90, 1.0, "time is up: 1.0 s of training")
    >>> lbfgs = Stage("LBFGS", 10, 200, 210, 2.0, ALL_DONE)
    >>> whole_reason([lbfgs], 1), whole_reason([lbfgs, lbfgs], 2)
    ('all epochs done', 'all epochs done')
    >>> whole_reason([adam, lbfgs], 2)
    'all epochs done; before that, stage 1 (Adam): time is up: 1.0 s of training'
    >>> whole_reason([adam], 2)
    'time is up: 1.0 s of training, in stage 1 of 2 (Adam)'
    """
    *before, last = stages
    where = "" if len(stages) == planned else f", in stage {len(stages)} of {planned}"
    where += f" ({last.optimizer})" if where else ""
    early = [
        f"stage {number} ({stage.optimizer}): {stage.stop_reason}"
        for number, stage in enumerate(before, start=1)
        if stage.stop_reason != ALL_DONE
    ]
    return "; before that, ".join([last.stop_reason + where, *early])
