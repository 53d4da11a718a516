"""Periodic nodes: on one side of the seam only, a spacing apart across it, with their period."""

import math
import pickle

import numpy as np
import pytest

from dtpinn.geometry import Ball, Box, Disk, Interval, Rectangle
from dtpinn.nodes import Nodes, graded, place_nodes

TORUS = Rectangle((-0.3, 0.0), (0.7, 1.0), periodic=True)
DOMAINS = {
    "circle": (Interval(0.0, 1.0, periodic=True), 0.05),
    "cut circle": (Interval(0.0, 1.0, periodic=True) - Interval(-0.1, 0.1), 0.05),
    "channel": (Rectangle((0.0, 0.0), (2.0, 1.0), periodic=(True, False)), 0.06),
    "torus": (TORUS, 0.06),
    "cylinders": (TORUS - Disk(0.3, (0.7, 0.5)), 0.05),
    "layer": (Box(periodic=(True, True, False)) - Ball(0.4, (0.0, 0.0, 1.0)), 0.14),
    "tube": (Box((0, 0, 0), (1, 0.6, 0.6), periodic=(True, False, False)), 0.14),
    "crystal": (Box(periodic=True), 0.14),
}


@pytest.fixture(scope="module", params=DOMAINS)
def placed(request):
    domain, spacing = DOMAINS[request.param]
    return domain, place_nodes(domain, spacing, seed=1)


def test_nodes_keep_their_distance_across_the_seam_and_leave_no_hole_there(placed):
    domain, nodes = placed
    lower, upper = domain.bounds
    axes = list(domain.cell.axes)
    assert ((nodes.extended >= lower) & (nodes.extended < upper))[:, axes].all()
    nearest = nodes.cell.tree(nodes.collocation).query(nodes.collocation, k=2)[0][:, 1]
    assert nearest.min() >= 0.85 * nodes.spacing
    # On the seam and a period away from it.
    seam = np.random.default_rng(0).uniform(lower, upper, (2000, domain.dimension))
    seam[:, axes[0]] = lower[axes[0]]
    seam = seam[domain.contains(seam)]
    assert domain.dimension == 1 or len(seam) > 100
    if len(seam):
        assert nodes.cell.tree(nodes.collocation).query(seam)[0].max() <= 1.05 * nodes.spacing


def test_the_quality_is_that_of_the_torus(placed):
    domain, nodes = placed
    quality = nodes.quality(domain)
    assert quality.separation >= 0.85
    assert quality.fill <= 1.06
    assert nodes.quality().separation == quality.separation


def test_every_boundary_node_has_its_ghost(placed):
    domain, nodes = placed
    assert nodes.ghost_count == nodes.boundary_count
    assert (domain.signed_distance(nodes.ghost) > 0.0).all()


@pytest.mark.parametrize("suffix", ["npz", "csv", "vtu"])
def test_files_keep_the_period(placed, suffix, tmp_path):
    _, nodes = placed
    nodes.save(tmp_path / f"nodes.{suffix}")
    for again in (Nodes.load(tmp_path / f"nodes.{suffix}"), pickle.loads(pickle.dumps(nodes))):
        assert again.cell == nodes.cell
        assert set(again.parts) == set(nodes.parts)
        np.testing.assert_array_equal(again.extended, nodes.extended)


def test_somebodys_own_points_have_the_period_that_they_are_given(placed):
    _, nodes = placed
    periods = [p if math.isfinite(p) else None for p in nodes.cell.periods]
    boundary = (nodes.boundary, nodes.normals) if nodes.boundary_count else ()
    again = Nodes.from_points(nodes.interior, *boundary, periods=periods, spacing=nodes.spacing)
    assert again.cell.periods == nodes.cell.periods
    np.testing.assert_allclose(
        again.cell.difference(again.extended, nodes.extended), 0.0, atol=1e-12
    )


def test_a_count_is_met_and_a_spacing_may_vary():
    assert abs(place_nodes(TORUS, count=500).count - 500) <= 10
    around = TORUS - Disk(0.2, (-0.3, 0.0))
    nodes = place_nodes(around, graded(around, near=0.03, far=0.12, growth=0.3))
    assert nodes.local_spacing.max() > 2.5 * nodes.local_spacing.min()
    assert nodes.quality(around).ratio < 1.3
    with pytest.raises(ValueError, match="spacing changes by"):  # it is another one across the seam
        place_nodes(TORUS, lambda x: 0.05 + 0.03 * (x[:, 0] > 0.2))


def test_sweeps_even_out_across_the_seam():
    nodes = place_nodes(TORUS, 0.06, sweeps=3)
    nearest = nodes.cell.tree(nodes.interior).query(nodes.interior, k=2)[0][:, 1]
    assert nearest.min() > 0.8 * nodes.spacing


def test_points_that_do_not_fit_their_period_are_refused():
    x = np.linspace(0.0, 1.0, 11)[:, None]
    with pytest.raises(ValueError, match=r"interior\[0\] and interior\[10\].*images of a point"):
        Nodes.from_points(x, periods=[1.0])
    with pytest.raises(ValueError, match=r"reach over 1 in the direction x, more than the period"):
        Nodes.from_points(x, periods=[0.5])
    with pytest.raises(ValueError, match="unless they are periodic in all directions"):
        Nodes.from_points(np.random.default_rng(0).random((9, 2)), periods=[1.0, None])
    with pytest.raises(ValueError, match="periods must hold 1 numbers"):
        Nodes.from_points(x, periods=[1.0, None])


@pytest.mark.parametrize(("name", "seams"), [("circle", 2), ("channel", 2), ("crystal", 0)])
def test_a_picture_shows_the_cell(name, seams):
    ax = place_nodes(*DOMAINS[name]).plot()
    assert sum(line.get_linestyle() == "--" for line in ax.lines) == seams
