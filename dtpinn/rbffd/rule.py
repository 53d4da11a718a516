"""How large a stencil is, and what it is exact for, as a function of the order."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

from dtpinn.checks import whole_number
from dtpinn.rbffd.options import Exponent

CLAMP = (5, 11)
"""Where the authors' programs keep m."""


@dataclass(frozen=True)
class Rule:
    """The numbers that fix an RBF-FD discretisation.

    Made by :func:`choose_rule`, which checks them.

    Attributes
    ----------
    order : int
        p: the order of convergence asked for, error O(h^p).
    derivatives : int
        theta: the highest derivative in the operators that share the stencils.
    dimension : int
        d: the dimension of space.
    degree : int
        l: the total degree of the polynomials that the weights differentiate exactly.
    exponent : int
        m: the (odd) exponent of the polyharmonic spline r^m.
    stencil_size : int
        n: the number of nodes of a stencil, the centre included.
    """

    order: int
    derivatives: int
    dimension: int
    degree: int
    exponent: int
    stencil_size: int

    @property
    def polynomials(self) -> int:
        """The number of polynomials of total degree at most l in d variables, C(l+d, d)."""
        return comb(self.degree + self.dimension, self.dimension)

    @property
    def unknowns(self) -> int:
        """The size of the linear system (9) of one stencil: nodes and Lagrange multipliers."""
        return self.stencil_size + self.polynomials


def choose_rule(
    order: int,
    derivatives: int,
    dimension: int,
    *,
    exponent: Exponent = None,
    stencil_size: int | None = None,
) -> Rule:
    """Apply the paper's rule: l = p + theta - 1, n = 2 C(l+d, d) + 1, m = l or l - 1, odd.

    Parameters
    ----------
    order : int
        p, at least 2.
    derivatives : int
        theta, the highest derivative in the operator: 2 for the Laplacian, 1 for a gradient.
    dimension : int
        d: 1, 2 or 3.
    exponent : int or "clamped", optional
        m, odd and above `derivatives`, in place of the paper's choice. A larger one is a little
        more accurate (twice, from 3 to 5 to 7) and worse conditioned. "clamped" is the paper's
        choice held within [5, 11], as the authors' programs do.
    stencil_size : int, optional
        n, at least the number of polynomials, in place of the paper's choice. Fewer nodes cost
        accuracy (close to the number of polynomials, ten times the error); more bring nothing.

    Returns
    -------
    Rule

    Raises
    ------
    TypeError
        If a number is not an integer.
    ValueError
        If a number is out of its range; the message says which one and what is possible.

    Notes
    -----
    Section 2.2 of the paper. One deviation: D^alpha r^m is continuous at the centre only if
    ``m > |alpha|``. The paper's m is 1 for a boundary operator with a gradient at p = 2, and r has
    no gradient at 0. So m is raised to the smallest odd number above theta, here 3.

    Examples
    --------
    >>> choose_rule(4, derivatives=2, dimension=2)
    Rule(order=4, derivatives=2, dimension=2, degree=5, exponent=5, stencil_size=43)
    >>> choose_rule(2, derivatives=1, dimension=2).exponent
    3
    >>> choose_rule(2, derivatives=1, dimension=2, exponent="clamped").exponent
    5
    """
    order = whole_number(order, "order")
    derivatives = whole_number(derivatives, "derivatives")
    dimension = whole_number(dimension, "dimension")
    if order < 2:
        raise ValueError(f"order must be an integer of at least 2, got {order}")
    if derivatives < 0:
        raise ValueError(f"derivatives must not be negative, got {derivatives}")
    if dimension not in (1, 2, 3):
        raise ValueError(f"dimension must be 1, 2 or 3, got {dimension}")
    degree = order + derivatives - 1
    polynomials = comb(degree + dimension, dimension)
    return Rule(
        order=order,
        derivatives=derivatives,
        dimension=dimension,
        degree=degree,
        exponent=_exponent(exponent, degree, derivatives),
        stencil_size=_stencil_size(stencil_size, polynomials, degree, dimension),
    )


def _exponent(exponent: Exponent, degree: int, derivatives: int) -> int:
    smallest = derivatives + 1 + derivatives % 2  # the smallest odd number above `derivatives`
    papers = degree - 1 + degree % 2
    if exponent is None:
        return max(papers, smallest)
    if exponent == "clamped":
        return max(min(max(papers, CLAMP[0]), CLAMP[1]), smallest)
    exponent = whole_number(exponent, "exponent")
    if exponent % 2 == 0:
        raise ValueError(
            f"exponent must be odd (r^{exponent} is itself a polynomial, and the system singular), "
            f"got {exponent}; use {exponent - 1} or {exponent + 1}"
        )
    if exponent < smallest:
        raise ValueError(
            f"exponent must be odd and at least {smallest}, so that r^m can be differentiated "
            f"{derivatives} times at the centre of the stencil, got {exponent}"
        )
    return exponent


def _stencil_size(size: int | None, polynomials: int, degree: int, dimension: int) -> int:
    if size is None:
        return 2 * polynomials + 1
    size = whole_number(size, "stencil_size")
    if size < polynomials:
        raise ValueError(
            f"stencil_size must be at least {polynomials}, the number of polynomials of degree "
            f"{degree} in {dimension}-D, got {size}; leave it out for the paper's "
            f"{2 * polynomials + 1}, or lower the order"
        )
    return size
