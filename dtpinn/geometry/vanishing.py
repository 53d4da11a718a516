"""Smooth functions that vanish on the boundary of a domain, or on parts of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence, Set
from typing import Any

from dtpinn.checks import names_text
from dtpinn.geometry.r_functions import Values


class Vanishing(ABC):
    """What a domain answers where formulas have to be differentiated.

    A domain of one's own need not; then :meth:`boundary_factor` is an error that says what else to
    do.
    """

    @property
    @abstractmethod
    def dimension(self) -> int:
        """Number of coordinates, d: 1, 2 or 3."""

    @property
    @abstractmethod
    def parts(self) -> tuple[str, ...]:
        """Names of the parts of the boundary; conditions are given by these names."""

    def boundary_factor(self, points: Any, parts: str | Sequence[str] | None = None) -> Any:
        """Return a smooth function that vanishes on the boundary, or on parts of it.

        It is positive in the rest of the domain and of its boundary, of size 1, and grows from zero
        with a slope that is not zero; so ``g + factor * u`` is g on these parts, whatever u is, and
        anything else away from them (:class:`~dtpinn.models.HardBoundary`). It is analytic but for
        corners of the boundary, as the signed distance is not. Sides that are straight give a
        product of lines, round ones of quadratic functions, and what is cut out or added is put
        together by R-functions.

        Parameters
        ----------
        points : array or Tensor (n, d)
            Whatever arithmetic works on: NumPy arrays, tensors, of which the result can be
            differentiated. Further columns, such as a time, are not looked at.
        parts : str or sequence of str, optional
            Names of parts. Default: the whole boundary.

        Returns
        -------
        array or Tensor (n,)

        Raises
        ------
        ValueError
            For a name that is no part, or for none.
        NotImplementedError
            If there is no formula for it, as for a mesh.

        Examples
        --------
        >>> import torch
        >>> from dtpinn.geometry import Disk, Rectangle
        >>> Disk(2.0).boundary_factor(torch.tensor([[0.0, 0.0], [0.0, 2.0]]))
        tensor([1., 0.])
        >>> Rectangle().boundary_factor(torch.tensor([[0.5, 0.5], [0.0, 0.5]]), ["left", "top"])
        tensor([1., 0.])
        """
        names = self.parts if parts is None else (parts,) if isinstance(parts, str) else parts
        for name in names:
            if name not in self.parts:
                raise ValueError(
                    f"{name!r} is no part of {self!r}; its parts are {names_text(self.parts)}"
                )
        if not names:
            raise ValueError(f"name at least one of the parts: {names_text(self.parts)}")
        return self.vanishing([points[..., axis] for axis in range(self.dimension)], set(names))

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """Do the work of :meth:`boundary_factor`, at coordinates x, for parts that there are.

        Unless a domain knows better, :meth:`level`, if these are all its parts.
        """
        if parts != set(self.parts):
            raise self.no_formula(f"parts {names_text(sorted(parts))} alone")
        return self.level(x)

    def level(self, x: Sequence[Values]) -> Values:
        """Return a smooth function at coordinates x: positive inside, negative outside, of size 1.

        It vanishes on the boundary, with a slope that is not zero.
        """
        raise self.no_formula("the boundary")

    def no_formula(self, of: str) -> NotImplementedError:
        """Return the error for what has no :meth:`boundary_factor`, and its remedy."""
        return NotImplementedError(
            f"{self!r} has no formula that vanishes on {of} and is smooth; write a function of "
            "torch tensors, points (n, d) -> (n,), that is zero there and positive elsewhere, and "
            "give that to HardBoundary"
        )
