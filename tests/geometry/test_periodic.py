"""Periodic domains: what is cut out comes again in every cell, wherever the seam is."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Ball, Box, Cell, Disk, Ellipse, Interval, Rectangle

CHANNEL = Rectangle((0.0, 0.0), (2.0, 1.0), periodic=(True, False))
TORUS = Rectangle((0.0, 0.0), (2.0, 1.0), periodic=True)
# Each with the radius of its holes and their centres, of which one or several cells show some.
ACROSS = {
    "interval": (Interval(0.0, 2.0, periodic=True) - Interval(-0.3, 0.3), 0.3, [[0.0]]),
    "channel": (CHANNEL - Disk(0.3, (2.0, 0.5)), 0.3, [[0.0, 0.5]]),
    "torus": (TORUS - Disk(0.3, (0.0, 1.0)), 0.3, [[0.0, 0.0]]),
    "two": (TORUS - Disk(0.3) - Disk(0.3, (1.0, 0.5)), 0.3, [[0.0, 0.0], [1.0, 0.5]]),
    "box": (Box((0, 0, 0), (2, 1, 1), periodic=True) - Ball(0.3), 0.3, [[0.0, 0.0, 0.0]]),
}


@pytest.mark.parametrize("lower", [-0.7, 0.0])
def test_a_tree_in_a_cell_finds_what_one_of_all_images_finds(lower):
    cell, rng = Cell((lower, 0.0), (1.0, np.inf)), np.random.default_rng(0)
    points, asked = rng.uniform(-3.0, 3.0, (200, 2)), rng.uniform(-3.0, 3.0, (50, 2))
    wrapped = cell.wrap(points)
    assert ((wrapped[:, 0] >= lower) & (wrapped[:, 0] < lower + 1.0)).all()
    np.testing.assert_array_equal(cell.wrap(wrapped), wrapped)
    around = np.concatenate([wrapped, cell.images(wrapped, 2.0)[0]])
    distance, row = cell.tree(points).query(asked)
    np.testing.assert_allclose(distance, cKDTree(around).query(cell.wrap(asked))[0], atol=1e-12)
    way = cell.difference(points[row], asked)
    np.testing.assert_allclose(np.linalg.norm(way, axis=1), distance, atol=1e-12)


@pytest.mark.parametrize("name", ACROSS)
def test_distances_are_those_to_the_nearest_image_of_a_hole(name):
    domain, radius, centres = ACROSS[name]
    points = np.random.default_rng(0).uniform(-3.0, 3.0, (300, domain.dimension))
    way = domain.cell.difference(points[:, None], np.array(centres))
    wanted = radius - np.linalg.norm(way, axis=2).min(axis=1)
    if name == "channel":
        wanted = np.maximum(wanted, np.abs(points[:, 1] - 0.5) - 0.5)
        inside = np.abs(points[:, 1] - 0.5) < 0.5
        points, wanted = points[inside], wanted[inside]
    np.testing.assert_allclose(domain.signed_distance(points), wanted, atol=1e-11)


@pytest.mark.parametrize("name", ACROSS)
def test_a_walk_goes_on_across_the_seam_and_stays_in_the_cell(name):
    domain = ACROSS[name][0]
    walk = domain.walk_boundary(0.1)
    lower, upper = domain.bounds
    axes = list(domain.cell.axes)
    assert ((walk.points >= lower) & (walk.points < upper))[:, axes].all()
    assert np.abs(domain.signed_distance(walk.points)).max() < 1e-11
    if domain.dimension > 1:
        step = domain.cell.tree(walk.points).query(walk.points, k=2)[0][:, 1]
        assert 0.07 < step.min() <= step.max() < 0.15
    outward = domain.signed_distance(walk.points + 1e-3 * walk.normals)
    np.testing.assert_allclose(outward, 1e-3, rtol=1e-2)


def test_holes_may_meet_across_the_seam():
    first, second = Disk(0.3, (0.1, 0.4)), Ellipse((0.3, 0.2), (1.75, 0.5))
    wavy = CHANNEL - Ellipse((0.8, 0.2), (0.0, 0.0))  # the seam is at the top of the wave
    points = np.random.default_rng(0).uniform((-1.0, 0.0), (3.0, 1.0), (500, 2))
    near = [CHANNEL.cell.difference(points, np.array(c)) for c in ([0.1, 0.4], [1.75, 0.5])]
    covered = (near[0] ** 2).sum(1) < 0.3**2
    covered |= ((near[1] / [0.3, 0.2]) ** 2).sum(1) < 1.0
    for both in (CHANNEL - first - second, CHANNEL - (first.translate((2.0, 0.0)) | second)):
        np.testing.assert_array_equal(both.contains(points), ~covered)
        walk = both.walk_boundary(0.05)
        assert np.isin(["circle", "ellipse"], walk.names).all()
        assert walk.sides.several(len(walk)).sum() == 2  # where the two cross
    walk = wavy.walk_boundary(0.1)
    assert walk.sides.several(len(walk)).sum() == 2
    assert walk.points[walk.part == walk.names.index("ellipse"), 1].max() == pytest.approx(
        0.2, abs=1e-2
    )


def test_sides_that_are_glued_are_no_parts():
    assert Interval(periodic=True).parts == TORUS.parts == Box(periodic=True).parts == ()
    assert CHANNEL.parts == ("bottom", "top")
    assert Rectangle(periodic=(False, True)).parts == ("left", "right")
    assert Box(periodic=(True, False, True)).parts == ("front", "back")
    assert len(TORUS.walk_boundary(0.1)) == 0
    assert not CHANNEL.walk_boundary(0.1).sides.several(40).any()  # it has no corners
    renamed = (TORUS - Disk(0.3)).with_parts({"rim": lambda x: x[:, 0] < 1.0})
    assert renamed.walk_boundary(0.1).names == ("circle", "rim")


def test_the_edges_of_a_box_that_is_periodic_along_them_are_walked_once_around():
    walk = Box((0, 0, 0), (1, 0.5, 0.5), periodic=(True, False, False)).walk_boundary(0.1)
    on_edge = walk.sides.several(len(walk))
    assert on_edge.sum() == 4 * 10
    for x in np.split(np.sort(walk.points[on_edge][:, 0]), 1):
        assert x.min() >= 0.0
        assert x.max() < 1.0


def test_what_meets_its_own_image_is_refused():
    with pytest.raises(ValueError, match=r"meets its own image.*direction y.*period 1\b"):
        _ = TORUS - Disk(0.5)
    with pytest.raises(ValueError, match="not alike"):
        _ = TORUS - CHANNEL
    with pytest.raises(ValueError, match="cannot be rotated; rotate what is cut out"):
        CHANNEL.rotate(0.1)
    with pytest.raises(TypeError, match="periodic must be True, False"):
        Rectangle(periodic=("x", "y"))
    with pytest.raises(ValueError, match="periodic must be one bool, or 2"):
        Rectangle(periodic=(True, False, True))


def test_a_moved_and_scaled_domain_takes_its_period_along():
    moved = (TORUS - Ellipse((0.3, 0.1)).rotate(0.5)).scale(2.0).translate((1.0, 0.0))
    assert moved.cell == Cell((1.0, 0.0), (4.0, 2.0))
    assert moved.signed_distance([[1.0, 2.0], [5.0, 0.0]]) == pytest.approx(0.2, abs=1e-9)
