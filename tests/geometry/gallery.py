"""Domains of every kind in the plane, by name."""

import functools

import numpy as np

from dtpinn.geometry import (
    Annulus,
    ClosedCurve,
    Disk,
    Ellipse,
    Implicit,
    Polygon,
    Rectangle,
)

L_SHAPE = [(0, 0), (1, 0), (1, 0.5), (0.5, 0.5), (0.5, 1), (0, 1)]
SQUARE = [(0, 0), (2, 0), (2, 2), (0, 2)]


def petals(t):
    angle = 2 * np.pi * t
    radius = 1 + 0.25 * np.cos(5 * angle)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def half_disk(t):
    """The upper half of the circle, clockwise, then the diameter."""
    circle = np.column_stack([-np.cos(2 * np.pi * t), np.sin(2 * np.pi * t)])
    line = np.column_stack([3 - 4 * t, 0 * t])
    return np.where((t < 0.5)[:, None], circle, line)


def stadium(x):
    return np.hypot(np.maximum(np.abs(x[:, 0]) - 1, 0), x[:, 1]) - 0.5


def bite(x):
    """A disk less a disk, by the maximum of the distances."""
    away = np.hypot(x[:, 0] - 1, x[:, 1]) - 0.6
    return np.maximum(np.hypot(x[:, 0], x[:, 1]) - 1, -away)


@functools.cache
def domains():
    """Name -> domain, made once."""
    return {
        "disk": Disk(1.5, (1.0, -2.0)),
        "ellipse": Ellipse((1.5, 0.5), (0.2, 0.1)),
        "annulus": Annulus(0.4, 1.0),
        "rectangle": Rectangle((-1, 0), (1, 0.7)),
        "l shape": Polygon(L_SHAPE),
        "clockwise": Polygon(L_SHAPE[::-1]),
        "frame": Polygon(SQUARE, holes=[[(0.5, 0.5), (0.5, 1.2), (1.4, 1.0)]]),
        "flower": ClosedCurve(petals),
        "half disk": ClosedCurve(half_disk, corners=[0.0, 0.5]),
        "stadium": Implicit(stadium, [[-1.5, -0.5], [1.5, 0.5]]),
        "bite": Implicit(bite, [[-1, -1], [1, 1]]),
        "lens": Disk() & Disk(1.0, (1.0, 0.0)),
        "plate": Rectangle((-1, -1), (1, 1)) - Disk(0.5) - Disk(0.6, (1.0, 1.0)),
        "pair": Disk() | Rectangle((0, -0.3), (2, 0.3)),
        "house": Rectangle((0, 0), (2, 1)) | Rectangle((0, 1), (1, 2)),
        "turned": (Rectangle() - Disk(0.4)).rotate(0.5).scale(2.0).translate((3.0, 1.0)),
        "parted": (Disk().with_parts({"top": lambda x: x[:, 1] > 0.0})) - Disk(0.5, (0.7, 0.0)),
    }
