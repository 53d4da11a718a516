"""How sure coefficients found from data are: what the least squares give for nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dtpinn.pde import PDE
from dtpinn.problem.automatic_problem import AutomaticProblem
from dtpinn.problem.data_regions import DataRegion
from dtpinn.problem.jacobian.backward_rows import backward_rows
from dtpinn.problem.stencil_problem import StencilProblem

# Singular values of the Jacobian, its columns of length 1, beside the largest: along what is below,
# a training does not move.
_MOVES = 1e-7
# Standard deviations of a variance: misfits beyond are no longer those of the noise that was given.
_SIGNIFICANT = 5.0


@dataclass(frozen=True)
class Uncertainty:
    """Covariance of everything that was learnt, by way of the noise of the data.

    Made by ``result.uncertainty``.

    Attributes
    ----------
    noise : dict of name to float
        Standard deviation of the errors of each set of data, in its units, at a point of mean
        weight: as it was given, or as the misfits show it.
    standard_errors : dict of name to float
        Of the unknown coefficients that are single numbers.
    covariance : (k, k) Tensor
        Of these, in their order.
    """

    noise: dict[str, float]
    standard_errors: dict[str, float]
    covariance: Tensor
    _parameters: list[Tensor]
    _spread: Tensor  # (parameters, data): what an error of each datum, of its size, moves

    def __repr__(self) -> str:
        told = ", ".join(f"{name} +- {error:.3g}" for name, error in self.standard_errors.items())
        noise = ", ".join(f"{name} {sigma:.3g}" for name, sigma in self.noise.items())
        return f"Uncertainty({told or 'no single numbers'}; noise of {noise})"

    def of(self, function: Callable[[], Tensor]) -> Tensor:
        """Return the standard errors of values that depend on what was learnt, of their shape.

        Parameters
        ----------
        function : callable
            () -> Tensor with its graph: ``lambda: pde.k(points)`` of a coefficient that is a
            network, ``lambda: model(points)`` of the solution.
        """
        with torch.enable_grad():
            values = function()
        slopes = backward_rows(values.reshape(-1), self._parameters, None)
        errors: Tensor = torch.linalg.vector_norm(slopes.double() @ self._spread, dim=1)
        return errors.reshape(values.shape)


def uncertainty(problem: StencilProblem | AutomaticProblem, model: nn.Module) -> Uncertainty:
    """Return how much the noise of the data lets coefficients vary, at the end of a training.

    The minimum of the loss answers to errors e of the data, to first order, with ``A^+ e``, A being
    the Jacobian of all weighted residuals, those of the data in its last rows; the covariance is
    ``tau^2 A^+ P (A^+ P)'``, where P takes the data's rows. So the network's parameters are taken
    into account, whatever the data leave open of them, and only the data are thought of as noisy:
    equation and conditions are not, and how much they weigh changes the estimate's variance but not
    whether this is it. (Were all residuals noise of one size, it would be the well-known
    ``sigma^2 (A' A)^-1``.)

    Assumed is that errors of data are independent, of one size within a set (inversely to the root
    of the weights, where points have some), that the training has converged, that discretisation
    and network are good to less than these errors, and that a small change of the data changes all
    linearly. With weights far above the balanced ones the model follows the noise, and the last two
    fail: with a hundred times those, 65 of 100 intervals of two standard errors held the truth,
    with the balanced ones 95. Where the noise was not given, it is estimated from the misfits:
    their sum of squares over their number less the trace of the data's block of ``A A^+``.

    Parameters
    ----------
    problem : from :func:`dtpinn.discretize` or :func:`dtpinn.vanilla`
        With data.
    model : nn.Module
        Trained.

    Raises
    ------
    ValueError
        Without data, or with no more of them than what they are to tell, if the noise is not known.

    Warns
    -----
    UserWarning
        If the misfits are far larger than the noise that was given.

    Examples
    --------
    >>> import numpy as np, dtpinn
    >>> from torch import nn
    >>> class Membrane(dtpinn.PDE):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.s = nn.Parameter(torch.zeros((), dtype=torch.float64))
    ...     def residual(self, u, D, x):
    ...         return D.laplacian(u) - self.s
    ...     def boundary(self, u, D, x, n):
    ...         return u
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> x = nodes.interior[::4]
    >>> response = (1 - (x**2).sum(1)) / 4  # of u to s
    >>> seen = -2.0 * response + 0.01 * np.random.default_rng(0).standard_normal(len(x))
    >>> problem = dtpinn.discretize(Membrane(), nodes, data=[dtpinn.Data(x, seen)])
    >>> model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    >>> result = dtpinn.fit(model, problem, epochs=40, optimizer="gauss-newton")
    >>> sure = result.uncertainty
    >>> by_hand = sure.noise["data"] / np.sqrt((response**2).sum())
    >>> bool(abs(sure.standard_errors["s"] - by_hand) < 0.1 * by_hand)
    True
    """
    if not problem.posed.data:
        raise ValueError(
            "uncertainty: the problem has no data; give it discretize(..., data=[dtpinn.Data(...)])"
        )
    system = problem.least_squares(model)
    learnt: list[Tensor] = list(system.parameters)
    r, A = system.residual().double(), system.jacobian().double()
    length = A.norm(dim=0)
    length = torch.where(length > 0.0, length, 1.0)
    U, s, Vt = torch.linalg.svd(A / length, full_matrices=False)
    kept = s > _MOVES * s[0]
    U, s, Vt = U[:, kept], s[kept], Vt[kept]
    noise, pieces = {}, []
    first = len(r) - sum(region.values.numel() for region in problem.posed.data)
    for region in problem.posed.data:
        rows = slice(first, first + region.values.numel())
        first = rows.stop
        scale = _scale(problem, region)
        sigma = _noise(region, r[rows] / scale, float(U[rows].square().sum()))
        pieces.append(sigma * scale * U[rows])
        if not region.prior:
            noise[region.name] = sigma
    spread = ((Vt.T / s) @ torch.cat(pieces).T) / length[:, None]
    names, places = _single_numbers(problem.pde, learnt)
    factor = spread[places]
    covariance = factor @ factor.T
    errors = dict(zip(names, covariance.diagonal().sqrt().tolist(), strict=True))
    return Uncertainty(noise, errors, covariance, learnt, spread)


def _noise(region: DataRegion, misfits: Tensor, fitted: float) -> float:
    """As it is known, or as it is left in misfits of which so many have been fitted."""
    if region.prior:
        assert region.noise is not None
        return region.noise
    free = len(misfits) - fitted
    if not region.noise and free < 0.5:
        raise ValueError(
            f"uncertainty: network and coefficients are free to follow all {len(misfits)} values "
            f"of {region.name!r}, so what is left of their misfits tells no noise; more data are "
            "needed, fewer unknowns, a smaller weight of the data, or Data(..., noise=...)"
        )
    found = float((misfits.square().sum() / max(free, 0.5)).sqrt())
    if not region.noise:  # of exact data it is the error of discretisation and training
        return found
    if found**2 > region.noise**2 * (1.0 + _SIGNIFICANT * (2.0 / max(free, 0.5)) ** 0.5):
        warnings.warn(
            f"uncertainty: the misfits of {region.name!r} are those of a noise of {found:.3g}, and "
            f"{region.noise:.3g} was given: standard errors are too small, or mean nothing. "
            "Training has not converged, the equation does not describe the data, or the noise is "
            "larger",
            stacklevel=4,
        )
    return region.noise


def _scale(problem: StencilProblem | AutomaticProblem, region: DataRegion) -> float:
    """What the loss multiplies a misfit of mean weight by."""
    weight = problem.weights[region.name]
    first = weight[0] if isinstance(weight, tuple) else weight
    return float((first * float(region.emphasis.mean()) / region.share) ** 0.5)


def _single_numbers(pde: PDE, parameters: list[Tensor]) -> tuple[list[str], list[int]]:
    """Names of the coefficients that are single numbers, and their places among the parameters."""
    starts, first = {}, 0
    for parameter in parameters:
        starts[id(parameter)] = first
        first += parameter.numel()
    found = {
        name: starts[id(p)]
        for name, p in pde.named_coefficients()
        if p.requires_grad and p.numel() == 1
    }
    return list(found), list(found.values())
