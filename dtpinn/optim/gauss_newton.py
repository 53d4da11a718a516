"""Gauss-Newton for residuals: the optimiser that reaches the discretisation's own error."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from dtpinn.optim import stopping
from dtpinn.optim.damped import DampedEquations
from dtpinn.optim.options import check_options
from dtpinn.optim.resumable import Resumable
from dtpinn.optim.sampling import affordable_rows, sample_rows
from dtpinn.optim.squared_residuals import as_least_squares


class GaussNewton(Resumable):
    """Levenberg-Marquardt with geodesic acceleration, for losses that are sums of squares.

    An iteration linearises the residuals, r(w + v) = r + A v, and takes the v that minimises
    ``|r + A v|^2 + damping |v|^2``. A second right-hand side with the same factorisation bends the
    step along the valley of the loss: ``v + a / 2``, where a answers the second derivative of r
    along v, found by one more evaluation of r (Transtrum & Sethna, arXiv:1201.5885, equation 18).
    That bend is what makes it fast for networks: a seventh of the iterations to twice the floor
    of linear Poisson with 2,208 nodes, order 5 and 1 x 64 (``bench/bench_floor.py``).

    Parameters
    ----------
    params : iterable of Tensor
        The parameters, of one dtype and device, in one group. For a discrete problem with all that
        it learns: ``GaussNewton(problem.least_squares(model).parameters)``.
    damping : float
        The first damping, in units of the mean eigenvalue of A'A. The method finds its own from
        there; four decades more or less cost a few iterations.
    increase, decrease : float
        The damping is multiplied by `increase` when a step is rejected, and divided by `decrease`
        after an iteration.
    max_iterations : int
        Iterations (moves of the parameters) per call of `step`.
    acceleration : float
        Largest ``2 |a| / |v|`` of a step; beyond it the linearisation is not to be trusted, and the
        damping is raised. 0: plain Levenberg-Marquardt.
    rows : int, optional
        How many rows of A an iteration takes, drawn afresh each time; more, by and by, where no
        step along theirs lowers the loss, which is always that of all rows. Default: all, while A
        fits into `memory` and its Gram matrix takes a few seconds at most; else as many as do.
    momentum : float
        Where rows are drawn, steps are damped towards this part of the last one instead of towards
        zero, so that what one sample does not see is not forgotten with it (SPRING, Goldshlager et
        al., arXiv:2401.10190), until one is rejected. Below 1; 0 for none.
    memory : float
        Bytes that A may take.
    seed : int
        Of the drawing of rows.
    tolerance_gradient : float
        Stops where the largest entry of the loss's gradient is not above this; judged where an
        iteration takes all rows.
    tolerance_change : float
        Stops where an iteration lowers the loss by less than this fraction of it. The default 0
        switches the test off.

    Attributes
    ----------
    iterations, evaluations, rejections : int
        Totals since the optimizer was made: moves; residuals and Jacobians computed, those of
        rejected steps included; steps rejected.
    stop_reason : str or None
        `None` while it can go on; else one sentence. `step` judges anew.

    Raises
    ------
    TypeError, ValueError
        For options or parameters it cannot work with, naming them.

    Notes
    -----
    With m rows and p parameters an iteration costs ``2 m p min(m, p)`` operations: A'A is
    factorised when p <= m, and A A' when parameters outnumber rows. Memory is that of A.

    Examples
    --------
    Residuals as a function; the loss is the sum of their squares:

    >>> w = torch.nn.Parameter(torch.tensor([-1.2, 1.0], dtype=torch.float64))
    >>> optimizer = GaussNewton([w], max_iterations=20)
    >>> first = optimizer.step(lambda: torch.stack([10 * (w[1] - w[0] ** 2), 1 - w[0]]))
    >>> w.detach().round(decimals=8)
    tensor([1., 1.], dtype=torch.float64)
    >>> optimizer.iterations
    20
    """

    _damping: float | None  # None until the first Jacobian tells its units
    _last_step: Tensor | None  # (p,), in float64

    def __init__(
        self,
        params: Iterable[Tensor],
        damping: float = 1e-3,
        *,
        increase: float = 3.0,
        decrease: float = 2.0,
        max_iterations: int = 1,
        acceleration: float = 0.75,
        rows: int | None = None,
        momentum: float = 0.9,
        memory: float = 2.0**30,
        seed: int = 0,
        tolerance_gradient: float = 0.0,
        tolerance_change: float = 0.0,
    ) -> None:
        numbers = {
            "damping": damping,
            "increase": increase,
            "decrease": decrease,
            "max_iterations": max_iterations,
            "acceleration": acceleration,
            "rows": rows,
            "momentum": momentum,
            "memory": memory,
            "tolerance_gradient": tolerance_gradient,
            "tolerance_change": tolerance_change,
        }
        above = {"damping": 0.0, "increase": 1.0, "decrease": 1.0, "memory": 0.0}
        counts = ("max_iterations", "rows")
        name = type(self).__name__
        check_options(name, numbers, counts=counts, optional=("rows",), above=above)
        if momentum >= 1.0:
            raise ValueError(f"{name}: expected momentum to be below 1, got {momentum!r}")
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
            raise ValueError(f"{name}: expected seed to be an integer >= 0, got {seed!r}")
        super().__init__(params, {**numbers, "seed": seed})
        self.iterations = self.evaluations = self.rejections = 0
        self.stop_reason: str | None = None

    @torch.no_grad()
    def step(self, closure: Any) -> float:  # type: ignore[override]
        """Run up to `max_iterations` iterations.

        Parameters
        ----------
        closure : LeastSquares or callable
            ``problem.least_squares(model)``, or a function that returns the residuals (m,).

        Returns
        -------
        float
            The loss at the start of the step.

        Raises
        ------
        TypeError, ValueError
            If the closure gives no residuals, or those of other parameters.
        """
        self._follow()
        self._system = as_least_squares(closure, self._flat.params)
        self.stop_reason = None
        self._residual = self._evaluate()
        opening = self._loss = _square(self._residual)
        if not math.isfinite(opening):
            self.stop_reason = stopping.not_finite(opening, math.nan, moved_back=False)
        self._draws = 0  # that led nowhere, one after another
        last = self.iterations + int(self.param_groups[0]["max_iterations"])
        while self.stop_reason is None and self.iterations < last:
            self._iterate()
        return opening

    def _iterate(self) -> None:
        """Linearise, move, and take the damping back a little."""
        options, before = self.param_groups[0], self._loss
        self._point = self._flat.read()
        equations, r = self._linearized()
        self._gradient = self._gradient_by(equations, r)
        steepest = 2.0 * float(self._gradient.abs().max())
        if not math.isfinite(steepest):
            self.stop_reason = stopping.not_finite(before, steepest, moved_back=False)
            return
        if self._sample is None:  # a sample's gradient may vanish where the loss's does not
            self.stop_reason = stopping.small_gradient(steepest, options["tolerance_gradient"])
            if self.stop_reason is not None:
                return
        if not self._damping:  # none yet, or of rows that depend on no parameter
            self._damping = options["damping"] * equations.mean_square
        if not self._descend(equations, r):
            self._flat.write(self._point)
            if self.stop_reason is not None:  # is it the loss's fault?
                again, digits = _square(self._evaluate()), torch.finfo(self._flat.dtype).eps ** 0.5
                told = stopping.not_twice(self._loss, again, digits)
                self.stop_reason = told or self.stop_reason
            return
        self.iterations, self._draws = self.iterations + 1, 0
        self._damping /= options["decrease"]
        tolerance = options["tolerance_change"]
        self.stop_reason = stopping.small_fraction(before, self._loss, tolerance)

    def _gradient_by(self, equations: DampedEquations, r: Tensor) -> Tensor:
        """Half the gradient of the loss, or of the iteration's rows."""
        return equations.gradient(r)

    def _descend(self, equations: DampedEquations, r: Tensor) -> bool:
        """Raise the damping until a step lowers the loss; false where none does."""
        assert self._damping is not None
        self._misled, at_first = 0, self._damping
        while not self._try(equations, r, self._damping):
            self.rejections += 1
            self._last_step = None  # more damping would lead towards it, and not to the gradient
            self._damping *= self.param_groups[0]["increase"]
            sampled = self._sample is not None
            # Not >: where the squares of A underflow, both are zero for ever.
            hopeless = self._damping >= _HOPELESS * equations.mean_square
            if hopeless or self._misled == _PATIENCE:
                self._draws += 1
                if not sampled or self._draws == _DRAWS:
                    taken, m = len(equations.A), len(self._residual)
                    self.stop_reason = stopping.no_step(self._loss, self._damping, taken, m)
                # Whose fault was it? More rows next time, and half the raise.
                self._more_rows *= _MORE
                self._damping = math.sqrt(at_first * self._damping) if sampled else at_first
                return False
        return True

    def _linearized(self) -> tuple[DampedEquations, Tensor]:
        """A and r of this iteration's rows."""
        m, options = len(self._residual), self.param_groups[0]
        count = options["rows"] or affordable_rows(m, self._flat.size, options["memory"])
        most = max(count, int(options["memory"] / (8 * self._flat.size)))
        count = min(int(count * self._more_rows), most)
        self._sample = None
        if count < m:
            rows, weights = sample_rows(self._system.sizes, count, self._generator)
            self._sample = rows.to(self._flat.device), weights.to(self._flat.device)
        self.evaluations += 1
        A = self._system.jacobian(None if self._sample is None else self._sample[0])
        if self._sample is not None:
            A = A.double().mul_(self._sample[1][:, None])  # in its place, for it is large
        return DampedEquations(A), self._of_rows(self._residual)

    def _of_rows(self, residual: Tensor) -> Tensor:
        """The iteration's rows of residuals, weighted as its Jacobian is."""
        if self._sample is None:
            return residual.double()
        rows, weights = self._sample
        return weights * residual[rows]

    def _try(self, equations: DampedEquations, r: Tensor, damping: float) -> bool:
        """Move if the step at this damping lowers the loss; whether it did."""
        if not equations.factorise(damping):
            return False
        step = self._accelerated(equations, self._proposed(equations, r))
        if step is None:
            return False
        residual = self._evaluate_at(step)
        loss = _square(residual)
        if not loss < self._loss:  # true also for NaN
            self._misled += _square(self._of_rows(residual)) < _square(r)
            return False
        self._residual, self._loss, self._last_step = residual, loss, step
        return True

    def _proposed(self, equations: DampedEquations, r: Tensor) -> Tensor:
        """The damped step; where rows are drawn, damped towards a part of the last one."""
        if self._sample is None or self._last_step is None:
            return equations.solve(r, self._gradient)
        towards = self._last_step * float(self.param_groups[0]["momentum"])
        return towards + equations.solve(r + equations.A @ towards)

    def _accelerated(self, equations: DampedEquations, v: Tensor) -> Tensor | None:
        """The step v + a / 2, or None where it bends too much."""
        limit = self.param_groups[0]["acceleration"]
        if limit == 0.0:
            return v
        a = equations.solve(self._second_derivative(equations, v))
        bends = 2.0 * float(a.norm()) <= limit * float(v.norm())  # false also for NaN
        return v + 0.5 * a if bends else None

    def _second_derivative(self, equations: DampedEquations, v: Tensor) -> Tensor:
        """Of the rows' residuals along v, by one more evaluation: the first one is A v."""
        slope = self._of_rows(self._evaluate_at(PROBE * v) - self._residual) / PROBE
        return (slope - equations.A @ v) * (2.0 / PROBE)

    def _evaluate_at(self, step: Tensor) -> Tensor:
        """Compute the residuals a step away from the iteration's point, and stay there."""
        self._flat.write(self._point + step.to(self._point.dtype))
        return self._evaluate()

    def _evaluate(self) -> Tensor:
        """Compute the residuals, counted."""
        self.evaluations += 1
        return self._system.residual()

    # What is kept: see Resumable

    def _allocate(self) -> None:
        self._damping = None
        self._more_rows = 1.0
        self._last_step = None
        self._generator = torch.Generator().manual_seed(self.param_groups[0]["seed"])

    def _memory(self) -> dict[str, Any]:
        return {
            "iterations": self.iterations,
            "evaluations": self.evaluations,
            "rejections": self.rejections,
            "stop_reason": self.stop_reason,
            "damping": self._damping,
            "more_rows": self._more_rows,
            "last_step": None if self._last_step is None else self._last_step.clone(),
            "generator": self._generator.get_state(),
        }

    def _remember(self, memory: dict[str, Any]) -> None:
        self.iterations, self.evaluations = memory["iterations"], memory["evaluations"]
        self.rejections, self.stop_reason = memory["rejections"], memory["stop_reason"]
        self._damping, self._more_rows = memory["damping"], memory["more_rows"]
        step = memory["last_step"]
        self._last_step = None if step is None else step.to(self._flat.device, copy=True)
        self._generator.set_state(memory["generator"].cpu())


# How far along v the second derivative is looked for. The result hardly depends on it (0.03 does
# as well); Transtrum and Sethna take 0.1.
PROBE = 0.1
# Where rows are drawn by lot, and a step lowers their residuals but not those of all: how often
# before others are drawn, how many more, how many times in vain. Near the minimum the gradient of a
# sample is mostly noise, which more rows reduce.
_PATIENCE, _MORE, _DRAWS = 4, 1.25, 10
# Damping, in mean eigenvalues of A'A, beyond which a step is lost in rounding.
_HOPELESS = 1e12


def _square(residual: Tensor) -> float:
    return float(residual.double().square().sum())
