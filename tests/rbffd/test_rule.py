import re
from itertools import product

import pytest

from dtpinn.rbffd import choose_rule

# reproduction.md's table: p -> l(L), n(L), l(B), n(B) in two dimensions.
PAPER = {2: (3, 21, 2, 13), 3: (4, 31, 3, 21), 4: (5, 43, 4, 31), 5: (6, 57, 5, 43)}


@pytest.mark.parametrize("order", PAPER)
def test_degree_and_size_are_the_papers(order):
    laplacian = choose_rule(order, 2, 2)
    boundary = choose_rule(order, 1, 2)
    got = (laplacian.degree, laplacian.stencil_size, boundary.degree, boundary.stencil_size)
    assert got == PAPER[order]


@pytest.mark.parametrize(
    ("order", "derivatives", "exponent"),
    [(2, 2, 3), (3, 2, 3), (4, 2, 5), (5, 2, 5), (6, 2, 7), (3, 1, 3), (4, 1, 3), (5, 1, 5)],
)
def test_exponent_is_the_papers_where_it_can_be_differentiated(order, derivatives, exponent):
    assert choose_rule(order, derivatives, 2).exponent == exponent


def test_exponent_is_odd_and_above_the_derivatives():
    for order, derivatives, dimension in product(range(2, 7), range(6), (1, 2, 3)):
        rule = choose_rule(order, derivatives, dimension)
        assert rule.exponent % 2 == 1
        assert rule.exponent > derivatives
        assert rule.stencil_size == 2 * rule.polynomials + 1


def test_exponent_of_the_second_order_gradient_is_raised():
    # l = 2, so the paper says m = 1: no gradient at the centre.
    assert choose_rule(2, 1, 2).exponent == 3


def test_overrides_are_taken():
    rule = choose_rule(4, 2, 2, exponent=7, stencil_size=25)
    assert (rule.exponent, rule.stencil_size, rule.degree) == (7, 25, 5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"order": 1}, "order must be an integer of at least 2, got 1"),
        ({"derivatives": -1}, "derivatives must not be negative"),
        ({"dimension": 4}, "dimension must be 1, 2 or 3, got 4"),
        ({"exponent": 4}, "exponent must be odd .* got 4; use 3 or 5"),
        ({"exponent": 1}, "exponent must be odd and at least 3"),
        ({"stencil_size": 20}, "stencil_size must be at least 21, .* degree 5 in 2-D, got 20"),
    ],
)
def test_what_is_out_of_range_is_named(arguments, message):
    good = {"order": 4, "derivatives": 2, "dimension": 2}
    with pytest.raises(ValueError, match=message):
        choose_rule(**{**good, **arguments})


@pytest.mark.parametrize("name", ["order", "derivatives", "dimension", "exponent", "stencil_size"])
def test_what_is_no_integer_is_named(name):
    good = {"order": 4, "derivatives": 2, "dimension": 2}
    for value in (2.5, 3.0, True, "4"):
        with pytest.raises(TypeError, match=f"{name} must be an integer, got {value!r}"):
            choose_rule(**{**good, name: value})


def test_a_stencil_may_have_as_many_nodes_as_polynomials():
    assert choose_rule(4, 2, 2, stencil_size=21).stencil_size == 21
    assert re.search("stencil_size=21", repr(choose_rule(4, 2, 2, stencil_size=21)))


def test_the_clamp_keeps_the_exponent_within_5_and_11():
    found = [choose_rule(p, 2, 2, exponent="clamped").exponent for p in range(2, 14)]
    assert found == [5, 5, 5, 5, 7, 7, 9, 9, 11, 11, 11, 11]
    assert choose_rule(2, 12, 1, exponent="clamped").exponent == 13  # r^11 has no 12th derivative
