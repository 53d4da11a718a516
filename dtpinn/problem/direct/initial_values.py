"""The values that an initial condition asks for."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.problem.pointwise import checked_diagonals
from dtpinn.problem.posed import Posed

MAX_ITERATIONS = 50


def initial_values(posed: Posed, start: Floats, units: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Solve ``initial(u, x) = 0`` at every node of X by Newton's method, pointwise.

    Fields of which it says nothing stay as they were: what an algebraic equation determines, such
    as a pressure, needs no initial value: `integrate` finds it afterwards. ``u - u_0(x)`` takes
    one step.

    Parameters
    ----------
    posed : Posed
        In space-time.
    start : (nodes,) or (nodes, fields) array on X~
    units : (fields,) array
        The expected size of each field.

    Returns
    -------
    values : array of the shape of `start`
        A ghost has the value of its boundary node, and no equation uses it.
    determined : (fields,) bool array
        Which fields the condition is about.

    Raises
    ------
    RuntimeError
        If it does not converge.
    """
    x = torch.tensor(posed.nodes.collocation, device=posed.device)
    u = torch.tensor(start[: posed.nodes.count], dtype=torch.float64, device=posed.device)
    first = None
    for _ in range(MAX_ITERATIONS):
        newton = _Step(posed, u, x, units)
        first = newton.residual if first is None else first
        u = u + newton.step
        if newton.size(newton.step) <= 1e-14 * newton.size(u):
            break
    newton = _Step(posed, u, x, units)
    left = newton.residual
    if not left <= 1e-10 * max(first or 0.0, newton.size(u)):
        raise RuntimeError(
            f"initial(): Newton's method cannot solve it for u; the residual fell from {first:.3g} "
            f"to {left:.3g}. Write it as u - u_0(x), or start from a better guess"
        )
    values = posed.with_ghosts(u.cpu().numpy())
    return values, newton.slopes.any(dim=0).any(dim=0).cpu().numpy()


class _Step:
    """A step of Newton's method in natural units: fields and equations each in their size.

    Attributes
    ----------
    slopes : Tensor, (n, equations, fields)
    step : Tensor of the shape of u
        The least one that removes the residual.
    residual : float
        l2 norm, in natural units.
    """

    def __init__(self, posed: Posed, u: Tensor, x: Tensor, units: Floats) -> None:
        initial = posed.pde.initial
        u = u.detach().requires_grad_()
        with torch.enable_grad():
            r = initial(u, x)
        equations = r[:, None] if r.dim() == 1 else r
        told = "initial", initial
        parts = [torch.from_numpy(checked_diagonals(r, [u], *told)[0]) for r in equations.unbind(1)]
        self.slopes = torch.stack(parts, dim=1).to(u.device)
        self._units = torch.tensor(units, dtype=torch.float64, device=u.device)
        sizes = (self.slopes.abs() * self._units).amax(dim=(0, 2))
        rows = 1.0 / torch.where(sizes > 0.0, sizes, 1.0)
        natural = rows * equations.detach()
        slopes = rows[:, None] * self.slopes * self._units
        step = -torch.linalg.pinv(slopes) @ natural[..., None]
        self.step = (self._units * step[..., 0]).reshape(u.shape)
        self.residual = float(natural.norm())

    def size(self, u: Tensor) -> float:
        """l2 norm of values of all fields, in natural units."""
        return float((u.reshape(len(u), -1) / self._units).norm())
