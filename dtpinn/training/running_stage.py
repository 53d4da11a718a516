"""A stage in progress: an optimiser that steps, counted and timed."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from dtpinn.optim.by_name import iterations_of_a_step, needs_of
from dtpinn.problem import DiscreteResiduals, Problem
from dtpinn.training.clock import Clock
from dtpinn.training.loss_closure import make_closure
from dtpinn.training.optimizer_choice import make_optimizer
from dtpinn.training.planned_stages import PlannedStage
from dtpinn.training.sound import check_sound
from dtpinn.training.stage_figures import ALL_DONE, STILL_RUNNING, Stage


class RunningStage:
    """One optimiser at work, made when its stage begins.

    Attributes
    ----------
    optimizer : torch.optim.Optimizer
    closure : Closure
        It counts the evaluations of this stage.
    epochs : int
        Steps of this stage so far.
    """

    def __init__(
        self, plan: PlannedStage, model: nn.Module, problem: Problem, parameters: dict[str, Tensor]
    ) -> None:
        self.plan, self._problem = plan, problem
        self.optimizer = make_optimizer(plan.optimizer, parameters)
        check_sound(model, problem, self.optimizer)
        self.closure = make_closure(self.optimizer, model, problem, list(parameters.values()))
        self.epochs = 0
        self._clock = Clock(problem.device)
        # Of somebody's own optimiser, which may have made some already.
        self._iterations_before = self._counted or 0

    @property
    def name(self) -> str:
        """The optimiser's class."""
        return type(self.optimizer).__name__

    @property
    def every(self) -> int:
        """Epochs between records, so that recording costs little beside them.

        An optimiser that iterates within a step needs far more than the one evaluation of a record;
        the steps of the others are an iteration each.
        """
        long = iterations_of_a_step(self.optimizer) > 1 or needs_of(self.optimizer).long_steps
        return 1 if long else 10

    @property
    def evaluations(self) -> int:
        """Losses with their gradients in this stage."""
        return self.closure.evaluations

    @property
    def seconds(self) -> float:
        """Time spent in the optimiser's steps."""
        return self._clock.seconds

    @property
    def lowered(self) -> Problem:
        """Whose residuals the optimiser sees: the problem's, or its twin's with exact derivatives.

        The weights are the problem's in any case.
        """
        return getattr(self.closure, "exact", self._problem)

    def advance(self) -> None:
        """One step of the optimiser."""
        with self._clock.running():
            self.optimizer.step(self.closure)  # type: ignore[arg-type]
        self.epochs += 1

    @property
    def stopped(self) -> str | None:
        """Why the optimiser has stopped by itself, or None."""
        reason: str | None = getattr(self.optimizer, "stop_reason", None)
        return reason

    def confirm_loss(
        self, model: nn.Module, problem: Problem, parameters: dict[str, Tensor]
    ) -> None:
        """Take up the loss anew if it was known as one product and no longer is that one.

        For when somebody else's code has run, which may have changed the equation.
        """
        affine = getattr(self.closure, "affine", None)
        if affine is not None and not affine.holds():
            self.take_up_loss(model, problem, parameters)
        elif isinstance(self.closure, DiscreteResiduals):
            self.closure.forget()

    def take_up_loss(
        self, model: nn.Module, problem: Problem, parameters: dict[str, Tensor]
    ) -> None:
        """Go on with the loss as it is now; why the optimiser has stopped is no longer true."""
        evaluations = self.closure.evaluations
        self.closure = make_closure(self.optimizer, model, problem, list(parameters.values()))
        self.closure.evaluations = evaluations
        if self.stopped is not None:
            self.optimizer.stop_reason = None  # type: ignore[attr-defined]

    def limit(self) -> str | None:
        """Return why there is nothing left to do, by the plan, or None."""
        if self.epochs >= self.plan.epochs:
            return ALL_DONE
        return time_is_up(self.seconds, self.plan.max_seconds)

    def figures(self, stop_reason: str = STILL_RUNNING) -> Stage:
        """Return what has been done so far."""
        counted = self._counted
        iterations = None if counted is None else counted - self._iterations_before
        return Stage(
            self.name, self.epochs, iterations, self.evaluations, self.seconds, stop_reason
        )

    def restore(self, done: Stage, optimizer: dict[str, Any]) -> None:
        """Go on where another process stopped, with the optimiser's state as it was there."""
        self.optimizer.load_state_dict(optimizer)
        self.epochs, self.closure.evaluations = done.epochs, done.evaluations
        self._clock.seconds = done.seconds
        self._iterations_before = (self._counted or 0) - (done.iterations or 0)

    @property
    def _counted(self) -> int | None:
        counted: int | None = getattr(self.optimizer, "iterations", None)
        return counted


def time_is_up(seconds: float, limit: float | None) -> str | None:
    """Return the reason to stop once a limit of training time is reached, or None."""
    if limit is None or seconds < limit:
        return None
    return f"time is up: {seconds:.1f} s of training"
