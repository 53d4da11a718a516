"""Plans: the stages of a training as they were asked for, checked before it starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dtpinn.optim.by_name import OptimizerLike
from dtpinn.training.optimizer_choice import check_optimizer


@dataclass(frozen=True)
class PlannedStage:
    """One stage as it was asked for."""

    optimizer: OptimizerLike
    epochs: int
    max_seconds: float | None = None


def plan_stages(
    optimizer: OptimizerLike | Sequence[OptimizerLike],
    epochs: int | Sequence[int],
    max_seconds: float | Sequence[float | None] | None,
    parameters: dict[str, Tensor],
) -> tuple[list[PlannedStage], float | None]:
    """Return the stages of a run, and the limit of its whole training time.

    Parameters
    ----------
    optimizer : name, optimiser or factory, or a sequence of them
        One for each stage.
    epochs : int or sequence of int
        Of every stage, or one number for each.
    max_seconds : float, optional, or a sequence with an entry for each stage
        A single number limits the whole run.
    parameters : dict of str to Tensor
        What is to be trained, by name.

    Raises
    ------
    TypeError, ValueError
        For an optimiser that cannot be, a number that makes no sense, or sequences of different
        lengths.

    Examples
    --------
    >>> plan_stages(["lbfgs", "lbfgs"], 10, [None, 60.0], {})[0][1]
    PlannedStage(optimizer='lbfgs', epochs=10, max_seconds=60.0)
    """
    optimizers: list[Any] = list(optimizer) if isinstance(optimizer, (list, tuple)) else [optimizer]
    if not optimizers:
        raise ValueError("fit: optimizer is an empty sequence; name one for each stage")
    for one in optimizers:
        check_optimizer(one, parameters)
    counts = _each(epochs, "epochs", len(optimizers))
    for count in counts:
        check_count("epochs", count)
    limits = _each(max_seconds, "max_seconds", len(optimizers))
    for seconds in limits:
        _check_seconds(seconds)
    plans = zip(optimizers, counts, limits, strict=True)
    if isinstance(max_seconds, (list, tuple)):
        return [PlannedStage(*stage) for stage in plans], None
    return [PlannedStage(one, count) for one, count, _ in plans], limits[0]


def check_count(name: str, count: Any) -> None:
    """Raise ValueError unless an argument of fit is a whole number of at least one."""
    if not isinstance(count, int) or count < 1:
        raise ValueError(f"fit: {name} must be an integer of at least 1, got {count!r}")


def _each(value: Any, name: str, stages: int) -> list[Any]:
    """One entry for each stage, of a sequence of them or of one value for all."""
    if not isinstance(value, (list, tuple)):
        return [value] * stages
    if len(value) != stages:
        raise ValueError(
            f"fit: {name} has {len(value)} entries for {stages} stage(s); give one number, or one "
            "for each optimizer"
        )
    return list(value)


def _check_seconds(seconds: Any) -> None:
    if seconds is None:
        return
    # not >=: false for NaN, which no time would ever reach
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not seconds >= 0:
        raise ValueError(f"fit: max_seconds must be a number of at least 0, got {seconds!r}")
