"""Numbers that handbooks and benchmarks print, read off a direct solve as a user would."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn import Dirichlet, LinearElasticity, Traction
from dtpinn.geometry import Ellipse, Interval, Rectangle
from dtpinn.pde import Young
from tests.answers.known import (
    cooled_plates,
    flow_past_a_cylinder,
    plate_with_a_hole,
    torsion_of_a_square,
    torsion_of_an_l,
)
from tests.answers.known.elastic import Symmetry
from tests.answers.known.local import value_and_gradient
from tests.answers.known.question import vector


def solved(question, spacing, order=4):
    """Points of X, and the solution there."""
    nodes = dtpinn.place_nodes(question.domain, spacing=spacing)
    return nodes.collocation, solution(question.equation(), nodes, order)


def solution(pde, nodes, order=4):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at corners some are not resolved, and told so
        return dtpinn.discretize(pde, nodes, order=order).solve().numpy()


def strain(points, u, place):
    """xx, yy of displacements at a place."""
    slope = value_and_gradient(points, u, np.array(place))[1]
    return slope[0, 0], slope[1, 1]


def test_torsion_of_a_square_and_of_an_l():
    """Timoshenko and Goodier's 0.0737, and 0.1494124 at (-0.3311, -0.3311)."""
    points, u = solved(torsion_of_a_square.SQUARE, 0.05)
    largest = value_and_gradient(points, u, np.array([0.5, 0.5]))[0]
    assert largest == pytest.approx(torsion_of_a_square.LARGEST, rel=1e-3)
    points, u = solved(torsion_of_an_l.LOADED, 0.05)
    assert u.max() == pytest.approx(0.1494124, rel=0.015)


def test_nafems_t4_is_at_18_degrees():
    points, u = solved(cooled_plates.PLATE, 0.02)
    place, degrees = cooled_plates.NAFEMS
    assert value_and_gradient(points, u, np.array(place))[0] == pytest.approx(degrees, abs=0.3)


def test_nafems_t3_is_at_36_6_degrees():
    """A wall of 0.1 m, 0 degrees on one side and 100 sin(pi t / 40) on the other, after 32 s."""

    class Wall(dtpinn.PDE):
        def residual(self, u, D, x, t):
            return 440.5 * 7200.0 * D.time(u) - 35.0 * D.laplacian(u)

        def initial(self, u, D, x):
            return u

        def conditions(self):
            heated = Dirichlet(lambda x, n, t: 100 * torch.sin(math.pi * t / 40))
            return {"left": Dirichlet(), "right": heated}

    nodes = dtpinn.place_nodes(Interval(0.0, 0.1), spacing=0.005)
    times = torch.linspace(0, 32, 5)
    u = dtpinn.discretize(Wall(), nodes, order=4, times=times).solve().reshape(-1, len(times))
    place = np.argmin(np.abs(nodes.collocation[:, 0] - 0.08))
    assert nodes.collocation[place, 0] == pytest.approx(0.08)
    assert float(u[place, -1]) == pytest.approx(36.60, abs=0.05)


def test_the_stress_at_a_hole_is_three_times_the_pull():
    """Kirsch: 3 where the hole's edge runs along the pull, -1 where it is across."""
    points, u = solved(plate_with_a_hole.PLATE, 0.07)
    factor = 1 - plate_with_a_hole.NU**2
    for place, axis, stress in (((0.0, 1.0), 0, 3.0), ((1.0, 0.0), 1, -1.0)):
        along = strain(points, u, place)
        found = (along[axis] + plate_with_a_hole.NU * along[1 - axis]) / factor
        assert found == pytest.approx(stress, abs=0.1)


def test_nafems_le1_is_stressed_by_92_7():
    """The Standard NAFEMS Benchmarks, LE1: an elliptic membrane, pulled outwards; MPa at (2, 0)."""
    steel = Young(210e3, 0.3, plane="stress")
    ring = Ellipse((3.25, 2.75)) - Ellipse((2.0, 1.0))
    sides = {
        "ellipse": Traction(steel, lambda x, n: 10.0 * n),
        "ellipse_2": Traction(steel),
        "left": Symmetry(steel),
        "bottom": Symmetry(steel),
    }
    pde = LinearElasticity(None, sides, material=steel)
    nodes = dtpinn.place_nodes(ring & Rectangle((0, 0), (4, 4)), spacing=0.06)
    across, along = strain(nodes.collocation, solution(pde, nodes), (2.0, 0.0))
    assert 210e3 / (1 - 0.3**2) * (along + 0.3 * across) == pytest.approx(92.7, rel=0.03)


def test_a_clamped_beam_bends_as_beam_theory_says():
    """A load at the end: P L**3 / (3 E I), and 1.2 P L / (G A) by shear; clamped, a little less."""
    material, length = Young(1.0, 0.3, "stress"), 8.0
    sides = {
        "left": Dirichlet(),
        "right": Traction(material, vector(0.0, -1e-3)),
        "top": Traction(material),
        "bottom": Traction(material),
    }
    nodes = dtpinn.place_nodes(Rectangle((0, 0), (length, 1)), spacing=0.14)
    u = solution(LinearElasticity(None, sides, material=material), nodes)
    end = value_and_gradient(nodes.collocation, u, np.array([length, 0.5]))[0]
    theory = 1e-3 * (length**3 / (3 / 12) + 1.2 * length * 2 * 1.3)
    assert -end[1] == pytest.approx(theory, rel=0.1)


def test_the_flow_on_top_of_a_cylinder_is_twice_as_fast():
    points, u = solved(flow_past_a_cylinder.CYLINDER, 0.1)
    assert value_and_gradient(points, u, np.array([0.0, 1.0]))[1][0] == pytest.approx(2, rel=0.01)
