"""A cloud whose boundary is several times finer than its inside, as mesh files bring them."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Ball, Cell, Disk
from dtpinn.nodes.spacings import spacing_of
from dtpinn.rbffd import assemble, growing
from dtpinn.rbffd.rule import choose_rule
from dtpinn.rbffd.stencils import find_stencils
from dtpinn.rbffd.uneven import spread, usual_condition
from tests.marks import mostly_full

H = 0.1


def wave(x):
    return torch.sin(3 * x[:, 0]) * torch.exp(x[:, 1])


def refined(ratio, seed=0):
    """The disk with spacing H inside and H / ratio on the boundary, without any grading."""
    even = dtpinn.place_nodes(Disk(), spacing=H, seed=seed)
    count = round(2 * np.pi * ratio / H)
    t = 2 * np.pi * np.arange(count) / count
    edge = np.stack([np.cos(t), np.sin(t)], axis=1)
    inside = even.interior[np.linalg.norm(even.interior, axis=1) < 1 - 0.5 * H]
    return dtpinn.Nodes.from_points(inside, edge, edge)


def error(nodes, order, condition):
    pde = dtpinn.Poisson.from_solution(wave, boundary=condition)
    problem = dtpinn.discretize(pde, nodes, order=order)
    u, exact = problem.solve(), wave(problem.points)
    return float((u - exact).norm() / exact.norm())


ROBIN, DIRICHLET = dtpinn.Robin(1.0, 1.0), dtpinn.Dirichlet()


@pytest.mark.parametrize(
    ("condition", "order", "ratios"),
    [(ROBIN, 3, (5,)), (DIRICHLET, 4, (5,))]
    + [
        pytest.param(condition, order, (2.5, 3, 4, 5), marks=pytest.mark.full)
        for condition in (ROBIN, DIRICHLET)
        for order in (3, 4, 5)
    ],
)
def test_a_boundary_finer_than_the_inside_does_no_harm(condition, order, ratios):
    """It was 30 to 10,000 times the error of the even cloud."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for seed in (0, 1):
            even = error(refined(1, seed), order, condition)
            for ratio in ratios:
                assert error(refined(ratio, seed), order, condition) < 8 * even, (ratio, seed)


@pytest.mark.full
def test_torsion_of_a_disk_with_a_refined_boundary():
    """-Lap u = 1, u = 0: 1/4 in the middle, and a load that no stencil is exact for by design."""
    load = dtpinn.Poisson(lambda x: -torch.cos(3 * x[:, 0]), dtpinn.Dirichlet())
    fine = dtpinn.place_nodes(Disk(), spacing=0.04)
    reference = dtpinn.discretize(load, fine, order=6)
    middle = [[0.0, 0.0]]
    wanted = float(reference.interpolate(reference.solve(), middle))
    problem = dtpinn.discretize(load, refined(4), order=4)
    assert float(problem.interpolate(problem.solve(), middle)) == pytest.approx(wanted, rel=1e-3)


def laplacian(nodes):
    return {
        tuple(2 * (k == j) for j in range(nodes.dimension)): 1.0 for k in range(nodes.dimension)
    }


@pytest.mark.parametrize("domain", [Disk(), Ball()])
def test_even_and_graded_clouds_keep_their_nearest_nodes(domain):
    h = {2: 0.1, 3: 0.25}[domain.dimension]
    graded = dtpinn.nodes.graded(domain, near=0.5 * h, far=h)
    for spacing, order in ((h, 4), (h, 6), (graded, 4)):
        nodes = dtpinn.place_nodes(domain, spacing, seed=1)
        built = assemble(nodes, {"L": laplacian(nodes)}, "collocation", order)
        nearest = find_stencils(nodes.extended, np.arange(nodes.count), built.rule.stencil_size)
        assert np.array_equal(np.sort(nearest.members, 1).ravel(), built.matrices["L"].indices)


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("order", mostly_full([2, 4, 6], {4}.__contains__))
def test_the_usual_condition_is_that_of_even_clouds(dimension, order):
    domain = {1: dtpinn.geometry.Interval(0.0, 1.0), 2: Disk(), 3: Ball()}[dimension]
    nodes = dtpinn.place_nodes(domain, spacing={1: 0.02, 2: 0.1, 3: 0.2}[dimension])
    built = assemble(nodes, {"L": laplacian(nodes)}, "interior", order)
    usual = usual_condition(choose_rule(order, 2, dimension))
    assert 0.02 * usual < np.median(built.condition) < 20 * usual


def test_chosen_nodes_keep_their_distance_and_hold_the_nearest():
    nodes = refined(5)
    rows = np.arange(nodes.interior_count, nodes.count)
    pool = find_stencils(nodes.extended, rows, 200)
    chosen = spread(pool, 43)
    assert np.array_equal(chosen.members[:, :3], pool.members[:, :3])
    points = nodes.extended[chosen.members[:, 3:]]
    gap = np.linalg.norm(points[:, :, None] - points[:, None], axis=3)
    gap[:, np.arange(40), np.arange(40)] = np.inf
    assert gap.min() > 0.4 * H
    inside = (chosen.members < nodes.interior_count).sum(axis=1)
    assert (inside > 1.5 * (pool.members[:, :43] < nodes.interior_count).sum(axis=1)).all()


def test_what_no_choice_helps_is_told_with_a_remedy_that_works(monkeypatch):
    monkeypatch.setattr(growing, "HARMFUL", 0.1)  # with the present choice no ratio reaches it
    nodes = refined(5)
    told = r"the spacing changes abruptly.*with dtpinn\.nodes\.graded\(domain, near, far\)"
    with pytest.warns(UserWarning, match=told) as caught:
        assemble(nodes, {"L": laplacian(nodes)}, "collocation", 4)
    assert caught[0].filename == __file__
    graded = dtpinn.place_nodes(Disk(), dtpinn.nodes.graded(Disk(), near=H / 5, far=H))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assemble(graded, {"L": laplacian(graded)}, "collocation", 4)


def test_ghosts_of_an_uneven_cloud_follow_the_spacing_around_them():
    nodes = refined(5)
    h = nodes.local_spacing
    assert np.allclose(h[nodes.interior_count :], H / 5, rtol=0.2)
    deep = np.linalg.norm(nodes.interior, axis=1) < 0.7
    assert np.allclose(h[: nodes.interior_count][deep], H, rtol=0.2)
    even = dtpinn.place_nodes(Disk(), spacing=H).collocation
    assert len(np.unique(spacing_of(even, None, Cell.open(2)))) == 1  # an even one has one spacing
