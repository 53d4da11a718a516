"""A run of an experiment goes on from its own checkpoint alone, also from one of other days."""

from __future__ import annotations

from dataclasses import fields

import pytest
import torch

from dtpinn.experiments import PROBLEMS, Settings
from dtpinn.experiments.same_run import check_same_run, identity
from dtpinn.output.files import to_json
from dtpinn.training.checkpoint import FORMAT, CheckpointError

HEAT = PROBLEMS["heat"]
# Another value of every fixed setting.
OTHERS = {
    "nodes": 300, "order": 3, "times": 7, "method": "vanilla", "network": "fourier",
    "width": 8, "depth": 1, "seed": 5, "dtype": "float32",
    "network_options": {"activation": "sin"},
}  # fmt: skip
FREE = {"device", "optimizer", "epochs", "seconds", "tolerance"}


def write(path, details):
    state = {"format": FORMAT, "model": {}, "history": [], "stages": []}
    torch.save({**state, "details": to_json(details)}, path)
    return path


def test_every_setting_is_fixed_or_free():
    assert {field.name for field in fields(Settings)} == set(OTHERS) | FREE


@pytest.mark.parametrize("name", OTHERS)
def test_another_value_is_refused_by_name_and_a_missing_one_is_the_default(name, tmp_path):
    usual, other = HEAT.settings(), HEAT.settings(**{name: OTHERS[name]})
    told = identity(HEAT, usual)
    path = write(tmp_path / "c.pt", told)
    check_same_run(path, HEAT, usual)
    key = {"nodes": "nodes_asked"}.get(name, name)
    message = f"it was made with {name} {told[key]}, this run has {OTHERS[name]}"
    with pytest.raises(CheckpointError, match=message):
        check_same_run(path, HEAT, other)
    path = write(tmp_path / "c.pt", {k: value for k, value in told.items() if k != key})
    check_same_run(path, HEAT, usual)
    with pytest.raises(CheckpointError, match=message):
        check_same_run(path, HEAT, other)


def test_of_several_values_all_are_named(tmp_path):
    path = write(tmp_path / "c.pt", identity(HEAT, HEAT.settings()))
    with pytest.raises(CheckpointError) as raised:
        check_same_run(path, HEAT, HEAT.settings(**OTHERS))
    for name, value in OTHERS.items():
        assert f"with {name} " in str(raised.value)
        assert f", this run has {value}" in str(raised.value)


def test_another_experiment_is_refused_and_so_is_a_run_of_none(tmp_path):
    poisson = PROBLEMS["poisson"]
    path = write(tmp_path / "c.pt", identity(poisson, poisson.settings()))
    with pytest.raises(CheckpointError, match="problem poisson, this run has heat"):
        check_same_run(path, HEAT, HEAT.settings())
    with pytest.raises(CheckpointError, match="problem None, this run has heat"):
        check_same_run(write(path, {}), HEAT, HEAT.settings())
