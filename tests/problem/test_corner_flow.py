"""Flows whose velocity jumps at a corner: Taylor's scraper is found whatever the nodes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Polygon, Rectangle
from dtpinn.pde import Dirichlet, Stokes
from tests.marks import mostly_full

VELOCITY = ("u", "v")
MEAN = [dtpinn.Mean(0.0, field="p")]


def scraper(opening):
    """psi = r f(t) between a wall at rest, along the first axis, and one that slides outwards.

    f = A cos t + B sin t + C t cos t + D t sin t; G. I. Taylor (1962), here from the four
    conditions f(0) = f'(0) = f(opening) = 0, f'(opening) = 1.
    """
    s, c, t = np.sin(opening), np.cos(opening), opening
    rows = [
        [1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 1.0, 0.0],
        [c, s, t * c, t * s],
        [-s, c, c - t * s, s + t * c],
    ]
    A, B, C, D = np.linalg.solve(rows, [0.0, 0.0, 0.0, 1.0])

    def velocity(x):
        t = torch.atan2(x[:, 1], x[:, 0])
        t = torch.where(t < opening / 2 - np.pi, t + 2 * np.pi, t)
        s, c = torch.sin(t), torch.cos(t)
        f = A * c + B * s + C * t * c + D * t * s
        slope = -A * s + B * c + C * (c - t * s) + D * (s + t * c)
        # u_r = f', u_t = -f.
        return torch.stack([slope * c + f * s, slope * s - f * c], dim=1)

    return velocity


def sector(opening):
    """A polygon whose first corner, the origin, opens so far; its first and last sides are it."""
    angles = np.linspace(0.0, opening, 4)
    rim = np.column_stack([np.cos(angles), np.sin(angles)])
    return Polygon(np.concatenate([np.zeros((1, 2)), rim]))


@pytest.mark.parametrize(
    "opening", mostly_full([1.0, np.pi / 2, 2.5, 1.5 * np.pi], lambda o: o == np.pi / 2)
)
def test_the_flow_of_a_scraper_is_found_on_coarse_nodes(opening):
    nodes = dtpinn.place_nodes(sector(opening), spacing=0.1, seed=0)
    flow, outwards = scraper(opening), (np.cos(opening), np.sin(opening))
    given = {
        "edge0": Dirichlet((0.0, 0.0), field=VELOCITY),
        "edge4": Dirichlet(outwards, field=VELOCITY),
        "*": Dirichlet(lambda x, n: flow(x), field=VELOCITY),
    }
    problem = dtpinn.discretize(Stokes(1.0, given), nodes, order=3, constraints=MEAN)
    u, x = problem.solve()[:, :2], problem.points
    away = x.norm(dim=1) > 1e-9
    # 0.002 to 0.005; 0.04 to 0.2 where stencils differentiate the jump.
    assert (u - flow(x))[away].abs().max() < 0.01


def flows(nodes, *conditions):
    given = dict(zip(("top", "left", "*"), conditions, strict=True))
    return dtpinn.discretize(Stokes(1.0, given), nodes, order=2, constraints=MEAN).posed.pde


def test_corners_are_treated_where_velocities_jump_and_nowhere_else():
    nodes = dtpinn.place_nodes(Rectangle((0, 0), (1, 1)), spacing=0.15)
    at_rest, lid = Dirichlet((0.0, 0.0), field=VELOCITY), Dirichlet((1.0, 0.0), field=VELOCITY)
    smooth = Dirichlet(
        lambda x, n: torch.stack([x[:, 0] * (1 - x[:, 0]), 0 * x[:, 1]], 1), VELOCITY
    )
    assert len(flows(nodes, lid, at_rest, at_rest)._corners) == 2
    assert len(flows(nodes, lid, lid, at_rest)._corners) == 2
    assert not flows(nodes, smooth, at_rest, at_rest)._corners
    assert not flows(nodes, lid, lid, lid)._corners
