"""Defect correction: exact residuals, with the Jacobian of a discretisation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from torch import Tensor

from dtpinn.optim import stopping
from dtpinn.optim.damped import DampedEquations
from dtpinn.optim.gauss_newton import PROBE, GaussNewton
from dtpinn.optim.options import check_options
from dtpinn.optim.squared_residuals import LeastSquares


class Corrected(LeastSquares, Protocol):
    """Residuals with a Jacobian that is nearly theirs."""

    def gradient(self) -> Tensor:
        """Return half the gradient of their sum of squares, exactly: (p,)."""
        ...


class DefectCorrection(GaussNewton):
    """Gauss-Newton below the floor: the residual is exact, its Jacobian that of the matrices.

    A step minimises ``|r + A v|^2 + damping |v|^2`` with r by automatic differentiation, which
    leaves no error of the discretisation where r vanishes, and A = S J from the matrices, which
    costs a sparse product and no third derivative. That A is a little wrong costs iterations and no
    accuracy (Boehmer, Hemker & Stetter, The defect correction approach, 1984). The curvature of the
    step comes from the exact residuals on both sides: that A does not have the slope between them
    would otherwise be taken for a bend, twenty times over.

    Where no step along those of the matrices lowers the loss, they are left as what measures a
    step, and the exact gradient is its direction from then on: that is downhill whatever A is.

    Parameters
    ----------
    params : iterable of Tensor
    damping : float
    patience : int
        Stops where so many iterations have lowered the loss by less than `least` of it.
    least : float
    **options
        As of :class:`GaussNewton`.

    Attributes
    ----------
    along_gradient : bool
        Whether the exact gradient has become the direction.

    Raises
    ------
    TypeError, ValueError
        For options or parameters it cannot work with, naming them.

    Examples
    --------
    >>> import dtpinn
    >>> from dtpinn.pde.solutions import sine_cosine
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    >>> pde = dtpinn.Poisson.from_solution(sine_cosine)
    >>> model = dtpinn.MLP(2, width=16, depth=1, seed=0)
    >>> problem = dtpinn.discretize(pde, nodes, order=3)
    >>> stages = ["gauss-newton", "defect-correction"]
    >>> result = dtpinn.fit(model, problem, 60, optimizer=stages, exact=sine_cosine)
    >>> at_the_floor, below = result.history[6].error, result.history[-1].error
    >>> below < 0.2 * at_the_floor
    True
    """

    _mark: tuple[int, float] | None  # iteration and loss that progress is measured from

    def __init__(
        self,
        params: Iterable[Tensor],
        damping: float = 1e-3,
        *,
        patience: int = 100,
        least: float = 0.1,
        **options: Any,
    ) -> None:
        own = {"patience": patience, "least": least}
        check_options("DefectCorrection", own, counts=("patience",))
        self.along_gradient = False
        super().__init__(params, damping, **options)
        self.defaults.update(own)
        self.param_groups[0].update(own)

    def _iterate(self) -> None:
        if self._mark is None:
            self._mark = self.iterations, self._loss
        super()._iterate()
        options, (since, before) = self.param_groups[0], self._mark
        passed = self.iterations - since
        if self.stop_reason is None and passed >= options["patience"]:
            self.stop_reason = stopping.stagnation(before, self._loss, passed, options["least"])
            self._mark = self.iterations, self._loss

    def _descend(self, equations: DampedEquations, r: Tensor) -> bool:
        """As Gauss-Newton; where that comes to nothing, once more along the exact gradient."""
        if super()._descend(equations, r):
            return True
        exact = hasattr(self._system, "gradient")
        if self.along_gradient or self._sample is not None or not exact:
            return False
        self.along_gradient, self.stop_reason = True, None
        self._gradient = self._gradient_by(equations, r)
        return super()._descend(equations, r)

    def _gradient_by(self, equations: DampedEquations, r: Tensor) -> Tensor:
        if not self.along_gradient:
            return super()._gradient_by(equations, r)
        self._flat.write(self._point)
        system: Corrected = self._system  # type: ignore[assignment]
        return system.gradient().double()

    def _proposed(self, equations: DampedEquations, r: Tensor) -> Tensor:
        if not self.along_gradient:
            return super()._proposed(equations, r)
        return equations.descent(self._gradient)

    def _second_derivative(self, equations: DampedEquations, v: Tensor) -> Tensor:
        """Of the rows' residuals along v, from both sides."""
        ahead, behind = (self._of_rows(self._evaluate_at(step)) for step in (PROBE * v, -PROBE * v))
        return (ahead + behind - 2.0 * self._of_rows(self._residual)) / PROBE**2

    # What is kept: see Resumable

    def _allocate(self) -> None:
        super()._allocate()
        self._mark = None

    def _memory(self) -> dict[str, Any]:
        return {**super()._memory(), "mark": self._mark, "along_gradient": self.along_gradient}

    def _remember(self, memory: dict[str, Any]) -> None:
        super()._remember(memory)
        self._mark, self.along_gradient = memory["mark"], memory["along_gradient"]
