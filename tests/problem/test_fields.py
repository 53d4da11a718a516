"""Conditions of some fields, several on a part, and names for fields and for parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.geometry import Annulus, Disk, Rectangle
from dtpinn.pde import Dirichlet, LinearElasticity, Manufactured, Neumann, Traction, Young
from dtpinn.problem.part_names import parts_by_name


def square(spacing=0.1, seed=0):
    return dtpinn.place_nodes(Rectangle((0, 0), (1, 1)), spacing=spacing, seed=seed)


class Two(dtpinn.PDE):
    """Two temperatures that know nothing of each other."""

    fields = ("a", "b")

    def __init__(self, conditions):
        super().__init__()
        self.given = conditions

    def residual(self, u, D, x):
        return D.laplacian(u)

    def conditions(self):
        return self.given


# The solution is (x, y), whatever the nodes: at each corner one field has a value and the other a
# flux, from different sides.
CROSSED = {
    "left": [Dirichlet(0.0, field="a"), Neumann(0.0, field="b")],
    "right": [Dirichlet(1.0, field=0), Neumann(0.0, field=1)],
    "*": [Neumann(0.0, field="a"), Dirichlet(lambda x, n: x[:, 1], field=("b",))],
}


@pytest.mark.parametrize("order", [2, 4])
def test_conditions_of_some_fields_hold_field_by_field_at_corners(order):
    problem = dtpinn.discretize(Two(CROSSED), square(), order)
    assert (problem.solve() - problem.points).abs().max() < 1e-10
    assert "boundary.left.a" in problem.names
    assert {"boundary.*.a", "boundary.*.b"} <= set(problem.names)
    # A field's value at a corner leaves no flux of it there: four sides of two conditions.
    held = sum(len(region.rows) * region.equations for region in problem.regions[1:])
    assert held == 2 * problem.nodes.boundary_count


def test_conditions_of_some_fields_are_trained():
    problem = dtpinn.discretize(Two(CROSSED), square(0.2))
    model = dtpinn.MLP(2, width=8, depth=1, fields=2, seed=0)
    dtpinn.fit(model, problem, epochs=15, optimizer="gauss-newton", progress=False)
    assert (model(problem.points) - problem.points).abs().max() < 1e-3


def test_a_body_slides_along_a_wall_and_is_pressed():
    """The confined compression of a block: eps_yy = -1 / (lambda + 2 mu), nothing across."""
    material = Young(1.0, 0.3, plane="strain")
    first, shear = material.lame()
    sliding = [Dirichlet(field=0), Traction(material, field=1)]
    pde = LinearElasticity(
        None,
        {
            "left": sliding,
            "right": sliding,
            "bottom": [Dirichlet(field=1), Traction(material, field=0)],
            "top": Traction(material, (0.0, -1.0)),
        },
        material=material,
    )
    problem = dtpinn.discretize(pde, square(), order=2)
    u, y = problem.solve(), problem.points[:, 1]
    assert u[:, 0].abs().max() < 1e-9
    assert (u[:, 1] + y / (first + 2 * shear)).abs().max() < 1e-9


@pytest.mark.parametrize("fields", [("a", "b"), 2])
def test_a_manufactured_system_keeps_its_conditions_of_some_fields(fields):
    both = [Dirichlet(field=0), Neumann(field=1)]
    pde = Two({"outer": both, "inner": [Neumann(field=0), Dirichlet(field=1)]})
    pde.fields = fields
    exact = lambda x: torch.stack([torch.sin(x[:, 0]), torch.exp(x[:, 1])], dim=1)  # noqa: E731
    nodes = dtpinn.place_nodes(Annulus(0.4, 1.0), spacing=0.1)
    problem = dtpinn.discretize(Manufactured(pde, exact), nodes)
    assert problem.names == [
        "pde", *(f"boundary.{part}.{f}" for part in ("outer", "inner") for f in pde.field_names)
    ]  # fmt: skip
    assert (problem.solve() - exact(problem.points)).abs().max() < 1e-4


def test_a_list_on_the_whole_boundary_and_weights_by_what_a_name_begins_with():
    pde = Two({"*": [Dirichlet(1.0, field=1), Neumann(field=0)]})
    problem = dtpinn.vanilla(pde, dtpinn.place_nodes(Disk(), spacing=0.3))
    assert problem.names == ["pde", "boundary.b", "boundary.a"]
    before = problem.weights
    problem.set_weights({"boundary": 2.0, "boundary.a": 3.0})
    assert problem.weights["boundary.b"] == pytest.approx(2.0 * before["boundary.b"])
    assert problem.weights["boundary.a"] == pytest.approx(3.0 * before["boundary.a"])


def test_numbers_stand_for_functions():
    nodes = square()
    number, function = (
        dtpinn.discretize(dtpinn.Poisson(f, {"left": Dirichlet(g), "*": Neumann(h)}), nodes)
        for f, g, h in (
            (1.0, 2.0, 3),
            (*((lambda x, n=None, c=c: torch.full_like(x[:, 0], c)) for c in (1.0, 2.0, 3.0)),),
        )
    )
    assert torch.equal(number.solve(), function.solve())
    times = torch.linspace(0.0, 1.0, 3)
    heat = dtpinn.discretize(dtpinn.Heat(0.0, Dirichlet(1.0), 1.0), nodes, times=times)
    assert (heat.solve() - 1.0).abs().max() < 1e-10


PARTS = ["left", "right", "circle1", "circle2", "circle10"]


def test_names_go_before_patterns_and_more_letters_before_fewer():
    found = parts_by_name(["circle1", "circle1*", "circle*", "*"], PARTS, PARTS)
    assert found == {
        "circle1": ["circle1"], "circle1*": ["circle10"], "circle*": ["circle2"],
        "*": ["left", "right"],
    }  # fmt: skip
    nodes = dtpinn.place_nodes(Rectangle() - Disk(radius=0.3), spacing=0.1)
    pde = dtpinn.Poisson(0.0, {"circle*": Dirichlet(1.0), "*": Neumann()})
    problem = dtpinn.discretize(pde, nodes)
    assert problem.names == ["pde", "boundary.circle*", "boundary.*"]
    assert (problem.solve() - 1.0).abs().max() < 1e-10


WRONG_NAMES = {
    "nothing": (["circl", "*"], r"\['circl'\], which no part is called.*circle1"),
    "a pattern of nothing": (["ball*", "*"], "'ball\\*'"),
    "two alike": (["cir*", "*le2", "*"], r"'circle2' fits the patterns"),
    "too few": (["left", "circle*"], r"\['circle\*', 'left'\].*'right'"),
}


@pytest.mark.parametrize("case", WRONG_NAMES)
def test_names_that_cannot_be_meant_are_told(case):
    names, message = WRONG_NAMES[case]
    with pytest.raises(ValueError, match=message):
        parts_by_name(names, PARTS, PARTS)


WRONG_FIELDS = {
    "no such name": (Dirichlet(field="p"), "field='p': the equation has 2 field.*a, b"),
    "no such number": (Dirichlet(field=2), "field=2"),
    "twice": (Dirichlet(field=(0, "a")), "expected fields that differ"),
    "no condition": ([], "no condition for the part"),
}


@pytest.mark.parametrize("case", WRONG_FIELDS)
def test_fields_that_there_are_not_are_told(case):
    condition, message = WRONG_FIELDS[case]
    with pytest.raises(ValueError, match=message):
        dtpinn.vanilla(Two({"*": condition}), square())


def test_names_of_fields_are_in_pictures_and_descriptions(tmp_path):
    problem = dtpinn.discretize(Two({"*": Dirichlet()}), square())
    assert "a, b" in str(problem.describe())
    model = dtpinn.MLP(2, width=4, depth=1, fields=3, seed=0)
    with pytest.raises(ValueError, match=r"2 field.*a, b"):
        problem.loss(model)
    with pytest.raises(ValueError, match="2 fields, and 1 names"):
        dtpinn.output.picture_run(
            tmp_path / "a.png", np.zeros((3, 2)), np.zeros((3, 2)), names=["a"]
        )
