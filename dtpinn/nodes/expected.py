"""How many nodes a spacing asks for, before any is placed."""

from __future__ import annotations

import numpy as np

from dtpinn.arrays import Floats
from dtpinn.checks import positive_length, whole_number
from dtpinn.geometry import Domain
from dtpinn.geometry.spacing import SpacingLike, as_spacing

# Fewer nodes hold no stencil of order 4 in the plane (43 nodes); on the line 15 do.
FEWEST = {1: 15, 2: 50, 3: 50}
MOST = 100_000_000
# Points of the box at which a spacing that varies is asked, and of them, in a thin domain, at
# least so many: those that are inside or nearest to it.
SAMPLES, LEAST = 4096, 64


def nodes_wanted(domain: Domain, spacing: SpacingLike) -> float:
    """Roughly the number of nodes that ``spacing`` asks for in the box around ``domain``.

    Raises
    ------
    TypeError
        If ``spacing`` is neither a number nor callable.
    ValueError
        If it is not finite and positive.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> nodes_wanted(Disk(), 0.125)
    256.0
    """
    volume = float(np.prod(domain.bounds[1] - domain.bounds[0]))
    if not callable(spacing):
        return volume / positive_length(spacing, "spacing") ** domain.dimension
    values = as_spacing(spacing, domain.bounds)(_points_inside(domain))
    return volume * float(np.mean(values**-domain.dimension))


def check_affordable(domain: Domain, spacing: SpacingLike) -> None:
    """Check that ``spacing`` asks for neither absurdly many nodes nor for none.

    Whether a number is small enough for the domain is for the domain to say; a function is asked
    for its values here, at random points.

    Raises
    ------
    ValueError
        If it asks for more than 100 million nodes, or a function for more than the domain's size.
    """
    wanted = nodes_wanted(domain, spacing)
    if wanted > MOST:
        factor = (wanted / MOST) ** (1 / domain.dimension)
        told, remedy = (
            ("the spacing", f"{factor:.1g} times that")
            if callable(spacing)
            else (f"spacing={spacing:g}", f"a spacing above {factor * spacing:.1g}")
        )
        raise ValueError(
            f"{told} asks for about {wanted:.1e} nodes, more than {MOST:.0e}; use {remedy}"
        )
    if callable(spacing):
        points, size = _points_inside(domain), float((domain.bounds[1] - domain.bounds[0]).max())
        values = as_spacing(spacing, domain.bounds)(points)
        row = int(values.argmax())
        if values[row] > size:
            raise ValueError(
                f"spacing is larger than the domain, whose longest side is {size:g}: at "
                f"{points[row]} it is {values[row]:g}; use values well below {size:g}"
            )


def checked_count(domain: Domain, count: object) -> int:
    """Return ``count`` as an int, if it is enough for a stencil and not absurd.

    Raises
    ------
    TypeError
        If it is not an integer.
    ValueError
        If it is out of range.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> checked_count(Disk(), 2236)
    2236
    """
    number = whole_number(count, "count")
    fewest = FEWEST[domain.dimension]
    if not fewest <= number <= MOST:
        raise ValueError(
            f"count={number} is out of range: in {domain.dimension}-D it must be at least "
            f"{fewest}, to hold a stencil, and at most {MOST:.0e}"
        )
    return number


def _points_inside(domain: Domain) -> Floats:
    """Random points inside ``domain``, or the nearest to it where it is too thin to be hit."""
    lower, upper = domain.bounds
    shares = np.random.default_rng(0).random((SAMPLES, domain.dimension))
    points = lower + (upper - lower) * shares
    distance = domain.signed_distance(points)
    return np.asarray(points[np.argsort(distance)[: max(LEAST, int((distance < 0.0).sum()))]])
