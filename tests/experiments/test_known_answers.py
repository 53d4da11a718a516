from __future__ import annotations

import pytest

from dtpinn.experiments import known_answers


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "allowed"),
    [("torsion of an L", 0.025), ("flow past a cylinder", 0.01), ("plate with a hole", 0.02)],
)
def test_every_order_finds_the_number_that_is_known(name, allowed):
    problem = known_answers.problems()[name]
    _, found = known_answers.measure(problem, known_answers.QUICK)
    assert len(found) == len(known_answers.ORDERS)
    assert found == pytest.approx([problem.answer] * len(found), rel=allowed)
