"""The values that an initial condition asks for, and of second order in time the rates."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.problem.discrete_system import DiscreteSystem
from dtpinn.problem.jacobian.linear_derivatives import LinearDerivatives, NodalState
from dtpinn.problem.jacobian.linearize import in_double
from dtpinn.problem.pointwise import checked_diagonals
from dtpinn.problem.posed import Posed

MAX_ITERATIONS = 50


def initial_values(system: DiscreteSystem, start: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Solve ``initial(u, D, x) = 0`` at every node of X by Newton's method, pointwise.

    Fields of which it says nothing stay as they were: what an algebraic equation determines, such
    as a pressure, needs no initial value: `integrate` finds it afterwards. ``u - u_0(x)`` takes
    one step. Derivatives in space are those of the iterate before, so that ``D.time(u) + c
    D.partial(u, 0)`` takes two, once u itself is known.

    Parameters
    ----------
    system : DiscreteSystem
        In space-time.
    start : (nodes,) or (nodes, fields) array on X~

    Returns
    -------
    values : (order, ...) array, each of the shape of `start`
        u, and of second order in time du/dt. A ghost has the value of its boundary node, and no
        equation uses it.
    determined : (order, fields) bool array
        Which fields, and which rates, the condition is about.

    Raises
    ------
    RuntimeError
        If it does not converge.
    """
    posed = system.posed
    u = torch.tensor(start[: posed.nodes.count], dtype=torch.float64, device=posed.device)
    # A rate that the equations do not start from may stand in the condition all the same.
    state, first = torch.stack([u, torch.zeros_like(u)]), None
    for _ in range(MAX_ITERATIONS):
        newton = _Step(system, state)
        first = newton.residual if first is None else first
        state = state + newton.step
        if newton.size(newton.step) <= 1e-14 * newton.size(state):
            break
    newton = _Step(system, state)
    left = newton.residual
    if not left <= 1e-10 * max(first or 0.0, newton.size(state)):
        raise RuntimeError(
            f"initial(): Newton's method cannot solve it for u; the residual fell from {first:.3g} "
            f"to {left:.3g}. Write it as u - u_0(x), or start from a better guess; derivatives in "
            "space are for the rate alone, D.time(u) + D.partial(u, 0)"
        )
    order = posed.time_order
    values = [posed.with_ghosts(part.cpu().numpy()) for part in state[:order]]
    told = newton.slopes.any(dim=0).any(dim=0).reshape(2, -1)[:order]
    return np.array(values), told.cpu().numpy()


class _Step:
    """A step of Newton's method in natural units: fields and equations each in their size.

    Attributes
    ----------
    slopes : Tensor, (n, equations, 2 fields)
        In the values of the fields, then in their rates.
    step : Tensor of the shape of the state
        The least one that removes the residual.
    residual : float
        l2 norm, in natural units.
    """

    def __init__(self, system: DiscreteSystem, state: Tensor) -> None:
        posed = system.posed
        assert posed.initial is not None
        with in_double(posed.pde), torch.enable_grad():
            here = _here(posed, state)
            D = LinearDerivatives(
                system.matrices, posed.initial.name, _everywhere(posed, state[0]), here,
                posed.slices.beginning(),
            )  # fmt: skip
            r = posed.pde.initial(here.u, D, here.x)
        equations = r[:, None] if r.dim() == 1 else r
        told = "initial", posed.pde.initial
        parts = [
            checked_diagonals(column, [here.u, *here.rates], *told)
            for column in equations.unbind(1)
        ]
        slopes = [torch.from_numpy(np.concatenate(part, axis=1)) for part in parts]
        self.slopes = torch.stack(slopes, dim=1).to(state.device)
        # Rates in the unit that changes a field by its own size from the first time to the last.
        in_time = np.concatenate([system.units, system.units / posed.slices.duration])
        self._units = torch.tensor(in_time, dtype=torch.float64, device=state.device)
        sizes = (self.slopes.abs() * self._units).amax(dim=(0, 2))
        rows = 1.0 / torch.where(sizes > 0.0, sizes, 1.0)
        natural = rows * equations.detach()
        slopes_ = rows[:, None] * self.slopes * self._units
        step = self._units * (-torch.linalg.pinv(slopes_) @ natural[..., None])[..., 0]
        self.step = step.reshape(len(step), 2, -1).swapaxes(0, 1).reshape(state.shape)
        self.residual = float(natural.norm())

    def size(self, state: Tensor) -> float:
        """l2 norm of values of all fields and their rates, in natural units."""
        rows = state.reshape(2, state.shape[1], -1).swapaxes(0, 1).flatten(1)
        return float((rows / self._units).norm())


def _here(posed: Posed, state: Tensor) -> NodalState:
    u, rate = (part.detach().requires_grad_() for part in state)
    x = torch.tensor(posed.nodes.collocation, device=posed.device)
    return NodalState(u, (rate,), x, torch.full_like(x[:, 0], posed.slices.first))


def _everywhere(posed: Posed, u: Tensor) -> NodalState:
    """On X~, for matrices that read nothing of the ghosts."""
    x = torch.tensor(posed.nodes.extended, device=posed.device)
    values = torch.from_numpy(posed.with_ghosts(u.detach().cpu().numpy())).to(posed.device)
    t = torch.full_like(x[:, 0], posed.slices.first)
    return NodalState(values.requires_grad_(), (), x, t)
