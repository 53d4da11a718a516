"""Manufactured: any equation at all, shifted so that a chosen function solves it."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

from torch import Tensor

from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.equation import PDE, Condition
from dtpinn.pde.exact import Solution, boundary_data, initial_residual, source
from dtpinn.pde.known import Known
from dtpinn.pde.on_parts import conditions_on_parts


class Manufactured(PDE):
    """A PDE minus what it leaves over at `u`, in its residual and in each of its conditions.

    The method of manufactured solutions in one line, for anybody's equation: linear or not, a
    system or in space-time, conditions on the whole boundary or by part. What is subtracted is
    computed by automatic differentiation, once per point set.

    Parameters
    ----------
    pde : PDE
        Its unknown coefficients stay unknown, and u is the solution at the values that they have
        now, whatever training makes of them.
    u : callable
        The solution, x (n, d) -> (n,) or (n, fields), written with torch functions; (x, t) in
        space-time.
    start : float
        The first of the times, that of the initial condition.

    Examples
    --------
    >>> import torch, dtpinn
    >>> class Bratu(dtpinn.PDE):
    ...     def residual(self, u, D, x):
    ...         return D.laplacian(u) + torch.exp(u)
    ...     def boundary(self, u, D, x, n):
    ...         return u
    >>> u = lambda x: torch.sin(x[:, 0] + x[:, 1])
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> problem = dtpinn.vanilla(dtpinn.pde.Manufactured(Bratu(), u), nodes)
    >>> bool(problem.loss(u) < 1e-25)
    True
    """

    def __init__(self, pde: PDE, u: Solution, start: float = 0.0) -> None:
        super().__init__()
        if not isinstance(pde, PDE):
            raise TypeError(f"Manufactured: expected a dtpinn.PDE, got {type(pde).__name__}")
        self.pde, self.solution = pde, u
        # A copy, so that what is learnt does not change the problem that it is learnt from.
        frozen = copy.deepcopy(pde).requires_grad_(False)
        self._left_inside = Known(source(u, frozen.residual))
        self._left_on_boundary = Known(boundary_data(u, frozen.boundary))
        self._left_by_part = {
            part: [Known(boundary_data(u, condition)) for condition in several]
            for part, several in self._own_by_part(frozen).items()
        }
        self._left_at_start = Known(initial_residual(u, frozen.initial, start))

    @property
    def fields(self) -> int | Sequence[str]:  # type: ignore[override]
        """The unknowns: the equation's own."""
        return self.pde.fields

    @property
    def has_conditions(self) -> bool:
        """Whether the equation itself has."""
        return self.pde.has_conditions

    def residual(self, u: Tensor, D: Derivatives, x: Tensor, *t: Tensor) -> Tensor:
        """Return the equation's residual less that of the solution."""
        return self.pde.residual(u, D, x, *t) - self._left_inside(x, *t)

    def boundary(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the boundary condition's residual less that of the solution."""
        return self.pde.boundary(u, D, x, n, *t) - self._left_on_boundary(x, n, *t)

    def initial(self, u: Tensor, D: Derivatives, x: Tensor) -> Tensor:
        """Return the initial condition's residual less that of the solution."""
        return self.pde.initial(u, D, x) - self._left_at_start(x)

    def conditions(self) -> Mapping[str, Sequence[Condition]]:
        """Return each part's conditions less what they leave over at the solution."""
        return {
            part: [_Shifted(*pair) for pair in zip(several, self._left_by_part[part], strict=True)]
            for part, several in self._own_by_part(self.pde).items()
        }

    @staticmethod
    def _own_by_part(pde: PDE) -> Mapping[str, Sequence[Condition]]:
        """The conditions by part, if they were given so."""
        return conditions_on_parts(pde) if pde.conditions() else {}


class _Shifted:
    """A condition less what it leaves over at the solution.

    Attributes
    ----------
    field : int or tuple of int, or None
        Which fields the condition is about, as it says itself.
    """

    def __init__(self, own: Condition, left: Known) -> None:
        self._own, self._left = own, left
        self.field = getattr(own, "field", None)

    def __call__(self, u: Tensor, D: Derivatives, x: Tensor, n: Tensor, *t: Tensor) -> Tensor:
        """Return the residual on the boundary points."""
        own: Tensor = self._own(u, D, x, n, *t)
        return own - self._left(x, n, *t)
