"""L-BFGS with torch's interface, a stacked history, and a reason whenever it stops."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from dtpinn.optim import stopping
from dtpinn.optim.curvature import CurvaturePairs
from dtpinn.optim.line_search import LineSearch, strong_wolfe
from dtpinn.optim.loss_values import checked_loss, floats
from dtpinn.optim.options import check_options
from dtpinn.optim.ordered_sum import inner, ordered_sum
from dtpinn.optim.resumable import Resumable

Closure = Callable[[], Any]


class LBFGS(Resumable):
    """Limited-memory BFGS (Nocedal and Wright, *Numerical Optimization*, algorithm 7.5).

    A drop-in for `torch.optim.LBFGS`: with `line_search=None` the iterates are the same to
    round-off. The difference is in what an iteration costs (`curvature.py`: a few products with the
    stacked history instead of 4 m small vector operations), that it says why it stopped, and that
    a saved state continues bit for bit.

    Parameters
    ----------
    params : iterable of Tensor
        The parameters, of one dtype and device, in one group.
    lr : float
        The step length; with a line search, the first one it tries. The very first step, and any
        along the steepest descent, is shortened to `lr * min(1, 1 / |g|_1)`.
    max_iterations : int
        Iterations (moves of the parameters) per call of `step`.
    max_evaluations : int, optional
        Within one `step` no further iteration begins once the closure was called this often. A
        line search that has begun is finished. Default: no limit.
    history_size : int
        Number of pairs (s, y) remembered.
    tolerance_gradient : float
        Stops where the largest entry of the gradient is not above this.
    tolerance_change : float
        Stops where an iteration changes the loss by less than this, or no parameter by more. The
        default 0 switches the test off (PINN losses of 1e-10 are still worth reducing).
    line_search : {"strong_wolfe", None}
        `None` takes the step `lr`, whatever it does to the loss.
    minimum_curvature : float
        A pair enters the history if ``s . y > max(eps |y|^2, minimum_curvature)``. The first is
        free of units; `torch.optim.LBFGS` has 1e-10 in place of both, and stops learning when small
        steps meet small gradients.

    Attributes
    ----------
    iterations, evaluations : int
        Totals since the optimizer was made: moves, and calls of the closure.
    stop_reason : str or None
        `None` while it can go on; else one sentence. `step` judges anew, so calling it again is
        harmless.

    Raises
    ------
    TypeError, ValueError
        For options or parameters it cannot work with, naming them.

    Notes
    -----
    `step` opens with a call of the closure, as torch's does, for the closure may have changed
    (other points, other weights of the terms). So with a line search one call per `step`, not per
    iteration, repeats a known value.

    When a line search finds no decrease the history is forgotten and the steepest descent tried
    once. When the loss becomes infinite or NaN the parameters go back to the last finite point.

    Examples
    --------
    >>> import torch
    >>> x = torch.nn.Parameter(torch.tensor([3.0, -2.0], dtype=torch.float64))
    >>> optimizer = LBFGS([x], max_iterations=50)
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (x[0] - 1) ** 2 + 10 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> first = optimizer.step(closure)
    >>> x.detach().round(decimals=6)
    tensor([1., 1.], dtype=torch.float64)
    >>> optimizer.stop_reason.split(":")[0]
    'gradient below tolerance'
    """

    # At the present point; then the last point left, and the direction and step taken from it.
    _loss: float
    _gradient: Tensor
    _point: Tensor
    _direction: Tensor
    _step: Tensor

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1.0,
        *,
        max_iterations: int = 20,
        max_evaluations: int | None = None,
        history_size: int = 100,
        tolerance_gradient: float = 1e-10,
        tolerance_change: float = 0.0,
        line_search: str | None = "strong_wolfe",
        minimum_curvature: float = 0.0,
    ) -> None:
        numbers = {
            "lr": lr,
            "max_iterations": max_iterations,
            "max_evaluations": max_evaluations,
            "history_size": history_size,
            "tolerance_gradient": tolerance_gradient,
            "tolerance_change": tolerance_change,
            "minimum_curvature": minimum_curvature,
        }
        counts = ("max_iterations", "max_evaluations", "history_size")
        check_options(
            "LBFGS", numbers, counts=counts, optional=("max_evaluations",), above={"lr": 0.0}
        )
        if line_search not in ("strong_wolfe", None):
            raise ValueError(
                f"LBFGS: expected line_search to be 'strong_wolfe' or None, got {line_search!r}"
            )
        super().__init__(params, {**numbers, "line_search": line_search})
        self.iterations = 0
        self.evaluations = 0
        self.stop_reason: str | None = None

    @torch.no_grad()
    def step(self, closure: Closure) -> Any:  # type: ignore[override]
        """Run up to `max_iterations` iterations.

        Parameters
        ----------
        closure : callable
            Zeroes the gradients, computes the loss, calls `backward`, returns the loss.

        Returns
        -------
        The loss at the start of the step, as the closure returned it.

        Raises
        ------
        TypeError, ValueError
            If the closure is none, returns no scalar, or leaves no gradient.
        """
        if not callable(closure):
            raise TypeError(
                f"LBFGS.step: expected a closure that returns the loss, got {closure!r}"
            )
        self._follow()
        options = self.param_groups[0]
        last = self.iterations + int(options["max_iterations"])
        limit = options["max_evaluations"]
        spent = math.inf if limit is None else self.evaluations + limit
        self._closure = torch.enable_grad()(closure)
        self.stop_reason = None

        opening = self._evaluate()
        self._arrive(opening, self._flat.read_gradient())
        while self.stop_reason is None and self.iterations < last and self.evaluations < spent:
            if options["line_search"] is None:
                self._iterate_fixed(lazy=self.iterations + 1 == last)
            else:
                self._iterate_searching()
        return opening

    # One iteration, with a fixed step or with a line search

    def _iterate_fixed(self, *, lazy: bool) -> None:
        """Move by `lr`; if `lazy`, leave the evaluation to the opening of the next `step`."""
        _, largest, trial = self._aim()
        if self.stop_reason is not None:
            return
        self._depart(trial)
        if lazy:
            return
        before = self._loss
        self._arrive(self._evaluate(), self._flat.read_gradient())
        self._judge_change(before, trial * largest)

    def _iterate_searching(self) -> None:
        while True:
            slope, largest, trial = self._aim()
            if self.stop_reason is not None:
                return
            found, gradient = self._search(slope, trial)
            if gradient is not None:
                break
            self._flat.write(self._point)
            if len(self._history) == 0:
                again = floats(self._evaluate(), self._gradient.new_zeros(()))[0]
                digits = torch.finfo(self._flat.dtype).eps ** 0.5
                self.stop_reason = stopping.not_twice(
                    self._loss, again, digits
                ) or stopping.no_decrease(found.evaluations, self._loss)
                return
            self._history.clear()  # a direction that misleads: forget what it was made of
        before = self._loss
        self._depart(found.best.t)
        self._arrive(found.best.value, gradient)
        self._judge_change(before, found.best.t * largest)

    def _aim(self) -> tuple[float, float, float]:
        """Choose the direction; returns its slope, its largest entry, and the step to try."""
        self._point = self._flat.read()
        g, lr = self._gradient, float(self.param_groups[0]["lr"])
        if len(self._history):
            self._direction = self._history.inverse_hessian_product(g).neg_()
            slope, largest = floats(inner(g, self._direction), self._direction.abs().max())
            if slope < 0.0 and math.isfinite(largest):
                self._judge_slope(slope)
                return slope, largest, lr
            self._history.clear()  # round-off has spoiled it: no direction of descent
        self._direction = g.neg()
        square, largest, size = floats(inner(g, g), g.abs().max(), ordered_sum(g.abs()))
        self._judge_slope(-square)
        return -square, largest, lr * min(1.0, 1.0 / size)

    def _search(self, slope: float, trial: float) -> tuple[LineSearch, Tensor | None]:
        """Line search along the direction; the gradient there, or None if nothing was found."""
        gradients: dict[float, Tensor] = {}

        def phi(t: float) -> tuple[float, float]:
            self._flat.write_sum(self._point, self._direction, t)
            loss = self._evaluate()
            gradients[t] = g = self._flat.read_gradient()
            value, slope = floats(loss, inner(g, self._direction))
            return value, slope

        noise = _NOISE * torch.finfo(self._flat.dtype).eps * abs(self._loss)
        found = strong_wolfe(phi, self._loss, slope, trial, noise=noise)
        return found, gradients.get(found.best.t)

    # Leaving a point and arriving at the next

    def _depart(self, t: float) -> None:
        """Move by t along the direction; the pair is completed where the gradient is known."""
        self._flat.write_sum(self._point, self._direction, t)
        self._step = self._direction * t
        self._pending = True
        self.iterations += 1

    def _arrive(self, loss: Any, gradient: Tensor) -> None:
        """Take in the loss and gradient (n,) at the present point, with one wait for the device."""
        largest = gradient.abs().max()
        if not self._pending:
            self._loss, steepest = floats(loss, largest)
        else:
            y = gradient - self._gradient
            self._loss, steepest, sy, yy = floats(loss, largest, inner(self._step, y), inner(y, y))
        if not (math.isfinite(self._loss) and math.isfinite(steepest)):
            self._retreat(steepest)
            return
        if self._pending:
            floor = max(torch.finfo(y.dtype).eps * yy, self.param_groups[0]["minimum_curvature"])
            if sy > floor:
                self._history.append(self._step, y, sy=sy, yy=yy, g=gradient)
            self._pending = False
        self._gradient = gradient
        self.stop_reason = stopping.small_gradient(
            steepest, self.param_groups[0]["tolerance_gradient"]
        )

    def _retreat(self, steepest: float) -> None:
        """Back from a point where the loss or its gradient is infinite or NaN."""
        self.stop_reason = stopping.not_finite(self._loss, steepest, moved_back=self._pending)
        if self._pending:
            self._flat.write(self._point)
            self._pending = False
        self._history.clear()

    def _judge_slope(self, slope: float) -> None:
        self.stop_reason = stopping.small_slope(slope, self.param_groups[0]["tolerance_change"])

    def _judge_change(self, before: float, moved: float) -> None:
        change, tolerance = abs(self._loss - before), self.param_groups[0]["tolerance_change"]
        self.stop_reason = self.stop_reason or stopping.small_change(change, moved, tolerance)

    def _evaluate(self) -> Any:
        """One call of the closure, counted."""
        self.evaluations += 1
        return checked_loss(self._closure())

    # What is kept: see Resumable

    def _allocate(self) -> None:
        self._history = CurvaturePairs(self.param_groups[0]["history_size"], like=self._flat.read())
        self._loss = math.nan
        self._pending = False  # whether the last move waits for its gradient

    def _memory(self) -> dict[str, Any]:
        pending = (self._point, self._step, self._gradient) if self._pending else ()
        return {
            "iterations": self.iterations,
            "evaluations": self.evaluations,
            "stop_reason": self.stop_reason,
            "history": self._history.state(),
            "pending": [v.clone() for v in pending],
        }

    def _remember(self, memory: dict[str, Any]) -> None:
        self.iterations, self.evaluations = memory["iterations"], memory["evaluations"]
        self.stop_reason = memory["stop_reason"]
        self._history.restore(memory["history"])
        self._pending = bool(memory["pending"])
        if self._pending:
            target = {"dtype": self._flat.dtype, "device": self._flat.device}
            self._point, self._step, self._gradient = (
                v.to(**target, copy=True) for v in memory["pending"]
            )


# The rounding error of a loss, in units of eps |loss|, that the line search looks past. A sum of
# squares is good to a few units; Hager and Zhang's own 1e-6 is for fp64 only.
_NOISE = 4.0
