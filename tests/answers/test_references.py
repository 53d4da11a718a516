"""The answers themselves: each solves its equation and meets its conditions; published numbers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.sparse import diags_array, eye_array, kron
from scipy.sparse.linalg import spsolve
from scipy.spatial import cKDTree

import dtpinn
from tests.answers.known import (
    cooled_plates,
    flow_past_a_cylinder,
    motz,
    one_way,
    plate_with_a_hole,
    polygons,
    torsion_of_a_cube,
    torsion_of_a_square,
    torsion_of_an_l,
)
from tests.answers.known.catalogue import one_of_each_kind, questions
from tests.answers.known.fitted_derivatives import FittedDerivatives
from tests.marks import mostly_full

# Fichera's comes from differences, interpolated: too rough for second derivatives.
QUESTIONS = {name: one for name, one in questions().items() if not name.startswith("fichera")}
FEW = 4


def residuals(question, points, normals=None, *, part=None, disturbed=False):
    """Of the equation, or of the condition on a part, for the answer."""

    def function(x):
        values = question.answer(x)
        if not disturbed:
            return values
        middle, half = question.domain.bounds.mean(0), np.ptp(question.domain.bounds, 0).max() / 2
        square = ((x - middle) / half + 0.3).sum(1) ** 2
        return values + np.abs(values).max() * (square if values.ndim == 1 else square[:, None])

    radius = 0.2 * question.spacings[-1]
    D = FittedDerivatives(function, question.domain, points, radius, normals)
    pde, x = question.equation(), torch.from_numpy(points)
    if part is None:
        return pde.residual(D.u, D, x)
    on = pde.conditions()[part] if pde.conditions() else pde.boundary
    return on(D.u, D, x, torch.from_numpy(normals))


def some(rows):
    """A few of them, spread out."""
    return rows[np.linspace(0, len(rows) - 1, min(FEW, len(rows))).astype(int)]


@pytest.mark.parametrize("name", mostly_full(QUESTIONS, one_of_each_kind(QUESTIONS).__contains__))
def test_an_answer_solves_its_equation_and_meets_its_conditions(name):
    """Derivatives by local fits, inside and on each part, a spacing away from where parts meet."""
    question, h = QUESTIONS[name], QUESTIONS[name].spacings[0]
    nodes = dtpinn.place_nodes(question.domain, spacing=h)
    inside = nodes.interior[question.domain.signed_distance(nodes.interior) < -0.5 * h]
    checked = [(some(inside), None, None)]
    for number, part in enumerate(nodes.parts):
        own = nodes.part == number
        if not own.all():
            others = cKDTree(nodes.boundary[~own])
            own &= others.query(nodes.boundary)[0] > 1.5 * h
        rows = some(np.flatnonzero(own & flat(nodes)))
        if len(rows):
            checked.append((nodes.boundary[rows], nodes.normals[rows], part))
    assert len(checked) > len(nodes.parts) // 2
    for points, normals, part in checked:
        right = residuals(question, points, normals, part=part)
        wrong = residuals(question, points, normals, part=part, disturbed=True)
        assert right.abs().max() < 1e-3 * wrong.abs().mean(), part


def flat(nodes):
    """Which boundary nodes have neighbours with much the same normal: none at a corner."""
    count = 2 * nodes.dimension - 1
    near = cKDTree(nodes.boundary).query(nodes.boundary, k=np.arange(1, count + 1))[1]
    return (np.einsum("nd,nkd->nk", nodes.normals, nodes.normals[near]) > 0.7).all(1)


def test_published_numbers_are_met():
    centre = np.array([[0.5, 0.5, 0.5]])
    assert torsion_of_a_square.answer(centre[:, :2]) == pytest.approx(0.0736713533, rel=1e-9)
    assert torsion_of_a_cube.answer(centre) == pytest.approx(0.0562128, rel=1e-5)
    assert motz.coefficients()[0][:6] == pytest.approx(motz.PUBLISHED, rel=1e-9)
    place, degrees = cooled_plates.NAFEMS
    assert cooled_plates.plate(np.array([place])) == pytest.approx(degrees, abs=0.06)
    assert one_way.explosion(np.array([[0.5, 0.1]])) == pytest.approx(0.140539, abs=5e-7)
    assert plate_with_a_hole.stress(np.array([[0.0, 1.0], [1.0, 0.0]]))[:, :2] == pytest.approx(
        np.array([[3.0, 0.0], [0.0, -1.0]]), abs=1e-12
    )
    assert flow_past_a_cylinder.velocity(np.array([[0.0, 1.0]]), 0) == pytest.approx(2.0)
    middle = np.array([polygons.MIDDLE])
    assert polygons.torsion(middle) == pytest.approx(polygons.HEIGHT**2 / 27)


def test_particular_solutions_meet_the_conditions_to_rounding():
    assert torsion_of_an_l.coefficients()[1] < 1e-11
    assert motz.coefficients()[1] < 500 * 1e-9


def test_the_torsion_of_an_l_is_that_of_finite_differences():
    """Five-point formula; its error has the powers 4/3, of the corner, and 2 of the spacing."""
    place = np.array([[-0.5, -0.5], [0.5, -0.5], [-0.25, -0.25]])
    coarse, middle, fine = (by_differences(n, place) for n in (16, 32, 64))
    corner = 1 / (2 ** (4 / 3) - 1)
    first, second = middle + corner * (middle - coarse), fine + corner * (fine - middle)
    extrapolated = second + (second - first) / 3
    assert extrapolated == pytest.approx(torsion_of_an_l.answer(place), rel=2e-5)


def by_differences(n, place):
    """-Laplacian u = 1 on the L, n cells to the unit, at points of the grid."""
    axis = np.arange(1, 2 * n)
    free = np.flatnonzero(~((axis[:, None] >= n) & (axis >= n)).ravel())
    second = diags_array([-1.0, 2.0, -1.0], offsets=[-1, 0, 1], shape=(len(axis),) * 2)
    one = eye_array(len(axis))
    matrix = (kron(second, one) + kron(one, second)).tocsr()[free][:, free]
    u = np.zeros(len(axis) ** 2)
    u[free] = spsolve(matrix.tocsc(), np.full(len(free), 1.0 / n**2))
    rows = np.round((place + 1) * n).astype(int) - 1
    return u[rows[:, 0] * len(axis) + rows[:, 1]]
