"""CornerFlow: the flow at a corner between two walls of different velocities."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from dtpinn.pde.derivatives import Derivatives
from dtpinn.pde.known import Known
from dtpinn.pde.value_jumps import ValueJump


class CornerFlow:
    """What stencils miss of the flow at a corner where the velocity jumps.

    At a jump every flow is that of a scraper (Taylor 1962, in: Miszaldi volume, p. 313): with polar
    coordinates around the corner and the unit vectors e_r, e_t along them,

        u = integral of (a . e_t) e_r over the angle,   p = viscosity (a . e_r) / r,

    which solves Stokes' equations, has a speed that depends on the angle alone, and jumps from the
    one wall to the other if the vector a is chosen so. Its gradient is infinite in the corner, and
    no stencil sees it: what is wrong there is a source of mass as large as the spacing. But the
    gradient is known. So its exact values take the place of those that matrices find: the matrices
    act on what is left, which has no jump.

    Parameters
    ----------
    jump : ValueJump
        Its values are those of u, v and p, the last of no interest.

    Examples
    --------
    The end of a cavity's lid: div u = 0, and the pressure is viscosity * 1.36 / r along the lid.

    >>> import numpy as np
    >>> given = np.array([[1.0, 0.0, np.nan], [0.0, 0.0, np.nan]])
    >>> lid = ValueJump(np.array([1.0, 1.0]), np.pi, np.pi / 2, given, reach=1.0)
    >>> flow = CornerFlow(lid)
    >>> x = torch.tensor([[0.0, 1.0], [1.0, 0.5]], dtype=torch.float64)
    >>> flow.gradient(x)[:, [0, 1], [0, 1]].sum(1).abs().max() < 1e-15
    tensor(True)
    >>> flow(torch.zeros(2, 3), x).round(decimals=2)
    tensor([[ 0.0000,  0.0000,  1.3600],
            [-1.0000,  0.0000,  4.2800]], dtype=torch.float64)
    """

    def __init__(self, jump: ValueJump) -> None:
        self._place, self._reach = jump.place, jump.reach
        self._start, self._angle = jump.start, jump.angle
        step = np.diff(jump.values[:, :2], axis=0)[0]
        end = torch.tensor(jump.start + jump.angle, dtype=torch.float64)
        at_end = _turned(end, jump.start).numpy()
        self._step, self._a = step, np.linalg.solve(at_end, step)
        self._values = Known(self._flow)
        self.gradient, self.laplacian = Known(self._gradient), Known(self._laplacian)
        self._near = Known(self._within_reach)

    def __call__(self, u: Tensor, x: Tensor) -> Tensor:
        """Return velocity less that of the first wall, and pressure / viscosity, (n, 3).

        In the corner: half of the jump, as the value there is the mean of both; no pressure. A
        function of the unknown, for ``D``, which does not depend on it.
        """
        return self._values(x) + 0.0 * u

    def missed_gradient(self, D: Derivatives, x: Tensor) -> Tensor:
        """Return what the gradient by D lacks of that of :meth:`__call__`, (n, 3, 2)."""
        missed = self.gradient(x) - D.gradient(self)
        return self._near(x)[:, None, None] * missed

    def missed_laplacian(self, D: Derivatives, x: Tensor) -> Tensor:
        """Return what the Laplacian by D lacks, (n, 3)."""
        return self._near(x)[:, None] * (self.laplacian(x) - D.laplacian(self))

    def _polar(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Distance, angle, whether it is the corner itself, and the place from there.

        The angle jumps opposite to the corner's middle, outside of the domain. In the corner itself
        all is 1, for automatic differentiation.
        """
        y = x - x.new_tensor(self._place)
        square = y.square().sum(dim=1)
        corner = square.detach() < 1e-24 * self._reach**2
        y = torch.where(corner[:, None], torch.ones_like(y), y)
        middle = self._start + self._angle / 2
        c, s = math.cos(middle), math.sin(middle)
        angle = torch.atan2(c * y[:, 1] - s * y[:, 0], c * y[:, 0] + s * y[:, 1]) + middle
        return torch.where(corner, torch.zeros_like(square), square).sqrt(), angle, corner, y

    def _within_reach(self, x: Tensor) -> Tensor:
        return (self._polar(x)[0] < self._reach).to(x.dtype)

    def _flow(self, x: Tensor) -> Tensor:
        _, angle, corner, y = self._polar(x)
        a = x.new_tensor(self._a)
        velocity = torch.einsum("...ij,j->...i", _turned(angle, self._start), a)
        pressure = (y @ a) / y.square().sum(dim=1)
        flow = torch.cat([velocity, pressure[:, None]], dim=1)
        within = x.new_tensor([*self._step / 2, 0.0])
        return torch.where(corner[:, None], within, flow)

    def _gradient(self, x: Tensor) -> Tensor:
        _, _, corner, y = self._polar(x)
        r = y.square().sum(dim=1, keepdim=True).sqrt()
        e_r = y / r
        e_t = torch.stack([-e_r[:, 1], e_r[:, 0]], dim=1)
        along, across = (e @ x.new_tensor(self._a) for e in (e_r, e_t))
        of_velocity = (across[:, None] / r)[:, :, None] * e_r[:, :, None] * e_t[:, None, :]
        of_pressure = (across[:, None] * e_t - along[:, None] * e_r) / r**2
        both = torch.cat([of_velocity, of_pressure[:, None, :]], dim=1)
        return torch.where(corner[:, None, None], torch.zeros_like(both), both)

    def _laplacian(self, x: Tensor) -> Tensor:
        """Of the velocity it is the gradient of the pressure / viscosity, of the pressure 0."""
        of_velocity = self._gradient(x)[:, 2]
        return torch.cat([of_velocity, torch.zeros_like(of_velocity[:, :1])], dim=1)


def _turned(angle: Tensor, start: float) -> Tensor:
    """The integral of e_r e_t^T from an angle to others, (..., 2, 2)."""
    cos = torch.cos(2 * angle) - math.cos(2 * start)
    sin = torch.sin(2 * angle) - math.sin(2 * start)
    half = (angle - start) / 2
    rows = [torch.stack([cos / 4, half + sin / 4], -1), torch.stack([sin / 4 - half, -cos / 4], -1)]
    return torch.stack(rows, dim=-2)
