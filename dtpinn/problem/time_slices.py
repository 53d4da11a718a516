"""TimeSlices: the times of a problem, and the order in which values at all of them are kept.

Everything is flat and node-major: all times of the first node, then of the second. So the values on
X are a prefix of those on X~, and one product with as many columns as slices (and fields) serves
every time at once. A steady problem has one slice, whose time nobody asks for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dtpinn.arrays import Floats, Integers

Values = TypeVar("Values", Tensor, Floats)


class TimeSlices:
    """The slices of a space-time problem, or the only one of a steady problem.

    Parameters
    ----------
    values : (n_times,) Tensor, optional
        Any times, not necessarily equidistant; the stages of an integration are such as well.

    Attributes
    ----------
    values : Tensor or None
        None for a steady problem.
    count : int
        1 for a steady problem.

    Examples
    --------
    >>> slices = TimeSlices.checked([0.0, 0.5, 1.0])
    >>> slices.inputs(torch.tensor([[7.0], [8.0]]))
    tensor([[7.0000, 0.0000],
            [7.0000, 0.5000],
            [7.0000, 1.0000],
            [8.0000, 0.0000],
            [8.0000, 0.5000],
            [8.0000, 1.0000]])
    """

    def __init__(self, values: Tensor | None = None) -> None:
        self.values = values
        self.count = 1 if values is None else len(values)

    @classmethod
    def checked(cls, times: Tensor | Sequence[float] | None) -> TimeSlices:
        """Return those of times that somebody gave, in float64 on the CPU.

        Raises
        ------
        ValueError
            Unless they are two or more increasing numbers, or None.
        """
        if times is None:
            return cls()
        values = torch.as_tensor(times, dtype=torch.float64).detach().cpu()
        if values.dim() != 1 or len(values) < 2 or not bool((values.diff() > 0).all()):
            raise ValueError(f"times must be two or more increasing numbers, got {times}")
        return cls(values)

    def __repr__(self) -> str:
        if self.values is None:
            return "TimeSlices(steady)"
        return f"TimeSlices({self.count} from {self.first:g} to {self.last:g})"

    @property
    def steady(self) -> bool:
        """Whether there is no time."""
        return self.values is None

    @property
    def first(self) -> float:
        """The time of the initial condition."""
        return float(self._in_time[0])

    @property
    def last(self) -> float:
        """The time at which the solution ends."""
        return float(self._in_time[-1])

    @property
    def duration(self) -> float:
        """From the first to the last; 0 in a steady problem."""
        return 0.0 if self.values is None else self.last - self.first

    def beginning(self) -> TimeSlices:
        """Return the first of the times alone."""
        return TimeSlices(self._in_time[:1])

    @property
    def _in_time(self) -> Tensor:
        if self.values is None:
            raise ValueError("the problem is steady: it has no times")
        return self.values

    # Points

    def repeat(self, rows: Tensor) -> Tensor:
        """Return every row for each time: (n, ...) -> (n * times, ...)."""
        return rows.repeat_interleave(self.count, dim=0)

    def spread(self, points: Tensor) -> Tensor | None:
        """Return each of the times at every one of `points`, (n * times,); None if steady."""
        return None if self.values is None else self.values.to(points).repeat(len(points))

    def inputs(self, points: Tensor) -> Tensor:
        """Return points (n, d) of space as a model takes them: (n * times, d + 1), or as given."""
        return with_time(self.repeat(points), self.spread(points))

    def start(self, points: Tensor) -> Tensor:
        """Return points (n, d) as a model takes them at the first of the times: (n, d + 1)."""
        return with_time(points, torch.full_like(points[:, 0], self.first))

    # Values

    def columns(self, values: Values) -> Values:
        """Return what one product takes: (n * times[, fields]) -> (n, times * fields).

        At one time they are that already, and a scalar stays (n,).
        """
        if self.count == 1 and len(values.shape) < 3:
            return values
        return values.reshape(len(values) // self.count, -1)

    def flat(self, columns: Values, like: tuple[int, ...]) -> Values:
        """Return the inverse of `columns`: (m[, times * fields]) -> (m * times[, fields]).

        Parameters
        ----------
        columns : Tensor or array
        like : tuple of int
            The shape of values that have as many fields.
        """
        shape = (len(columns) * self.count, *like[1:])
        return columns if columns.shape == shape else columns.reshape(shape)

    def rows(self, values: Tensor, which: slice | Tensor) -> Tensor:
        """Return the values of some nodes, at all times: a view where they follow each other."""
        if isinstance(which, slice):
            return values[which.start * self.count : which.stop * self.count]
        by_node = values.reshape(len(values) // self.count, self.count, *values.shape[1:])
        return by_node[which].flatten(0, 1)

    def initial(self, values: Values) -> Values:
        """Return the values at the first of the times: (n * times, ...) -> (n, ...)."""
        return values[:: self.count]

    def time_major(self, values: Floats) -> Floats:
        """Return the values of each time together: (n * times, ...) -> (times, n, ...)."""
        return values.reshape(-1, self.count, *values.shape[1:]).swapaxes(0, 1)

    # Where they are

    def sites(self, nodes: NDArray[np.integer]) -> Integers:
        """Return where all times of some nodes are among the n * times values."""
        return np.asarray((nodes[:, None] * self.count + np.arange(self.count)).ravel())

    def sites_at(self, nodes: NDArray[np.integer], time: int) -> Integers:
        """Return where some nodes are at one of the times, given by its number."""
        return np.asarray(nodes * self.count + time)


def node_major(values: Floats) -> Floats:
    """Return the values of each node together: (times, n, ...) -> (n * times, ...).

    Examples
    --------
    >>> node_major(np.array([[1.0, 2.0], [10.0, 20.0]]))
    array([ 1., 10.,  2., 20.])
    """
    return values.swapaxes(0, 1).reshape(-1, *values.shape[2:])


def with_time(points: Tensor, t: Tensor | None) -> Tensor:
    """Return points (n, d) as a model takes them, the times (n,) in a last column if there are any.

    Examples
    --------
    >>> with_time(torch.ones(2, 2), torch.tensor([3.0, 4.0]))
    tensor([[1., 1., 3.],
            [1., 1., 4.]])
    """
    return points if t is None else torch.cat([points, t[:, None]], dim=1)
