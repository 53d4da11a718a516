"""A run in progress: one stage after another on one model, with one history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dtpinn.problem import Problem
from dtpinn.problem.heed_noise import heed_noise
from dtpinn.problem.relative_error import Exact, checked_exact, relative_distance
from dtpinn.training.goal import Goal
from dtpinn.training.history import History, Record
from dtpinn.training.planned_stages import PlannedStage
from dtpinn.training.result import Result
from dtpinn.training.running_stage import RunningStage, time_is_up
from dtpinn.training.stage_figures import STILL_RUNNING, Stage, whole_reason


class Ending(NamedTuple):
    """Why a stage is over.

    Attributes
    ----------
    reason : str
    of_run : bool
        Whether the run is over with it, whatever was planned.
    of_itself : bool
        Whether the training came to it; not where somebody has stopped it, or nothing is left of
        the model.
    """

    reason: str
    of_run: bool
    of_itself: bool = True


class StagedRun:
    """Stages, totals and records of a training; its result is always up to the last record."""

    stage: RunningStage  # from the first begin_stage on

    def __init__(
        self,
        model: nn.Module,
        problem: Problem,
        parameters: dict[str, Tensor],
        plans: Sequence[PlannedStage],
        max_seconds: float | None,
        exact: Exact | None,
        points: Tensor | None,
        details: dict[str, Any] | None,
        goal: Goal | None = None,
    ) -> None:
        self.model, self.problem, self.parameters = model, problem, parameters
        self.plans, self.max_seconds, self.goal = plans, max_seconds, goal
        self.points = problem.points if points is None else points
        self.wanted = None if exact is None else checked_exact(exact(self.points))
        self.finished: list[Stage] = []
        self.history = History()
        self.result = Result(
            model, problem, self.history, STILL_RUNNING, exact=exact, details=details or {}
        )

    @property
    def epoch(self) -> int:
        """Steps so far, of all stages."""
        return self.stage.epochs + sum(stage.epochs for stage in self.finished)

    @property
    def seconds(self) -> float:
        """Training time so far, of all stages."""
        return self.stage.seconds + sum(stage.seconds for stage in self.finished)

    @property
    def has_more_stages(self) -> bool:
        """Whether one is planned after the present one."""
        return len(self.finished) + 1 < len(self.plans)

    def begin_stage(self) -> None:
        """Make the next stage's optimiser; that of the stage before is let go first."""
        vars(self).pop("stage", None)
        self.result.optimizer = None
        plan = self.plans[len(self.finished)]
        if not self.finished:
            self.problem.forget_training()
        self.problem.adapt(self.model)
        self.stage = RunningStage(plan, self.model, self.problem, self.parameters)
        self.result.optimizer = self.stage.optimizer
        self._update_result()

    def heed_noise(self) -> None:
        """Let noisy data count less, once they are seen to be that, if there is a step to come.

        Looked for where the optimiser has come to rest, and at epochs farther and farther apart:
        what a misfit has not lost by half as many again, it keeps. Before a step and not after one:
        a run that ends here, and one that goes on from its checkpoint, have then seen the same.
        """
        at_rest = self.stage.stopped is not None
        if self.stage.limit() or time_is_up(self.seconds, self.max_seconds):
            return
        if not (at_rest or _looks_for_noise(self.stage.epochs)):
            return
        if heed_noise(self.problem, self.model, at_rest=at_rest):
            self.stage.take_up_loss(self.model, self.problem, self.parameters)

    def confirm_loss(self) -> None:
        """See that the loss is the one that is trained, after others could have changed it."""
        self.stage.confirm_loss(self.model, self.problem, self.parameters)

    def finish_stage(self, reason: str) -> None:
        """Keep the figures of the stage; the result tells why, if it is the last one."""
        self.finished.append(self.stage.figures(reason))
        self.result.stages = list(self.finished)
        self.result.stop_reason = whole_reason(self.finished, len(self.plans))

    def _update_result(self) -> None:
        self.result.stages = [*self.finished, self.stage.figures()]
        self.result.stop_reason = STILL_RUNNING

    def record(self) -> None:
        """Add the present state to the history, unless it is there already."""
        if self.history and self.history[-1].epoch == self.epoch:
            return
        with torch.no_grad():
            parts = self.problem.loss_parts(self.stage.lowered.residuals(self.model))
            values = {name: float(part) for name, part in parts.items()}
            error = None
            if self.wanted is not None:
                error = relative_distance(self.model(self.points), self.wanted)
        named = self.problem.pde.named_coefficients()
        coefficients = {name: p.detach().item() for name, p in named if p.numel() == 1}
        evaluations = self.stage.evaluations + sum(stage.evaluations for stage in self.finished)
        self.history.append(
            Record(
                len(self.finished) + 1, self.epoch, evaluations, self.seconds,
                sum(values.values()), values, error, coefficients,
            )
        )  # fmt: skip
        self._update_result()

    def at_goal(self) -> Ending | None:
        """Return that the last record is as right as was asked for, or None."""
        error = None if self.goal is None else self.goal.reached(self.history)
        if error is None:
            return None
        self.result.estimated_error = error
        return Ending(f"the error is about {error:.1e}, as was asked for", of_run=True)

    def ending(self) -> Ending | None:
        """Return why the stage or the run is over, or None."""
        reason = self.stage.stopped or self.stage.limit()
        loss = self.history[-1].loss
        if not abs(loss) < float("inf"):  # true for NaN: no stage could go on from there
            return Ending(f"the loss is not finite: {loss}", of_run=True, of_itself=False)
        if reason is not None:
            return Ending(reason, of_run=False)
        reason = time_is_up(self.seconds, self.max_seconds)
        return None if reason is None else Ending(reason, of_run=True)


def _looks_for_noise(epoch: int) -> bool:
    """After 4, 6, 8, 12, 16, 24, 32, ... epochs of a stage, whatever was planned.

    Examples
    --------
    >>> [epoch for epoch in range(50) if _looks_for_noise(epoch)]
    [4, 6, 8, 12, 16, 24, 32, 48]
    """
    power = 1 << epoch.bit_length() >> 1
    return epoch >= 4 and 2 * epoch in (2 * power, 3 * power)
