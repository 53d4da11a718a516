import numpy as np
import pytest
from scipy.spatial import cKDTree

from dtpinn.geometry import Disk
from dtpinn.nodes.directions import random_rotations, unit_directions
from dtpinn.nodes.front import fill
from tests.nodes.node_domains import Ball


def test_a_variable_spacing_is_followed_inwards():
    # The interface is there for graded nodes: spacing 0.02 at the circle, 0.1 at the centre.
    def spacing(x):
        return 0.1 - 0.08 * np.linalg.norm(x, axis=1)

    disk = Disk()
    circle = disk.walk_boundary(0.02).points
    interior = fill(disk, circle, spacing, np.random.default_rng(0))
    points = np.concatenate([interior, circle])
    nearest = cKDTree(points).query(interior, k=2)[0][:, 1] / spacing(interior)
    # A node is kept r away by r, the spacing at its parent, two steps of r from its neighbour at
    # most; over these the spacing, of slope 0.08, grows from r to at most 1.16 r.
    assert nearest.min() >= 1 / 1.16
    assert nearest.max() <= 1.3


def test_a_front_grown_from_a_single_point_stays_inside():
    # No other boundary node keeps the front in: the signed distance has to.
    disk = Disk()
    seed = disk.walk_boundary(0.1).points[:1]
    interior = fill(disk, seed, lambda x: np.full(len(x), 0.1), np.random.default_rng(0))
    assert len(interior) > 200
    assert disk.signed_distance(interior).max() <= -0.05


class Counting(Disk):
    asked = 0

    def signed_distance(self, points):
        object.__setattr__(self, "asked", self.asked + len(points))
        return super().signed_distance(points)


def test_the_signed_distance_is_asked_about_once_per_node():
    disk = Counting()
    circle = disk.walk_boundary(0.02).points
    interior = fill(disk, circle, lambda x: np.full(len(x), 0.02), np.random.default_rng(0))
    assert disk.asked <= 2 * len(interior)


@pytest.mark.parametrize("dimension", [2, 3])
def test_directions_are_unit_and_cancel(dimension):
    directions = unit_directions(dimension)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1.0, atol=1e-14)
    assert np.linalg.norm(directions.mean(axis=0)) < 0.02


@pytest.mark.parametrize("dimension", [2, 3])
def test_random_rotations_are_rotations_without_a_preferred_direction(dimension):
    rotations = random_rotations(20_000, dimension, np.random.default_rng(0))
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0, atol=1e-12)
    product = np.einsum("nij,nkj->nik", rotations, rotations)
    np.testing.assert_allclose(
        product, np.broadcast_to(np.eye(dimension), product.shape), atol=1e-12
    )
    # Entries have mean 0 and variance 1/d: five standard errors of the mean of 20,000.
    assert np.abs(rotations.mean(axis=0)).max() < 5 / np.sqrt(20_000 * dimension)


def test_a_ball_is_filled_from_its_sphere():
    ball = Ball()
    sphere = ball.walk_boundary(0.2).points
    interior = fill(ball, sphere, lambda x: np.full(len(x), 0.2), np.random.default_rng(0))
    assert np.linalg.norm(interior, axis=1).min() < 0.2
