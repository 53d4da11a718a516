"""Least squares for the weights of the last layer: a linear equation solved in one step."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

import torch
from torch import Tensor

from dtpinn.optim import stopping
from dtpinn.optim.options import check_options
from dtpinn.optim.resumable import Resumable
from dtpinn.optim.squared_residuals import LeastSquares

# Of the loss: what a step would lower it by is lost in rounding below that.
_NOTHING = 1e-9
# How near to the least loss a step has to come, and how much of the loss it may leave for the next.
_NEAR, _AT_ONCE = 2.0, 1e-6
# Halvings of a step that does not lower the loss.
_HALVINGS = 20


class HasLastLayer(LeastSquares, Protocol):
    """Residuals that know the Jacobian in the weights of a last layer."""

    def last_layer(self) -> tuple[list[Tensor], Tensor]:
        """Return these weights, and the Jacobian in them (m, size)."""
        ...


class LastLayer(Resumable):
    """Gauss-Newton in the weights of the last layer alone, by a singular value decomposition.

    The value of a network is linear in them, so of a linear equation the residuals are as well: one
    step is the minimum for the hidden layers as they are. With hidden layers as they were drawn
    these are *random features* (Rahimi & Recht 2007; extreme learning machines: Dwivedi &
    Srinivasan, arXiv:1907.03507), which a wide network has enough of for many digits, in less than
    a second. Of a nonlinear equation it takes some steps. Features are nearly dependent, so the
    squares of normal equations would lose half of the digits.

    Parameters
    ----------
    params : iterable of Tensor
        All that is learnt; only the last layer's move.
    least : float
        Stops where a step has lowered the loss by less than this part of it.

    Attributes
    ----------
    iterations, evaluations : int
    stop_reason : str or None

    Raises
    ------
    TypeError, ValueError
        For options or parameters it cannot work with, naming them.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> exact = lambda x: torch.exp(x[:, 0]) * torch.sin(x[:, 1])
    >>> problem = dtpinn.discretize(dtpinn.Poisson.from_solution(exact), nodes)
    >>> model = dtpinn.MLP(2, width=200, depth=1, seed=0)
    >>> result = dtpinn.fit(model, problem, optimizer="last-layer", epochs=5)
    >>> result.relative_error(exact) < 1e-6
    True
    """

    def __init__(self, params: Iterable[Tensor], *, least: float = 0.1) -> None:
        check_options("LastLayer", {"least": least})
        super().__init__(params, {"least": least})
        self.iterations = self.evaluations = 0
        self.stop_reason: str | None = None

    @torch.no_grad()
    def step(self, closure: Any) -> float:  # type: ignore[override]
        """Take one step.

        Parameters
        ----------
        closure : HasLastLayer
            ``problem.corrected_least_squares(model)``.

        Returns
        -------
        float
            The loss at the start of the step.
        """
        if not hasattr(closure, "last_layer"):
            raise TypeError(
                "LastLayer.step: expected problem.corrected_least_squares(model), got "
                f"{type(closure).__name__}"
            )
        system: HasLastLayer = closure
        self.stop_reason = None
        r = self._residual(system)
        before = _square(r)
        weights, A = system.last_layer()
        self.evaluations += 1
        found = _least_squares(A, -r)
        v = found.to(weights[0])
        left = _square(r.double().cpu() + A.double().cpu() @ found)
        if before - left <= _NOTHING * before:
            self.stop_reason = f"at the minimum in the last layer: the loss is {before:.6g}"
            return before
        kept = [w.clone() for w in weights]
        for halving in range(_HALVINGS):
            _move(weights, kept, v * 0.5**halving)
            after = _square(self._residual(system))
            if after < before:  # false also for NaN
                self.iterations += 1
                least = self.param_groups[0]["least"]
                self.stop_reason = stopping.stagnation(before, after, 1, least)
                return before
        _move(weights, kept, torch.zeros_like(v))
        self.stop_reason = f"no step in the last layer lowers the loss {before:.6g}"
        return before

    def _residual(self, system: LeastSquares) -> Tensor:
        self.evaluations += 1
        return system.residual()

    # What is kept: see Resumable

    def _allocate(self) -> None:
        pass

    def _memory(self) -> dict[str, Any]:
        return {
            "iterations": self.iterations,
            "evaluations": self.evaluations,
            "stop_reason": self.stop_reason,
        }

    def _remember(self, memory: dict[str, Any]) -> None:
        self.iterations, self.evaluations = memory["iterations"], memory["evaluations"]
        self.stop_reason = memory["stop_reason"]


def _move(weights: list[Tensor], kept: list[Tensor], v: Tensor) -> None:
    """Write kept + v into the weights."""
    parts = torch.split(v, [w.numel() for w in weights])
    for w, before, part in zip(weights, kept, parts, strict=True):
        w.copy_(before + part.view_as(w))


def _square(r: Tensor) -> float:
    return float(r.double().square().sum())


def _least_squares(A: Tensor, b: Tensor) -> Tensor:
    """A minimiser of |A v - b|, nearly: of as few singular values as bring it near to the least.

    What the small ones add is large weights that hardly change anything: above all the rounding of
    an equation that is far from solved, or not linear. The next step takes what is left.
    """
    A, b = A.double().cpu(), b.double().cpu()
    Q = None
    if A.shape[0] > A.shape[1]:
        Q, A = torch.linalg.qr(A)
    U, sigma, Vt = torch.linalg.svd(A, full_matrices=False)
    parts = U.T @ (b if Q is None else Q.T @ b)
    parts[sigma <= torch.finfo(torch.float64).eps * sigma[0]] = 0.0
    whole = b.square().sum()
    gained = parts.square().cumsum(0)
    enough = whole - (_NEAR * (whole - gained[-1]).clamp_min(0.0) + _AT_ONCE * whole)
    count = int(torch.searchsorted(gained, enough).clamp_max(len(sigma) - 1)) + 1
    v: Tensor = Vt[:count].T @ (parts[:count] / sigma[:count])
    return v
