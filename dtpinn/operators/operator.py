"""Operator: a linear differential operator, to add, multiply and compose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from numbers import Real
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from dtpinn.operators.factors import Along, Evaluate, Factor, Given, Times
from dtpinn.operators.places import MultiIndex, Place, Terms

Coefficient: TypeAlias = ArrayLike | Callable[[Any], ArrayLike]
"""A number, (rows,), or a function of the points: (rows, d) NumPy array -> (rows,)."""


@dataclass(frozen=True, repr=False)
class Operator:
    """A sum of products of derivatives and multiplications.

    Made from the names of this package, such as ``laplacian`` and ``partial``, by ``A + B``,
    ``A - B``, ``-A``, ``a * A`` and, where B has constant coefficients, ``A @ B``. Data through and
    through: two that are written alike are equal, unless they hold arrays or functions.

    Parameters
    ----------
    name : str
        How messages, matrices given by a user and ``describe()`` call it.
    products : tuple of tuples of factors
        The factors of each act from the right to the left; none at all is the identity.
    where : callable, optional
        x (n, d) -> (n, d): the result is taken at these places instead of at the points; see `at`.

    Examples
    --------
    >>> from dtpinn.operators import Space, identity, laplacian
    >>> helmholtz = laplacian + 9 * identity
    >>> 0.5 * helmholtz
    0.5 * (laplacian + 9 * identity)
    >>> helmholtz.terms_at(Space(dimension=2))
    {(2, 0): 1.0, (0, 2): 1.0, (0, 0): 9.0}
    """

    name: str
    products: tuple[tuple[Factor, ...], ...]
    where: Callable[[Any], Any] | None = None

    __array_ufunc__ = None  # an array in front leaves the product to this class

    def __repr__(self) -> str:
        return self.name

    @property
    def order(self) -> int:
        """The highest derivative in it."""
        return max(
            sum(f.order for f in product if not isinstance(f, Times)) for product in self.products
        )

    @property
    def along_normal(self) -> bool:
        """Whether it asks for the boundary's normals."""
        return any(Along("normal") in product for product in self.products)

    def at(self, where: Callable[[Any], Any]) -> Operator:
        """Return it at other places: ``A.at(where)`` u has A u at where(x).

        Parameters
        ----------
        where : callable
            A fixed map of the points, (n, d) tensor -> (n, d). Its name is part of the operator's.

        Examples
        --------
        >>> from dtpinn.operators import partial
        >>> def opposite(x):
        ...     return -x
        >>> partial(0).at(opposite)
        partial(0) at opposite
        """
        return Operator(f"{_in_brackets(self)} at {name_of(where)}", self.products, where)

    def terms_at(self, place: Place) -> Terms:
        """Return it as a sum of partial derivatives.

        Raises
        ------
        ValueError
            If it does not fit the place: an axis that space has not, normals inside the domain, a
            coefficient of another shape; or where it differentiates a coefficient that varies.
        """

        @cache  # of what stands in several products
        def evaluate(given: Given) -> Any:
            return given.at(place)

        result: dict[MultiIndex, Any] = {}
        for product in self.products:
            terms: dict[MultiIndex, Any] = {(0,) * place.dimension: 1.0}
            for factor in reversed(product):
                terms = self._apply(factor, terms, place, evaluate)
            for alpha, c in terms.items():
                _add(result, alpha, c)
        return result

    def _apply(
        self, factor: Factor, terms: Terms, place: Place, evaluate: Evaluate
    ) -> dict[MultiIndex, Any]:
        """Put a factor in front of terms."""
        if isinstance(factor, Times):
            a = factor.by if isinstance(factor.by, float) else evaluate(factor.by)
            return {alpha: _multiply(a, c) for alpha, c in terms.items()}
        if any(np.ndim(c) for c in terms.values()):
            raise ValueError(
                f"{self}: the coefficients of the right operator vary, and their derivatives are "
                "not known; write the product rule out, or use diffusion(a, gradient) for "
                "div(a grad)"
            )
        result: dict[MultiIndex, Any] = {}
        for beta, b in terms.items():
            for alpha, a in factor.steps(place, evaluate):
                both = tuple(i + j for i, j in zip(alpha, beta, strict=True))
                _add(result, both, _multiply(a, b))
        return result

    def __add__(self, other: object) -> Operator:
        """``A + B``."""
        if not isinstance(other, Operator):
            return NotImplemented
        return Operator(f"{self} + {other}", self.products + other.products)

    def __sub__(self, other: object) -> Operator:
        """``A - B``."""
        if not isinstance(other, Operator):
            return NotImplemented
        name = f"{self} - {_in_brackets(other)}"
        return Operator(name, self.products + (-other).products)

    def __neg__(self) -> Operator:
        """``-A``."""
        return Operator(f"-{_in_brackets(self)}", (-1.0 * self).products)

    def __rmul__(self, coefficient: Coefficient) -> Operator:
        """``a * A``: the result of A times a number, an array (rows,) or a function of the points.

        There is no ``A * a``, which could be read as A of a times u.
        """
        text, times = _times(coefficient, f"the coefficient of {self}")
        products = tuple((times, *product) for product in self.products)
        return Operator(f"{text} * {_in_brackets(self)}", products)

    def __matmul__(self, other: object) -> Operator:
        """``A @ B``: A of B of u, where B has constant coefficients."""
        if not isinstance(other, Operator):
            return NotImplemented
        products = tuple(left + right for left in self.products for right in other.products)
        return Operator(f"{_in_brackets(self)} @ {_in_brackets(other)}", products)


def _times(coefficient: Any, name: str) -> tuple[str, Times]:
    """Return a coefficient as it is shown, and as a factor."""
    if isinstance(coefficient, Real):
        return f"{coefficient:g}", Times(float(coefficient))
    return getattr(coefficient, "__name__", "a"), Times(Given(coefficient, name))


def _add(terms: dict[MultiIndex, Any], alpha: MultiIndex, c: Any) -> None:
    terms[alpha] = terms[alpha] + c if alpha in terms else c


def _multiply(a: Any, b: Any) -> Any:
    """A product; arrays and tensors are not multiplied with 1, once a step, for nothing."""
    if isinstance(a, float) and a == 1.0:
        return b
    return a if isinstance(b, float) and b == 1.0 else a * b


def name_of(where: Callable[[Any], Any]) -> str:
    """How a map of the points is called, by which it is known."""
    return str(getattr(where, "__name__", repr(where)))


def _in_brackets(operator: Operator) -> str:
    """Return its name, in brackets if it is a sum."""
    text = operator.name
    return f"({text})" if " + " in text or " - " in text or text.startswith("-") else text
