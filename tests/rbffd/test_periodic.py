"""Matrices on periodic nodes: the same wherever the seam is, and right across it."""

import math
from itertools import product

import numpy as np
import pytest
import torch

from dtpinn import rbffd
from dtpinn.geometry import Ball, Box, Disk, Interval, Rectangle
from dtpinn.nodes import Nodes, place_nodes
from dtpinn.rbffd import differential as D
from tests.marks import mostly_full

HALF = 0.5
DOMAINS = {
    "circle": (Interval(0.0, 1.0, periodic=True), 0.04),
    "channel": (Rectangle((0.0, 0.0), (1.0, 0.7), periodic=(True, False)), 0.06),
    "torus": (Rectangle(periodic=True), 0.06),
    "cylinders": (Rectangle(periodic=True) - Disk(0.3, (0.5, 0.4)), 0.05),
    "layer": (Box(periodic=(True, True, False)) - Ball(0.3, (0.4, 0.5, 1.0)), 0.16),
}


def wave(points):
    total = np.exp(np.sin(2 * np.pi * points[:, 0]))
    if points.shape[1] > 1:
        total = total * (1.0 + np.cos(2 * np.pi * points[:, 1] / 0.7) * 0.3)
    return total


def moved(nodes, shift):
    """The same nodes with the seam elsewhere, in the same order."""
    periods = [p if math.isfinite(p) else None for p in nodes.cell.periods]
    axes = list(nodes.cell.axes)
    low = np.array(nodes.cell.lower)

    def there(points):
        points = points.copy()
        points[:, axes] = low[axes] + (points[:, axes] - low[axes] + shift) % 1.0
        return points

    boundary = {}
    if nodes.boundary_count:
        boundary = {"boundary": there(nodes.boundary), "normals": nodes.normals}
    interior = there(nodes.interior)
    return Nodes.from_points(interior, **boundary, periods=periods, spacing=nodes.spacing), there


@pytest.mark.parametrize("name", DOMAINS)
def test_a_matrix_does_not_know_where_the_seam_is(name):
    domain, spacing = DOMAINS[name]
    nodes = place_nodes(domain, spacing, seed=0)
    other, there = moved(nodes, HALF)
    np.testing.assert_array_equal(other.ghost_of, nodes.ghost_of)
    order = 2 if nodes.dimension == 3 else 4
    u = np.random.default_rng(0).standard_normal(len(nodes.extended))
    asked = np.random.default_rng(1).uniform(*domain.bounds, (40, nodes.dimension))
    asked = asked[domain.contains(asked)]
    for at, elsewhere in (("extended", "extended"), (asked, there(asked))):
        values = [
            rbffd.operator(cloud, D.laplacian + D.partial(0), order, at=places) @ torch.tensor(u)
            for cloud, places in ((nodes, at), (other, elsewhere))
        ]
        # Coordinates have been rounded, and Laplacians magnify that by h^-2.
        torch.testing.assert_close(values[1], values[0], rtol=0, atol=1e-8 * spacing**-2)


@pytest.mark.parametrize(
    ("name", "overlap"),
    mostly_full(
        product(["circle", "torus", "cylinders"], [None, 0.5]),
        {("circle", None), ("torus", 0.5), ("cylinders", None)}.__contains__,
    ),
)
def test_the_laplacian_of_a_wave_is_right_on_all_nodes(name, overlap):
    domain, _ = DOMAINS[name]

    def error(spacing):
        nodes = place_nodes(domain, spacing, seed=1)
        phase = 2 * np.pi * nodes.extended.sum(axis=1)
        exact = -nodes.dimension * (2 * np.pi) ** 2 * np.sin(phase)
        L = rbffd.laplacian(nodes, order=4, overlap=overlap)
        assert L.shape == (nodes.count, len(nodes.extended))
        off = (L @ torch.tensor(np.sin(phase))).numpy() - exact[: nodes.count]
        return np.linalg.norm(off) / np.linalg.norm(exact)

    assert error(0.03) < 5e-3
    assert error(0.015) < error(0.03) / 2**3


def test_a_period_shorter_than_a_stencil_makes_it_wrap_around():
    nodes = place_nodes(Interval(0.0, 1.0, periodic=True), spacing=0.1)
    second = rbffd.laplacian(nodes, order=4).to_scipy().toarray()  # 13 nodes of 10
    # The same stencils on so many periods that none wraps around.
    line = np.arange(-40, 50)[:, None] / 10
    cloud = Nodes.from_points(line[1:-1], line[[0, -1]], [[-1.0], [1.0]], spacing=0.1)
    unrolled = rbffd.laplacian(cloud, order=4).to_scipy()[[39]].toarray()[0]
    x = np.round(cloud.extended[:, 0] * 10).astype(int) % 10
    np.testing.assert_allclose(np.bincount(x, unrolled), second[0], atol=1e-9)
    assert np.linalg.matrix_rank(second, tol=1e-8) == 9  # constants alone are lost


def test_values_are_interpolated_wherever_one_asks():
    nodes = place_nodes(*DOMAINS["channel"])
    inside = np.array([[-0.001, 0.3], [0.999, 0.1], [7.25, 0.5], [-3.0, 0.699]])
    found = rbffd.interpolation(nodes, inside, order=5) @ torch.tensor(wave(nodes.extended))
    np.testing.assert_allclose(found, wave(inside), rtol=1e-3)
