import pytest
from hypothesis import given
from hypothesis import strategies as st

from dtpinn.nodes.counting import solve_spacing


@given(
    count=st.integers(100, 200_000),
    dimension=st.sampled_from([1, 2, 3]),
    density=st.floats(0.5, 5.0),
    boundary=st.floats(0.0, 5.0),
    box=st.floats(1.0, 20.0),
)
def test_smooth_laws_are_solved_in_few_full_runs(count, dimension, density, boundary, box):
    runs = []

    def size(h):
        runs.append(h)
        return round(density * h**-dimension + boundary * h ** (1 - dimension))

    spacing, layout = solve_spacing(count, size, int, dimension, box)
    assert layout == size(spacing)
    assert abs(layout - count) <= 0.02 * count
    assert len(runs) <= 10


def test_a_count_that_jumps_at_random_is_met():
    # A jump of up to 5% from one spacing to the next, as no real domain has.
    def size(h):
        return round(2.9 / h**2 * (0.95 + 0.1 * ((h * 1e6) % 1.0)))

    for count in range(100, 400):
        assert abs(solve_spacing(count, size, int, 2, 4.0)[1] - count) <= 0.02 * count


def test_a_count_that_is_never_reached_is_reported_with_the_nearest():
    with pytest.raises(ValueError, match=r"count=100 nodes to within 2; the nearest is 50 nodes"):
        solve_spacing(100, lambda h: 50, int, 2, 4.0)
