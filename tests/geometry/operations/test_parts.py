import numpy as np
import pytest

from dtpinn.geometry import Ball, Disk, Interval, Rectangle
from dtpinn.geometry.operations.parts import distinct_names


def parts_of(domain, spacing):
    walk = domain.walk_boundary(spacing)
    return walk.points, np.array(walk.names)[walk.part]


def test_parts_are_renamed_and_joined():
    channel = Rectangle().with_parts({"inlet": "left", "wall": ("bottom", "top")})
    assert channel.parts == ("right", "inlet", "wall")
    points, names = parts_of(channel, 0.1)
    assert set(names[(points[:, 1] == 0.0)]) == {"wall", "right"}  # the right corner is right
    assert set(names[(points[:, 0] == 0.0) & (points[:, 1] > 0) & (points[:, 1] < 1)]) == {"inlet"}


def sides_of(domain, spacing):
    """Points and parts of the sides, and the domain's walk."""
    walk = domain.walk_boundary(spacing)
    return walk.points[walk.sides.point], np.array(walk.names)[walk.sides.part], walk


def test_a_predicate_is_asked_on_every_side():
    square = Rectangle().with_parts({"inlet": lambda x: x[:, 0] < 1e-9})
    points, names, walk = sides_of(square, 0.1)
    assert set(points[names == "inlet", 0]) == {0.0}
    assert (names == "inlet").sum() == 11  # with both corners
    # Where the bottom and the top end they have their sides still.
    np.testing.assert_array_equal(walk.sides.normals[names == "inlet"], np.tile([-1, 0], (11, 1)))
    assert (names == "bottom").sum() == (names == "top").sum() == 11
    # Nothing is left of the left side.
    assert walk.names == ("right", "bottom", "top", "inlet")


def test_of_several_predicates_that_hold_the_first_counts():
    top = {"top": lambda x: x[:, 1] > 0, "right": lambda x: x[:, 0] > 0}
    points, names, walk = sides_of(Disk().with_parts(top), 0.1)
    ends = walk.sides.several(len(walk))[walk.sides.point]
    np.testing.assert_allclose(points[ends], np.repeat([[1, 0], [-1, 0], [0, -1]], 2, 0), atol=1e-9)
    np.testing.assert_array_equal((names == "top")[~ends], points[~ends, 1] > 0)
    right = (points[~ends, 0] > 0) & (points[~ends, 1] < 0)
    np.testing.assert_array_equal((names == "right")[~ends], right)
    assert sorted(names[ends]) == ["circle"] * 2 + ["right"] * 2 + ["top"] * 2


def test_everything_else_is_the_domains_own(rng):
    parted = Disk(2.0).with_parts({"hull": "circle"})
    points = rng.uniform(-3, 3, (100, 2))
    np.testing.assert_array_equal(parted.signed_distance(points), Disk(2.0).signed_distance(points))
    np.testing.assert_array_equal(parted.bounds, Disk(2.0).bounds)


@pytest.mark.parametrize("domain", [Interval(-1, 1), Disk(), Ball()])
def test_in_every_dimension(domain):
    points, names = parts_of(domain.with_parts({"high": lambda x: x[:, 0] > 0.0}), 0.2)
    np.testing.assert_array_equal(names == "high", points[:, 0] > 0.0)


def test_in_a_set_operation_the_arcs_are_cut_where_a_predicate_changes():
    half = Disk().with_parts({"top": lambda x: x[:, 1] > 0.3})
    bitten = half - Rectangle((-2, -2), (2, -0.5))
    assert bitten.parts == ("circle", "top", "top_2")
    cuts = [arc.at(np.zeros(1))[0, 1] for curve in bitten.boundary_curves() for arc in curve]
    assert sorted(cuts) == pytest.approx([-0.5, -0.5, 0, 0.3, 0.3], abs=1e-9)
    points, names = parts_of(bitten, 0.1)
    np.testing.assert_array_equal(names == "top", points[:, 1] > 0.3)


def test_names_are_distinct_whatever_they_are():
    names = distinct_names(("a", "a_2", "b"), ("a", "b", "c"))
    assert names == ("a", "a_2", "b", "a_3", "b_2", "c")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"inlet": "west"}, "part 'inlet' is made of 'west', which is no part of Rectangle"),
        ({"a": "left", "b": "left"}, "'left' is renamed twice, 'a' and 'b'"),
        ({"left": "right"}, "part 'left' is there already"),
    ],
)
def test_a_renaming_that_does_not_fit_is_refused(parts, message):
    with pytest.raises(ValueError, match=message):
        Rectangle().with_parts(parts)


def test_a_part_that_is_given_by_neither_is_refused():
    with pytest.raises(TypeError, match="by names of old parts, or by a function of points"):
        Rectangle().with_parts({"inlet": 3})


def test_a_predicate_that_holds_nowhere_is_refused():
    with pytest.raises(ValueError, match="none of the 40 boundary nodes belongs to part 'inlet'"):
        Rectangle().with_parts({"inlet": lambda x: x[:, 0] < -1}).walk_boundary(0.1)


@pytest.mark.parametrize("predicate", [lambda x: x, lambda x: x[:, 0], lambda x: True])
def test_a_predicate_that_returns_no_booleans_is_refused(predicate):
    with pytest.raises(ValueError, match=r"must return one bool per point, shape \(\d+,\)"):
        Rectangle().with_parts({"inlet": predicate}).walk_boundary(0.1)
