"""The line search: it ends in an acceptable step, or says that there is none."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtpinn.optim import strong_wolfe


def more_thuente_1(t):
    """More and Thuente (ACM TOMS 20, 1994), function 1: -t / (t^2 + 2)."""
    return -t / (t * t + 2.0), (t * t - 2.0) / (t * t + 2.0) ** 2


def more_thuente_2(t):
    """Their function 2: (t + 0.004)^5 - 2 (t + 0.004)^4."""
    u = t + 0.004
    return u**5 - 2.0 * u**4, 5.0 * u**4 - 8.0 * u**3


def wavy(t):
    return 0.1 * t * t - math.sin(3.0 * t), 0.2 * t - 3.0 * math.cos(3.0 * t)


@pytest.mark.parametrize("phi", [more_thuente_1, more_thuente_2, wavy])
@pytest.mark.parametrize("first", [1e-3, 1e-1, 10.0, 1e3])
@pytest.mark.parametrize("c2", [0.9, 0.1])
def test_the_step_satisfies_both_conditions(phi, first, c2):
    value, slope = phi(0.0)
    found = strong_wolfe(phi, value, slope, first, c2=c2, noise=1e-14)
    t, reached, slope_there = found.best
    assert found.satisfied
    assert (reached, slope_there) == phi(t)
    assert reached <= value + 1e-4 * t * slope
    assert abs(slope_there) <= -c2 * slope


@given(minimum=st.floats(1e-4, 1e4), first=st.floats(1e-5, 1e5), curvature=st.floats(1e-3, 1e3))
def test_on_a_parabola_it_always_ends_well(minimum, first, curvature):
    def phi(t):
        return 0.5 * curvature * (t - minimum) ** 2, curvature * (t - minimum)

    found = strong_wolfe(phi, *phi(0.0), first)
    assert found.satisfied
    assert found.best.value < phi(0.0)[0]


def test_a_good_first_step_costs_one_evaluation():
    found = strong_wolfe(lambda t: ((t - 1.0) ** 2, 2.0 * (t - 1.0)), 1.0, -2.0, first=1.0)
    assert (found.best.t, found.evaluations) == (1.0, 1)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("wall", [1e-1, 1e-12])
def test_beyond_a_wall_of_non_numbers_the_step_is_shrunk(bad, wall):
    def phi(t):
        return (bad, bad) if t > wall else ((t - wall / 2.0) ** 2, 2.0 * t - wall)

    found = strong_wolfe(phi, *phi(0.0), first=1.0)
    assert found.satisfied
    assert 0.0 < found.best.t <= wall


def test_no_decrease_anywhere_gives_the_step_zero():
    found = strong_wolfe(lambda t: (t, -1.0), 0.0, -1.0, first=1.0)  # a gradient that lies
    assert found.best.t == 0.0
    assert not found.satisfied
    assert found.evaluations <= 25


def test_a_function_unbounded_below_is_followed_until_the_budget_ends():
    found = strong_wolfe(lambda t: (-t, -1.0), 0.0, -1.0, first=1.0, max_evaluations=5)
    assert found.evaluations == 5
    assert not found.satisfied
    assert found.best.t >= 1.0


def test_within_the_noise_the_slope_decides():
    # phi(t) = 1 + (t - 1)^2 / 1e20 rounds to 1 everywhere: only the slope is left to go by
    def phi(t):
        return 1.0 + (2e-16 if t > 0 else 0.0), 2e-20 * (t - 1.0)

    assert strong_wolfe(phi, *phi(0.0), first=1.0).best.t == 0.0
    found = strong_wolfe(phi, *phi(0.0), first=1.0, noise=1e-15)
    assert found.satisfied
    assert found.best.t == 1.0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"slope": 0.0}, "descent"),
        ({"slope": math.nan}, "descent"),
        ({"first": 0.0}, "first"),
        ({"c1": 0.9, "c2": 0.1}, "c1"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        strong_wolfe(wavy, **{"value": 0.0, "slope": -3.0, "first": 1.0, **arguments})
