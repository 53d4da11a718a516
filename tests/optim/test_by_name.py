"""Every optimiser that has a name: in the help, in the settings, in a training that is resumed."""

from __future__ import annotations

from functools import partial

import pytest
import torch

import dtpinn
from dtpinn import cli
from dtpinn.experiments import Settings
from dtpinn.optim import LBFGS, OPTIMIZERS, GaussNewton, Needs
from dtpinn.optim.by_name import class_of, needs_of
from dtpinn.pde.solutions import sine_cosine


def test_the_help_tells_every_name_with_its_usual_epochs(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "poisson", "--help"])
    assert ended.value.code == 0
    shown = "".join(capsys.readouterr().out.split())  # lines may break at hyphens
    assert f"oneafteranother:{','.join(OPTIMIZERS)}(default:lbfgs;" in shown
    for name, entry in OPTIMIZERS.items():
        assert f"{entry.epochs}of{name}" in shown


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_settings_take_it_for_every_method(name):
    assert Settings(optimizer=name).planned_epochs == (OPTIMIZERS[name].epochs,)
    assert Settings(optimizer=("lbfgs", name), method="vanilla").planned_epochs


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_trains_and_resumes_as_if_it_had_not_stopped(name, tmp_path):
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.3)

    def train(epochs, optimizer=name, **files):
        problem = dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes)
        model = dtpinn.MLP(2, width=8, depth=1, seed=0)
        return dtpinn.fit(model, problem, epochs, optimizer=optimizer, every=1, **files)

    straight = train(4)
    losses = straight.history.column("loss")
    assert losses == sorted(losses, reverse=True)
    same = pytest.approx(losses, rel=1e-6)  # one that forgets is off by 1e-5 or more
    train(2, checkpoint=tmp_path / "c.pt")
    assert train(4, resume=tmp_path / "c.pt").history.column("loss") == same
    followed = train([4, 1], [name, "lbfgs"], checkpoint=tmp_path / "c.pt")
    assert [stage.optimizer for stage in followed.stages] == [class_of(name).__name__, "LBFGS"]
    assert followed.history.column("loss")[: len(losses)] == same


def test_needs_are_those_of_the_class_however_the_optimiser_is_given():
    class Mine(GaussNewton):
        pass

    w = [torch.nn.Parameter(torch.zeros(2))]
    for optimizer in ("gauss-newton", GaussNewton, partial(Mine, rows=3), Mine(w)):
        assert needs_of(optimizer) == Needs(jacobian=True, same_loss=True)
    for optimizer in ("lbfgs", LBFGS(w), torch.optim.LBFGS, partial(torch.optim.LBFGS, lr=0.1)):
        assert needs_of(optimizer) == Needs(same_loss=True)
    for optimizer in ("adam", torch.optim.SGD(w, lr=1.0), lambda parameters: Mine(parameters)):
        assert needs_of(optimizer) == Needs()
