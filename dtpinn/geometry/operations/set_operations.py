"""Union, intersection and difference of domains."""

from __future__ import annotations

import math
from collections.abc import Sequence, Set
from dataclasses import dataclass

from dtpinn.checks import names_text
from dtpinn.geometry.operations.combination import Combination
from dtpinn.geometry.r_functions import Values, intersection, union


@dataclass(frozen=True)
class Union(Combination):
    """What lies in one domain or in another: ``left | right``.

    Examples
    --------
    >>> from dtpinn.geometry import Disk, Rectangle
    >>> house = Rectangle((0, 0), (2, 1)) | Rectangle((0, 1), (1, 2))
    >>> house.signed_distance([[0.5, 1.0], [1.5, 1.5]])
    array([-0.5,  0.5])
    >>> house.parts
    ('left', 'right', 'bottom', 'top', 'left_2', 'right_2', 'top_2')
    """

    signs = (-1, -1, -1)

    def level(self, x: Sequence[Values]) -> Values:
        """Return what is positive where one of the two is."""
        self.check_apart()
        return union(self.left.level(x), self.right.level(x))


@dataclass(frozen=True)
class Intersection(Combination):
    """What lies in both of two domains: ``left & right``.

    Examples
    --------
    >>> from dtpinn.geometry import Disk
    >>> lens = Disk() & Disk(1.0, (1.0, 0.0))
    >>> lens.signed_distance([[0.5, 0.0], [0.5, 1.0]]).round(3)
    array([-0.5  ,  0.134])
    >>> lens.parts
    ('circle', 'circle_2')
    """

    signs = (1, 1, 1)

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """Return the product of what vanishes on the parts of both."""
        left, right = self.old_parts(parts)
        pairs = ((self.left, left), (self.right, right))
        return math.prod(domain.vanishing(x, old) for domain, old in pairs if old)

    def level(self, x: Sequence[Values]) -> Values:
        """Return what is positive where both are."""
        self.check_apart()
        return intersection([self.left.level(x), self.right.level(x)])


@dataclass(frozen=True)
class Difference(Combination):
    """What lies in one domain and not in another: ``left - right``.

    Examples
    --------
    >>> from dtpinn.geometry import Disk, Rectangle
    >>> plate = Rectangle((-1, -1), (1, 1)) - Disk(0.5)
    >>> plate.signed_distance([[0.0, 0.0], [0.75, 0.0]])
    array([ 0.5 , -0.25])
    """

    signs = (1, 1, -1)

    def vanishing(self, x: Sequence[Values], parts: Set[str]) -> Values:
        """Return the product of what vanishes on the parts of the left one and on the right one."""
        left, right = self.old_parts(parts)
        if right and right != set(self.right.parts):
            raise self.no_formula(f"parts {names_text(sorted(parts))} alone")
        factors = [self.left.vanishing(x, left)] if left else []
        return math.prod([*factors, *([-self.right.level(x)] if right else [])])

    def level(self, x: Sequence[Values]) -> Values:
        """Return what is positive where the left one is and the right one is not."""
        self.check_apart()
        return intersection([self.left.level(x), -self.right.level(x)])
