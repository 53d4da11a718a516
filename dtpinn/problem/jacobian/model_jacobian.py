"""The Jacobian of a model's values at points, in its parameters, multiplied by a sparse matrix.

J has a row for every value of the model (and, in space-time, for its derivatives in time) and a
column for every parameter. Nobody needs J itself, only S J for a sparse S whose rows are stencils,
so there are two ways, and both are exact:

- *by points*: J at all points that S touches, then one sparse product;
- *by rows*: for each row the gradient of its own combination of values, which never stores J and
  wins where few rows are taken of many points.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from torch import Tensor, nn
from torch.func import functional_call, grad, jacrev, jvp, vmap

from dtpinn.sparse import CSR

# By rows where S has at most so many entries for each value that it touches. Both ways take the
# same time at about 5 for a network of 1 x 64, at about 45 for 4 x 50 (N = 2,208, order 5).
_ENTRIES_A_VALUE = 10
# Points evaluated at a time by rows: their activations take 8 MB for each layer of 50.
_POINTS = 20_000
# Gradients by points are computed in pieces of so many bytes, before they become columns of J.
_GRADIENT_BYTES = 2.0**27

Parameters = dict[str, Tensor]


class ModelJacobian:
    """S J for the values of a model, and their derivatives in time, at points.

    Parameters
    ----------
    model : nn.Module
        Pointwise: it must not mix the points of a batch.
    parameters : dict of name to Tensor
        Of the model, those of the columns of J, in their order.
    points : (n, inputs) Tensor
    fields : int
    time_order : int
        How many derivatives in its last coordinate each point has rows for as well. The values of
        point i are rows ``i * features ...`` of J: all fields, then all their rates.
    memory : float
        Bytes that J may take; beyond them S is taken by blocks of rows.

    Examples
    --------
    >>> model = nn.Linear(2, 1, bias=False, dtype=torch.float64)
    >>> X = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64)
    >>> jacobian = ModelJacobian(model, dict(model.named_parameters()), X, 1)
    >>> jacobian.product(csr_array(np.array([[1.0, 1.0]])))
    tensor([[4., 6.]], dtype=torch.float64)
    """

    def __init__(
        self,
        model: nn.Module,
        parameters: Parameters,
        points: Tensor,
        fields: int,
        *,
        time_order: int = 0,
        memory: float = 2.0**29,
    ) -> None:
        self._model, self._points, self._memory = model, points, memory
        self._parameters = dict(parameters)
        self._size = sum(p.numel() for p in parameters.values())
        self.features = fields * (1 + time_order)
        self._time_order = time_order
        self._last: tuple[csr_array, Callable[[], Tensor]] | None = None

    def product(self, S: csr_array) -> Tensor:
        """Return S J, (rows, parameters), for S of shape (rows, n * features).

        What depends on S alone is worked out once, for as long as the very same matrix comes.
        """
        if self._last is None or self._last[0] is not S:
            self._last = S, self._way(S)
        return self._last[1]()

    def _way(self, S: csr_array) -> Callable[[], Tensor]:
        touched = np.unique(S.indices // self.features)
        values = len(touched) * self.features
        if S.nnz <= _ENTRIES_A_VALUE * values:
            return self._by_rows(S)
        if 8.0 * values * self._size > self._memory and S.shape[0] > 1:
            half = S.shape[0] // 2
            ways = self._way(S[:half]), self._way(S[half:])
            return lambda: torch.cat([way() for way in ways])
        return self._by_points(S, touched)

    def _by_points(self, S: csr_array, touched: NDArray[np.integer]) -> Callable[[], Tensor]:
        points = self._points
        if len(touched) < len(points):
            columns = (touched[:, None] * self.features + np.arange(self.features)).ravel()
            S, points = S[:, columns], points[torch.from_numpy(touched).to(points.device)]
        product = CSR.from_scipy(S).to(points.device, points.dtype)
        return lambda: product(self._at(points))

    def _at(self, points: Tensor) -> Tensor:
        """J at some points, (points * features, parameters)."""
        own = getattr(self._model, "parameter_rows", None)
        if own is not None and self._time_order <= 1:
            found: Tensor | None = own(points, self._parameters, rates=self._time_order == 1)
            if found is not None:
                return found.flatten(0, 1)

        def only(parameters: Parameters, point: Tensor) -> Tensor:
            return self._features(parameters, point)[0]

        def rows(parameters: Parameters, point: Tensor) -> Tensor:
            if self.features == 1:  # twice as fast as a Jacobian of one row
                gradient = grad(only)(parameters, point[None])
                return torch.cat([d.flatten() for d in gradient.values()])[None]
            derivatives = jacrev(self._features)(parameters, point[None])
            return torch.cat([d.flatten(1) for d in derivatives.values()], dim=1)

        chunk = max(1, int(_GRADIENT_BYTES / (8.0 * self.features * self._size)))
        return self._mapped(rows, (None, 0), chunk)(points).flatten(0, 1)

    def _by_rows(self, S: csr_array) -> Callable[[], Tensor]:
        """The gradient of every row's combination; rows padded to the longest with zeros."""
        lengths = np.diff(S.indptr)
        width = max(int(lengths.max(initial=0)), 1)
        inside = np.arange(width) < lengths[:, None]
        columns = np.zeros(inside.shape, dtype=np.int64)
        entries = np.zeros((*inside.shape, self.features))
        columns[inside] = S.indices // self.features
        entries[inside, S.indices % self.features] = S.data
        device = self._points.device
        weights = torch.from_numpy(entries).to(device, self._points.dtype)
        points = torch.from_numpy(columns).to(device)

        def row(parameters: Parameters, where: Tensor, weights: Tensor) -> Tensor:
            def combined(parameters: Parameters) -> Tensor:
                return (self._features(parameters, self._points[where]) * weights.flatten()).sum()

            return torch.cat([d.flatten() for d in grad(combined)(parameters).values()])

        rows = self._mapped(row, (None, 0, 0), max(1, _POINTS // width))
        return lambda: rows(points, weights)

    def _mapped(
        self, function: Callable[..., Tensor], dims: tuple[int | None, ...], chunk: int
    ) -> Callable[..., Tensor]:
        """The function of the parameters and some rows, over all rows, a chunk at a time."""
        batched = vmap(function, dims, chunk_size=chunk)

        def call(*arguments: Tensor) -> Tensor:
            # Anew each time: a view of old does not follow a parameter whose `data` is replaced.
            present = {name: p.detach() for name, p in self._parameters.items()}
            try:
                return batched(present, *arguments)
            except RuntimeError as error:
                raise RuntimeError(
                    f"Gauss-Newton: {type(self._model).__name__} could not be differentiated point "
                    "by point (torch.func.vmap); its layers must work on each point by itself, "
                    f"without in-place changes or statistics of the batch: {error}"
                ) from error

        return call

    def _features(self, parameters: Parameters, points: Tensor) -> Tensor:
        """Values and rates at points (n, inputs): (n * features,)."""

        def values(points: Tensor) -> Tensor:
            u: Tensor = functional_call(self._model, parameters, (points,))
            return u.reshape(len(points), -1)

        return torch.cat(with_rates(values, points, self._time_order), dim=1).flatten()


def with_rates(
    values: Callable[[Tensor], Tensor], points: Tensor, order: int
) -> tuple[Tensor, ...]:
    """Return values at points and their derivatives in the last coordinate, up to an order.

    Forward over forward: no graph of theirs is left behind.

    Examples
    --------
    >>> with_rates(lambda p: p[:, 0] * p[:, 1] ** 2, torch.tensor([[3.0, 2.0]]), 2)
    (tensor([12.]), tensor([12.]), tensor([6.]))
    """
    if order == 0:
        return (values(points),)
    _load_forward_mode()
    along = torch.zeros_like(points)
    along[:, -1] = 1.0
    lower = lambda x: with_rates(values, x, order - 1)  # noqa: E731
    known, slopes = jvp(lower, (points,), (along,))[:2]
    return (*known, slopes[-1])


@cache
def _load_forward_mode() -> None:
    """Let torch load what it needs for it, and warns of: it is written with its own jit."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*torch.jit", DeprecationWarning)
        jvp(torch.sin, (torch.zeros(()),), (torch.ones(()),))
