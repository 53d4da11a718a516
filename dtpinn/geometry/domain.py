"""What a domain has to answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from dtpinn.geometry.boundary import Boundary


class Domain(ABC):
    """A bounded region of the line, the plane or space.

    Placing nodes needs only what is declared here, so a subclass that answers these questions can
    be used everywhere that a built-in domain can.

    Examples
    --------
    >>> import numpy as np
    >>> from dtpinn.geometry import Boundary, Domain
    >>> class Interval(Domain):
    ...     dimension = 1
    ...     parts = ("left", "right")
    ...     bounds = np.array([[0.0], [1.0]])
    ...     def signed_distance(self, points):
    ...         return np.abs(np.asarray(points)[:, 0] - 0.5) - 0.5
    ...     def walk_boundary(self, spacing):
    ...         return Boundary([[0.0], [1.0]], [[-1.0], [1.0]], [0, 1], self.parts)
    >>> Interval().contains([[0.25], [2.0]])
    array([ True, False])
    """

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of coordinates, d: 1, 2 or 3."""

    @property
    @abstractmethod
    def bounds(self) -> npt.NDArray[np.float64]:
        """Lower and upper corner of a box that holds the domain, (2, d)."""

    @property
    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of the boundary; conditions are given by these names."""

    @abstractmethod
    def signed_distance(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Distance to the boundary, negative inside.

        It must change by no more than the distance walked (be 1-Lipschitz) and vanish on the
        boundary only. The exact distance does; so do the minimum and maximum of two distances,
        which are the union and intersection of two domains, although they may underestimate.

        Parameters
        ----------
        points
            (n, d)

        Returns
        -------
        distance
            (n,)
        """

    @abstractmethod
    def walk_boundary(self, spacing: float) -> Boundary:
        """Points on the boundary, neighbours about ``spacing`` apart, with normals and parts.

        Every connected piece of the boundary is visited: the nodes inside grow from these points.
        Neighbouring points should be no closer than about ``0.9 * spacing`` and, along a curve, no
        farther than about ``1.2 * spacing``. In the plane they come in the order of the walk.

        Raises
        ------
        ValueError
            If ``spacing`` is not positive or is larger than the domain.
        """

    def contains(self, points: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether each of ``points`` (n, d) lies strictly inside; (n,)."""
        return np.asarray(self.signed_distance(points) < 0.0, dtype=np.bool_)
