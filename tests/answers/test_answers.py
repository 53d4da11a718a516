"""Problems with known answers: the error of the direct solve falls, and no seed is an outlier.

The solutions are not made to fit the program: their data come as a user gives them, by part, and
the answers from series, conformal maps, tables or other methods (see `known`, a file for each).
"""

from __future__ import annotations

import pytest

from tests.answers.known.catalogue import one_of_each_kind, questions
from tests.answers.known.measuring import errors, faults, shown
from tests.marks import mostly_full

QUESTIONS = questions()


# Fichera's corner takes long, and the test below has these cases of it among its own.
@pytest.mark.parametrize(
    "name",
    mostly_full(
        [name for name in QUESTIONS if not name.startswith("fichera")],
        one_of_each_kind(QUESTIONS).__contains__,
    ),
)
def test_the_answer_is_found(name):
    """A selection: two spacings, one seed, order 4."""
    question = QUESTIONS[name]
    spacings = question.spacings[0], question.spacings[-1]
    table = errors(question, 4, spacings, range(1))
    assert not (wrong := faults(question, 4, spacings, table)), f"{wrong}\n{shown(spacings, table)}"


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "order"), [(name, order) for name in QUESTIONS for order in QUESTIONS[name].orders]
)
def test_the_answer_is_found_by_every_order_from_every_seed(name, order):
    """Three spacings, three seeds, orders 2 to 6 (in space 2 and 4)."""
    question = QUESTIONS[name]
    table = errors(question, order, question.spacings, range(3))
    wrong = faults(question, order, question.spacings, table)
    assert not wrong, f"{wrong}\n{shown(question.spacings, table)}"
