"""Before anybody's training is timed: all of them iterate, and count what they do."""

from __future__ import annotations

import pytest

from bench.contestants import Case
from bench.trainers import BY_NAME, ITERATIONS, NAMES, OURS, Trainer

pytestmark = pytest.mark.filterwarnings("ignore:Sparse CSR:UserWarning")


@pytest.mark.parametrize("name", NAMES)
def test_a_trainer_iterates_and_lowers_its_loss(name):
    if reason := BY_NAME[name].unavailable():
        pytest.skip(reason)
    trainer = Trainer(name, Case.of("poisson", 150))
    before = trainer.evaluate().item()
    spent = [trainer.advance() for _ in range(2)]
    assert [s.iterations for s in spent] == [ITERATIONS, ITERATIONS]
    assert all(s.evaluations > ITERATIONS and s.seconds > 0.0 for s in spent)
    assert trainer.spent.evaluations == 1 + sum(s.evaluations for s in spent)
    assert trainer.evaluate().item() < before / 3


def test_another_seed_is_another_start():
    case = Case.of("poisson", 150)
    losses = [Trainer(OURS, case, seed).evaluate().item() for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]
