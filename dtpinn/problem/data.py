"""Data: values known at points of their own, such as measurements, as the user writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from numpy.typing import ArrayLike
from torch import Tensor

from dtpinn.operators import Operator


@dataclass(frozen=True, eq=False)
class Data:
    """Values of the unknown, or of something that is made of it, at any points.

    A residual of the loss, by name "data": at its points the model itself is evaluated, and
    differentiated automatically where `of` asks for derivatives; neither a node nor a slice need be
    there. A direct solve does without: data are no equations, but tell of unknown coefficients.

    Parameters
    ----------
    points : (m, d), in space-time (m, d + 1) with the time last
        In the domain.
    values : (m,), or as many columns as `of` has
    weight : float or (m,) array, optional
        Multiple of the balanced weight, which takes data for exact; it stays as it is given. By
        default :func:`dtpinn.fit` chooses, by the noise.
    field : int or str
        Which field the values are of, if `of` is not given.
    of : callable or operator, optional
        ``of(u, x)`` or ``of(u, D, x)``, in space-time with t last, or one of
        :mod:`dtpinn.operators`, applied to the field.
    name : str, optional
        Of the residual; "data" by default, and "data.1", ... for others.
    noise : float or (m,) array, optional
        Standard deviation of the errors of the values, in their units; of each point, where they
        differ. 0: the values are exact. By default :func:`dtpinn.fit` finds out, from misfits that
        remain while the equation is fulfilled: in place of `weight`.

    Notes
    -----
    As long as data may be exact, they count as the equation does. Once they are known to be noisier
    than the equation is wrong, they count for so little that the equation no longer bends to their
    noise (:mod:`~dtpinn.problem.balance.noise`): what is learnt is then what least squares make
    of data and of an equation that holds. :func:`dtpinn.fit` looks for noise now and then, at
    epochs that do not depend on how many are planned.

    Examples
    --------
    A constant source, from the largest deflection of a membrane, whose middle is -s / 4:

    >>> import torch, dtpinn
    >>> class Membrane(dtpinn.PDE):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.s = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    ...     def residual(self, u, D, x):
    ...         return D.laplacian(u) - self.s
    ...     def boundary(self, u, D, x, n):
    ...         return u
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.2)
    >>> seen = dtpinn.Data([[0.0, 0.0]], [-0.5])
    >>> problem = dtpinn.discretize(Membrane(), nodes, data=[seen])
    >>> model = dtpinn.MLP(2, width=10, depth=1, seed=0)
    >>> result = dtpinn.fit(model, problem, epochs=40, optimizer="gauss-newton")
    >>> round(result.coefficients["s"], 2)
    2.0
    """

    points: ArrayLike | Tensor
    values: ArrayLike | Tensor
    weight: float | ArrayLike | Tensor | None = None
    field: int | str = 0
    of: Callable[..., Tensor] | Operator | None = None
    name: str | None = None
    noise: float | ArrayLike | Tensor | None = None

    @property
    def label(self) -> str:
        """Name of the residual."""
        return self.name or "data"
