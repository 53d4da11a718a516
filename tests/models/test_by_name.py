"""Every network that has a name: on the command line, trained, saved and resumed."""

from __future__ import annotations

import pytest
import torch

import dtpinn
from dtpinn import cli
from dtpinn.experiments import Settings
from dtpinn.models import MLP, NETWORKS
from dtpinn.models.by_name import from_config, plain_config
from dtpinn.pde.solutions import sine_cosine
from tests.marks import mostly_full


@pytest.fixture(scope="module")
def problem():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    return dtpinn.discretize(dtpinn.Poisson.from_solution(sine_cosine), nodes)


def test_the_help_tells_every_name(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "heat", "--help"])
    assert ended.value.code == 0
    assert f"{' or '.join(NETWORKS)} (default: mlp)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("name", mostly_full(NETWORKS, {"mlp", "periodic"}.__contains__))
def test_it_is_trained_resumed_and_made_again(name, problem, tmp_path):
    assert Settings(network=name).network == name

    def make():
        return NETWORKS[name](2, width=8, depth=1, seed=0)

    model = make()
    straight = dtpinn.fit(model, problem, 20, optimizer="gauss-newton")
    assert straight.distance < 0.05  # 1 as drawn
    dtpinn.fit(make(), problem, 12, optimizer="gauss-newton").save(tmp_path)
    resumed = dtpinn.fit(
        make(), problem, 20, optimizer="gauss-newton", resume=tmp_path / "checkpoint.pt"
    )
    assert resumed.loss == pytest.approx(straight.loss, rel=1e-6)
    loaded = dtpinn.Result.load(tmp_path).model
    assert type(loaded) is NETWORKS[name]
    assert loaded.config() == model.config()
    other = next(kind for kind in NETWORKS if kind != name)
    with pytest.raises(ValueError, match="cannot resume from"):
        dtpinn.fit(
            NETWORKS[other](2, width=8, depth=1, seed=0), problem, 20, optimizer="gauss-newton",
            resume=tmp_path / "checkpoint.pt",
        )  # fmt: skip


def test_a_network_without_a_name_or_of_other_than_plain_data_is_not_made_again():
    class Mine(MLP):
        pass

    for model in (Mine(2), MLP(2, activation=lambda x: x**3), torch.nn.Linear(2, 1)):
        assert plain_config(model) is None
    with pytest.raises(ValueError, match="unknown network 'cnn'; by name there are mlp, fourier"):
        from_config("cnn", {})
    assert from_config("mlp", {"inputs": 2}).width == 50  # what is missing is the default


def test_a_network_that_only_its_arguments_tell_from_the_checkpoints_is_refused(problem, tmp_path):
    def make(**options):
        return MLP(2, width=4, depth=1, seed=0, **options)

    path = tmp_path / "c.pt"
    dtpinn.fit(make(), problem, 1, checkpoint=path)
    with pytest.raises(ValueError, match="the model's activation tanh, this run has sin"):
        dtpinn.fit(make(activation="sin"), problem, 2, resume=path)
