"""How wrong a model is, when the solution is not known."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from dtpinn.problem.problem import Problem
from dtpinn.problem.trust import RESOLVED

# Where a solution is singular the difference of two orders may be far too low: twenty times at the
# corner of an L. What is left of the equation between the nodes is not: the error was a quarter of
# it at such corners, a tenth at layers and jumps of the data, and far less at milder singularities.
SHARE = 0.3


@dataclass(frozen=True)
class Estimate:
    """How wrong a model is, relative in l2 on X: two distances that bound it, and the error itself.

    Several fields, which may have different units, each count in the size that
    :attr:`Problem.scales` expects of them.

    Attributes
    ----------
    distance : float
        ``|model - u_p| / |u_p|``: what training has left, u_p being the discrete solution of order
        p.
    discretisation : float or None
        ``|u_p - u_(p+1)| / |u_(p+1)|``: what the nodes and the order have left, an estimate of the
        error of u_p itself. No training on this problem gets reliably below it. None where there
        is no next order to compare with: matrices were given, or the nodes are too few for it.
    unresolved : float or None
        The share of the equation's terms that u_p leaves between the nodes
        (:class:`~dtpinn.problem.fresh.FreshResidual`). Where a layer or a wave is not resolved,
        both orders are wrong in the same way, and their difference may be far too low. In
        space-time at the last of the times; None where the equation cannot be evaluated there.
    by_field : dict of str to (float, float or None)
        Of a system `distance` and `discretisation` of each field by itself, relative to its own
        norm.
    constraints : dict of str to float
        By how much the model misses each constraint, in its own unit; in space-time at most.
    error : float or None
        ``|e| / |m - e|``, e being what the discrete system makes of the model's own residual, taken
        by automatic differentiation at the nodes and beside them (the larger of the two): the
        relative error of the model itself, to the accuracy of the discretisation, also far below
        the other two (:func:`~dtpinn.problem.direct.defect.errors_by_defect`). None in space-time,
        in float32, of values that are no model, and with somebody's own matrices. Of a network with
        about as many parameters as there are equations it was up to six times too low.

    Notes
    -----
    By the triangle inequality the error of the model is about ``distance + discretisation`` at
    most. It may be far less: training by defect correction goes below the floor of the matrices.

    In space-time both norms run over all slices, and u_p is the semi-discrete solution: the
    matrices of order p in space, and time integrated to 1e-10 (:func:`dtpinn.problem.integrate`).
    So `distance` holds what training has left and what the slices are too few for: a loss on slices
    does not see between them.
    """

    distance: float
    discretisation: float | None
    unresolved: float | None = None
    by_field: dict[str, tuple[float, float | None]] = field(default_factory=dict)
    constraints: dict[str, float] = field(default_factory=dict)
    error: float | None = None

    @property
    def resolved(self) -> bool | None:
        """Whether the nodes resolve the solution, so that the figures mean something."""
        return None if self.unresolved is None else self.unresolved <= RESOLVED

    @property
    def total(self) -> float:
        """The error where it is known, else the sum of what is known of the two distances."""
        if self.error is not None:
            return self.error
        return self.distance + (self.discretisation or 0.0)

    @property
    def at_most(self) -> float:
        """The same with what the equation's residual between the nodes lets one fear."""
        floor = max(self.discretisation or 0.0, SHARE * (self.unresolved or 0.0))
        return max(self.distance + floor, self.error or 0.0)

    def __str__(self) -> str:
        return self._figures() + self._of_fields() + self._doubt() + self._of_constraints()

    def _of_constraints(self) -> str:
        if not self.constraints:
            return ""
        told = ", ".join(f"{name} by {missed:.1e}" for name, missed in self.constraints.items())
        return f"; of the constraints it misses {told}"

    def _of_fields(self) -> str:
        if not self.by_field:
            return ""
        told = (
            f"{name} {distance:.1e}" + ("" if other is None else f" + {other:.1e}")
            for name, (distance, other) in self.by_field.items()
        )
        return f" ({', '.join(told)})"

    def _doubt(self) -> str:
        if self.unresolved is None:
            return ""
        left = f"between the nodes {100 * self.unresolved:.2g}% of the equation's terms are left"
        if not self.resolved:
            return f"; NOT RESOLVED: {left}; the error may be far larger. Use a smaller spacing"
        known = self.discretisation
        if known is None or SHARE * self.unresolved <= 2.0 * known:
            return ""
        return f" (up to {self.at_most:.1e} if the solution is singular or hardly resolved: {left})"

    def _figures(self) -> str:
        if self.error is not None:
            own = (
                ""
                if self.discretisation is None
                else (f", whose own error is about {self.discretisation:.1e}")
            )
            return (
                f"relative l2 error about {self.error:.1e} by the exact residual; "
                f"{self.distance:.1e} from the discrete solution{own}"
            )
        if self.discretisation is None:
            return (
                f"{self.distance:.1e} from the discrete solution (relative l2); the error of the "
                "discretisation is not known: there are no matrices of the next order"
            )
        return (
            f"relative l2 error about {self.total:.1e}: {self.distance:.1e} from the discrete "
            f"solution, {self.discretisation:.1e} of the discretisation"
        )


def relative_distance(problem: Problem, a: Tensor, b: Tensor) -> float:
    """Return |a - b| / |b| of values (n,) or (n, fields), each field in its expected size."""
    if b.dim() == 2:
        unit = torch.tensor(problem.scales.unit, dtype=b.dtype, device=b.device)
        a, b = a / unit, b / unit
    return float((a - b).norm() / b.norm())


def distances_of_fields(
    names: tuple[str, ...], u: Tensor, solution: Tensor, finer: Tensor | None
) -> dict[str, tuple[float, float | None]]:
    """Return distance and discretisation of each field (n, fields) by itself; {} of one field."""
    if solution.dim() < 2:
        return {}

    def apart(a: Tensor, b: Tensor) -> list[float]:
        found: list[float] = ((a - b).norm(dim=0) / b.norm(dim=0)).tolist()
        return found

    others = [None] * len(names) if finer is None else apart(solution, finer)
    return dict(zip(names, zip(apart(u, solution), others, strict=True), strict=True))
