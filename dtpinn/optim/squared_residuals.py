"""What Gauss-Newton asks of a loss: residuals whose sum of squares it is, and their Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor


class LeastSquares(Protocol):
    """Residuals r(w), the loss ``|r|^2``, and the Jacobian A = dr/dw at the present parameters.

    Attributes
    ----------
    parameters : sequence of Tensor
        w, in the order of the Jacobian's columns: the optimiser's own parameters.
    sizes : sequence of int
        How many rows each kind of residual has, in their order. Where rows are sampled, a kind with
        few of them (a boundary condition) keeps its say.
    """

    @property
    def parameters(self) -> Sequence[Tensor]:
        """Return w."""
        ...

    @property
    def sizes(self) -> Sequence[int]:
        """Return the numbers of rows."""
        ...

    def residual(self) -> Tensor:
        """Return r (m,) at the present parameters, a tensor of its own."""
        ...

    def jacobian(self, rows: Tensor | None = None) -> Tensor:
        """Return A (m, p) at the present parameters, or those of its rows: (k, p).

        A tensor of its own as well, which whoever has asked for rows may write into.
        """
        ...


class ResidualFunction:
    """A function that returns residuals with their graph, as :class:`LeastSquares`.

    The Jacobian takes a batched backward pass over the rows, so this is for residuals by the
    hundreds; a discrete problem has a sparse product for it.

    Parameters
    ----------
    function : callable
        () -> (m,), differentiable in the parameters.
    parameters : sequence of Tensor

    Examples
    --------
    >>> w = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    >>> system = ResidualFunction(lambda: w**2 - 3.0, [w])
    >>> system.residual(), system.jacobian()
    (tensor([-2.,  1.]), tensor([[2., 0.],
            [0., 4.]]))
    """

    def __init__(self, function: Callable[[], Any], parameters: Sequence[Tensor]) -> None:
        self._function, self.parameters = torch.enable_grad()(function), parameters
        self._size = 0

    @property
    def sizes(self) -> Sequence[int]:
        """One kind of residual; known once it was evaluated."""
        return (self._size,)

    def residual(self) -> Tensor:
        """Return the function's value, checked."""
        return self._checked().detach().clone()

    def jacobian(self, rows: Tensor | None = None) -> Tensor:
        """Return the Jacobian (m, p), or some of its rows."""
        r = self._checked()
        seeds = torch.eye(len(r), dtype=r.dtype, device=r.device)
        columns = torch.autograd.grad(
            r, self.parameters, seeds if rows is None else seeds[rows], is_grads_batched=True,
            allow_unused=True, materialize_grads=True,
        )  # fmt: skip
        return torch.cat([column.reshape(len(column), -1) for column in columns], dim=1)

    def _checked(self) -> Tensor:
        r = self._function()
        if not isinstance(r, Tensor) or r.dim() != 1 or len(r) == 0:
            got = f"shape {tuple(r.shape)}" if isinstance(r, Tensor) else type(r).__name__
            raise TypeError(
                "GaussNewton.step: expected a function that returns the residuals as a tensor "
                f"(m,), whose sum of squares is the loss, got {got}; a loss alone is not enough"
            )
        if not r.requires_grad:
            raise ValueError(
                "GaussNewton.step: the residuals do not depend on the parameters; compute them "
                "from the model without detach() or no_grad()"
            )
        self._size = len(r)
        return r


def as_least_squares(closure: Any, parameters: Sequence[Tensor]) -> LeastSquares:
    """Return what `step` was given as :class:`LeastSquares` of exactly these parameters."""
    if not hasattr(closure, "jacobian"):
        if not callable(closure):
            raise TypeError(
                "GaussNewton.step: expected residuals with a Jacobian, such as "
                "problem.least_squares(model), or a function that returns the residuals (m,), got "
                f"{type(closure).__name__}"
            )
        return ResidualFunction(closure, parameters)
    theirs = closure.parameters
    if len(theirs) != len(parameters) or any(
        a is not b for a, b in zip(theirs, parameters, strict=True)
    ):
        raise ValueError(
            f"GaussNewton.step: the residuals depend on {len(theirs)} parameters, and the "
            f"optimizer was made with {len(parameters)} that are not the same; make it with "
            "GaussNewton(problem.least_squares(model).parameters)"
        )
    system: LeastSquares = closure
    return system
