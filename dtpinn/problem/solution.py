"""Solution: what a direct solve has found, as values on X and as a function everywhere."""

from __future__ import annotations

import pathlib
import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from dtpinn.arrays import Floats
from dtpinn.nodes import Nodes
from dtpinn.operators import Operator, identity
from dtpinn.output import picture_run, shown_times
from dtpinn.output.files import StrPath
from dtpinn.pde.known import check_arguments
from dtpinn.problem.between_slices import Path, between_slices
from dtpinn.problem.interpolate import evaluate
from dtpinn.problem.relative_error import Exact, relative_distance
from dtpinn.problem.solution_files import Held, read_solution, write_solution
from dtpinn.problem.time_slices import TimeSlices
from dtpinn.problem.trust import NotResolved

# Relative l2 difference of two interpolations in time from which on neither is to be trusted.
ROUGH = 1e-3


class Solution(Tensor):
    """A discrete solution: a tensor of its values on X, and a function of any points.

    What :meth:`DiscreteProblem.solve` returns. As a tensor it is one like any other, (n,) or
    (n, fields), in space-time (n * times[, fields]), a row for each of ``problem.points``; what is
    computed from it is a plain tensor.

    Attributes
    ----------
    nodes : Nodes
    order : int
        The order p of the discretisation.
    times : (n_times,) Tensor or None
        None if it is steady.
    names : tuple of str
        Of its fields.
    path : Path or None
        What the integration in time has passed, at the slices and between them.
    beyond : (ghosts,) or (ghosts, fields) Tensor, or None
        Of a steady one the values on the ghosts, which the derivatives at the boundary need.

    Examples
    --------
    >>> import dtpinn
    >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.1)
    >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] * x[:, 1])
    >>> u = dtpinn.discretize(pde, nodes, order=3).solve()
    >>> u([[0.5, 0.5], [0.1, -0.2]]).round(decimals=6)
    tensor([ 0.2500, -0.0200], dtype=torch.float64)
    >>> u([[0.5, 0.5]], dtpinn.operators.partial(0)).round(decimals=6)
    tensor([0.5000], dtype=torch.float64)
    >>> u.relative_error(lambda x: x[:, 0] * x[:, 1]) < 1e-9
    True
    """

    nodes: Nodes
    order: int
    times: Tensor | None
    names: tuple[str, ...]
    path: Path | None
    beyond: Tensor | None

    # Sums and norms of a solution are no solutions.
    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]

    @staticmethod
    def on(
        values: Tensor, nodes: Nodes, order: int, times: Tensor | None, names: tuple[str, ...],
        path: Path | None, beyond: Tensor | None = None,
    ) -> Solution:  # fmt: skip
        """Return the solution that has these values on X."""
        made = Tensor._make_subclass(Solution, values.detach())
        made.nodes, made.order, made.times, made.names = nodes, order, times, names
        made.path, made.beyond = path, beyond
        return made

    def __call__(
        self, points: ArrayLike | Tensor, operator: Operator = identity, *, rate: int = 0
    ) -> Tensor:
        """Return its values, or a derivative of it, at any points of the domain.

        Between the nodes by stencils of X, of an order above the problem's; between the slices of
        space-time by what the integration knows there: values and rates at the ends of its own
        steps, which are as short as its tolerance asked for. At a node and a slice it is the value
        there.

        Parameters
        ----------
        points : (m, d), in space-time (m, d + 1) with the time last
            Within the domain, or outside it by less than the distance between nodes.
        operator : Operator
            Of ``dtpinn.operators``: ``partial(0)``, ``laplacian``, ``directional(v)``, ...
        rate : int
            How many derivatives in time, as of ``D.time(u, rate)``, of that: 0, 1 or 2.

        Returns
        -------
        Tensor, (m,) or (m, fields)

        Raises
        ------
        ValueError
            If the shape is wrong, a point lies beyond the nodes or the times, or a rate is asked
            for that there is not.

        Warns
        -----
        NotResolved
            If the solution changes so much from step to step that it is uncertain between them.
        """
        where = self._checked(points)
        values = torch.Tensor.as_subclass(self, Tensor)
        if rate not in ((0,) if self.times is None else (0, 1, 2)):
            raise ValueError(f"rate must be 0, or 1 or 2 of a solution in space-time; got {rate!r}")
        if self.times is None:
            return evaluate(self.nodes, self.order, values, where, operator)
        assert self.path is not None
        places, of = np.unique(where[:, :-1], axis=0, return_inverse=True)
        times, *both = self.path
        columns = (
            evaluate(
                self.nodes, self.order, torch.from_numpy(part.reshape(len(part), -1)), places,
                operator,
            )
            for part in both
        )  # fmt: skip
        there = (c.reshape(len(places), len(times), -1).numpy() for c in columns)
        found, change = between_slices(Path(times, *there), where[:, -1], of.ravel(), rate)
        if change > ROUGH:
            warnings.warn(
                f"between the steps of the integration this is uncertain by {change:.1e} (relative "
                "l2): they are too far apart for what happens between them. Give discretize more "
                "times, or those that are wanted",
                NotResolved,
                stacklevel=2,
            )
        return torch.from_numpy(found).to(values).reshape(len(where), *self.shape[1:])

    @property
    def points(self) -> Tensor:
        """Where its rows are: X, (n, d), or (n * times, d + 1), node-major."""
        x = torch.tensor(self.nodes.collocation, device=self.device)
        return TimeSlices(self.times).inputs(x)

    def relative_error(
        self, reference: Exact | ArrayLike | Tensor, points: ArrayLike | Tensor | None = None
    ) -> float:
        """Return ``|u - reference| / |reference|`` in l2, equation (18).

        Parameters
        ----------
        reference : callable or array
            Of the points, (m, d[+ 1]) -> (m,) or (m, fields): an exact solution, a trained network,
            another solution; or its values at them, a published table for instance.
        points : (m, d[+ 1]), optional
            X by default.
        """
        where = self.points if points is None else torch.as_tensor(np.asarray(points))
        found = self.as_subclass(Tensor) if points is None else self(where)
        if callable(reference):
            check_arguments(reference, "the reference", "points, the time last", where)
        with torch.no_grad():
            wanted = reference(where) if callable(reference) else np.asarray(reference)
        if isinstance(wanted, np.ndarray):
            wanted = torch.from_numpy(wanted)
        return relative_distance(found, wanted)

    def picture(self, path: StrPath, exact: Exact | None = None, title: str = "") -> None:
        """Draw it on X, at three of its times, with the error beside it where `exact` is given.

        Parameters
        ----------
        path
            The suffix (.png, .pdf, .svg) says in what format.
        exact : callable, optional
            points (n, d[+ 1]) -> (n,) or (n, fields).
        title : str
        """
        slices = TimeSlices(self.times)
        shown = shown_times(slices.count)

        def at_shown(rows: Tensor) -> Tensor:
            by_node = rows.reshape(self.nodes.count, slices.count, -1)[:, shown]
            return by_node.flatten(0, 1)

        values, error = at_shown(self.as_subclass(Tensor)), None
        if exact is not None:
            with torch.no_grad():
                error = values - exact(at_shown(self.points)).reshape(values.shape)
        drawn, rows = self.nodes.drawn()
        by_node = (self.nodes.count, -1, values.shape[1])
        values = values.reshape(by_node)[rows].flatten(0, 1)
        error = None if error is None else error.reshape(by_node)[rows].flatten(0, 1)
        picture_run(
            path, drawn, values, error,
            times=None if self.times is None else self.times[shown], title=title,
            names=None if len(self.names) == 1 else self.names,
            boundary=self.nodes.boundary if self.nodes.dimension == 2 else None,
            outward=self.nodes.outward[rows],
        )  # fmt: skip

    def save(self, path: StrPath) -> None:
        """Save it, in the format that the suffix names.

        ``.npz`` holds everything, for :meth:`load`; ``.csv`` is a table of points and values;
        ``.vtu`` is for ParaView, with a field for each of the times, and takes meshio.

        Parameters
        ----------
        path
            A file that is there is replaced once the new one is complete.

        Raises
        ------
        ImportError
            If meshio is needed and not installed.
        ValueError
            For another suffix.
        """
        held = Held(self.numpy(), *self._of)
        write_solution(pathlib.Path(path), held, self.points.cpu())

    @classmethod
    def load(cls, path: StrPath) -> Solution:
        """Return a solution that :meth:`save` left in a ``.npz`` file.

        Examples
        --------
        >>> import tempfile, dtpinn
        >>> nodes = dtpinn.place_nodes(dtpinn.geometry.Interval(), spacing=0.1)
        >>> pde = dtpinn.Poisson.from_solution(lambda x: x[:, 0] ** 2)
        >>> u = dtpinn.discretize(pde, nodes).solve()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     u.save(f"{folder}/u.npz")
        ...     same = Solution.load(f"{folder}/u.npz")
        >>> bool((same == u).all())
        True
        """
        held = read_solution(pathlib.Path(path))
        return cls.on(torch.from_numpy(held.values), *held[1:])

    def numpy(self, *, force: bool = False) -> Floats:
        """Return its values as an array, from whatever device."""
        return np.asarray(self.detach().cpu().as_subclass(Tensor).numpy(force=force))

    def __deepcopy__(self, memo: dict[int, Any]) -> Solution:
        """Return a solution with its own values on the same nodes."""
        return Solution.on(self.as_subclass(Tensor).clone(), *self._of)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Pickle values and everything that makes a function of them."""
        return Solution.on, (self.as_subclass(Tensor).clone(), *self._of)

    @property
    def _of(
        self,
    ) -> tuple[Nodes, int, Tensor | None, tuple[str, ...], Path | None, Tensor | None]:
        return self.nodes, self.order, self.times, self.names, self.path, self.beyond

    def _checked(self, points: ArrayLike | Tensor) -> Floats:
        if isinstance(points, Tensor):
            if points.requires_grad:
                raise TypeError(
                    "a discrete solution is not differentiable in the points by autograd; pass an "
                    "operator: u(points, dtpinn.operators.partial(0))"
                )
            points = points.cpu().numpy()
        where = np.asarray(points, dtype=np.float64)
        columns = self.nodes.dimension + (self.times is not None)
        if where.ndim != 2 or where.shape[1] != columns:
            last = "" if self.times is None else ", the time in the last column"
            raise ValueError(f"expected points of shape (m, {columns}){last}, got {where.shape}")
        return where
