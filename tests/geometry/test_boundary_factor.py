"""Smooth functions that vanish on a boundary, or on parts of it, of every domain that has one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from dtpinn.geometry import Ball, Box, Disk, Interval, Polygon, Rectangle, Torus
from tests.geometry.gallery import domains

# Bays in bays, two that share a vertex with the hull, two edges on one line, and a hole.
COMB = Polygon(
    [(0, 0), (3, 0), (6, 0), (6, 3), (5, 3), (5, 1), (4, 1.5), (4, 0.5), (3, 2), (4.2, 2.6), (2, 3),
     (1, 2), (0, 3)],
    holes=[[(0.5, 0.5), (1, 0.5), (1, 1), (0.8, 0.7)]],
)  # fmt: skip
GALLERY = dict(domains())
NONE = [GALLERY.pop(name) for name in ("flower", "half disk", "stadium", "bite", "house")]
DOMAINS = GALLERY | {
    "interval": Interval(1.0, 3.0),
    "comb": COMB,
    "clockwise comb": Polygon(COMB.vertices[::-1]),
    "notched": Rectangle((-1, -1), (1, 1)) - Rectangle((0, 0), (1, 1)),
    "ball": Ball(2.0, (1.0, 0.0, 0.0)),
    "box": Box((0, 0, 0), (1, 2, 1)).rotate(0.3, (1.0, 2.0, 0.0)),
    "torus": Torus(),
    "hollow": Box() - Ball(0.4, (0.5, 0.5, 0.5)),
}


@pytest.fixture(params=DOMAINS)
def domain(request):
    return DOMAINS[request.param]


def spread(domain, rng):
    """Points in a box somewhat larger than the domain."""
    low, high = domain.bounds
    return rng.uniform(low - 0.2 * (high - low), high + 0.2 * (high - low), (2000, len(low)))


def walked(domain):
    """Points on the boundary, and how often a side of each part comes to each."""
    size = float(np.ptp(domain.bounds, axis=0).min())
    walk = domain.walk_boundary(size / (12.5 if domain.dimension < 3 else 4.0))
    parts = np.zeros((len(walk), len(walk.names)), dtype=int)
    np.add.at(parts, (walk.sides.point, walk.sides.part), 1)
    return walk, parts, size


def test_it_has_the_sign_of_the_distance(domain, rng):
    points = spread(domain, rng)
    distance = domain.signed_distance(points)
    level = domain.level(list(points.T))
    assert (np.sign(level) == -np.sign(distance)).all()
    inside = points[distance < 0]
    assert (domain.boundary_factor(inside) > 0).all()


def test_it_vanishes_on_the_boundary_and_has_a_slope_there(domain):
    walk, parts, size = walked(domain)
    for function in (domain.boundary_factor, lambda x: domain.level(list(x.T))):
        assert np.abs(function(walk.points)).max() < 1e-10  # walks in space are as exact
        smooth = parts.sum(axis=1) == 1
        inwards = walk.points - 1e-6 * size * walk.normals
        slopes = function(inwards)[smooth] / 1e-6
        assert slopes.min() > 1e-3
        outwards = function(2 * walk.points - inwards)[smooth] / 1e-6
        assert outwards == pytest.approx(-slopes, abs=1e-3 * slopes.max())  # no kink


def test_a_part_alone_leaves_the_others_free(domain):
    walk, parts, _ = walked(domain)
    for number, name in enumerate(walk.names):
        try:
            factor = domain.boundary_factor(walk.points, name)
        except NotImplementedError:
            continue
        on = parts[:, number] > 0
        assert np.abs(factor[on]).max() < 1e-10
        assert (factor[~on] > 1e-4).all()


def test_which_parts_can_be_asked_alone():
    plate = Rectangle() - Disk(0.2, (0.5, 0.5))
    assert plate.boundary_factor(np.array([[0.5, 0.7], [0.0, 0.5]]), "circle")[1] > 0.5
    bent = COMB.with_parts({"tooth": ("edge3", "edge4"), "floor": "edge0"})
    for name in bent.parts:
        assert np.isfinite(bent.boundary_factor(np.array([[2.0, 1.0]]), name)).all()
    for domain, part in (
        (Rectangle() - Rectangle((0.4, 0.4), (0.6, 0.6)), "left_2"),
        (Disk() | Disk(1.0, (1.0, 0.0)), "circle"),
        (Disk().with_parts({"top": lambda x: x[:, 1] > 0}), "top"),
    ):
        with pytest.raises(NotImplementedError, match=f"vanishes on parts {part} alone"):
            domain.boundary_factor(np.zeros((1, 2)), part)


def test_what_has_no_formula_says_so():
    for domain in NONE:
        with pytest.raises(NotImplementedError, match="give that to HardBoundary"):
            domain.boundary_factor(np.zeros((1, 2)))
    # Two factors would vanish there to second order, or inside the domain.
    for domain in (
        Rectangle() & Rectangle((0, 0), (0.5, 2)),
        Rectangle() - Rectangle((0.2, -0.1), (0.4, 0.0)),
        Box() | Box((1, 0, 0), (2, 1, 1)),
    ):
        with pytest.raises(NotImplementedError, match="a stretch in common"):
            domain.boundary_factor(np.zeros((1, domain.dimension)))
    with pytest.raises(ValueError, match="'rim' is no part of Disk"):
        Disk().boundary_factor(np.zeros((1, 2)), "rim")
    with pytest.raises(ValueError, match="name at least one of the parts: circle"):
        Disk().boundary_factor(np.zeros((1, 2)), [])


def test_tensors_have_the_values_of_arrays_and_derivatives_everywhere(domain, rng):
    walk, _, _ = walked(domain)
    points = np.concatenate([walk.points, spread(domain, rng)[:200]])  # corners too
    found = domain.boundary_factor(torch.from_numpy(points))
    np.testing.assert_allclose(found, domain.boundary_factor(points), atol=1e-13, rtol=1e-12)
    x = torch.from_numpy(points).requires_grad_()
    (gradient,) = torch.autograd.grad(domain.boundary_factor(x).sum(), x)
    assert gradient.isfinite().all()
