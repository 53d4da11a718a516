"""Checkpoints of other days: missing keys read as their defaults, newer formats are refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import dtpinn
from dtpinn.training.checkpoint import FORMAT, OLDEST, CheckpointError, load_checkpoint


def make():
    nodes = dtpinn.place_nodes(dtpinn.geometry.Disk(), spacing=0.25)
    problem = dtpinn.discretize(dtpinn.Poisson(None, dtpinn.Dirichlet(lambda x, n: x[:, 0])), nodes)
    return dtpinn.MLP(2, width=4, depth=1, seed=0), problem


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    details = {"seed": 0, "width": 4}
    dtpinn.fit(*make(), epochs=2, details=details).save(directory)
    return directory / "checkpoint.pt"


def edited(written, tmp_path, entry, value=None):
    """A copy without an entry, told by the keys that lead to it, or with another value for it."""
    state = torch.load(written, weights_only=True)
    for name in ("problem", "details"):
        state[name] = json.loads(state[name])
    *parents, last = (int(key) if key.isdecimal() else key for key in entry.split())
    place = state
    for key in parents:
        place = place[key]
    assert last in place
    place.pop(last)
    if value is not None:
        place[last] = value
    for name in {"problem", "details"} & set(state):
        state[name] = json.dumps(state[name])
    torch.save(state, tmp_path / "checkpoint.pt")
    return tmp_path / "checkpoint.pt"


LATER = [  # entries that a format has gained, or could have, without a new number
    "model_config", "coefficients", "details", "details seed", "details distance", "random",
    "problem options", "problem operators", "problem times", "stages 0 iterations",
    "history 0 error", "optimizer param_groups 0 minimum_curvature", "optimizer memory stop_reason",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole(written):
    return dtpinn.fit(*make(), epochs=3, resume=written, details={"seed": 0, "width": 4})


@pytest.mark.parametrize("entry", LATER)
def test_without_an_entry_it_is_what_it_was_with_its_default(entry, written, whole, tmp_path):
    path = edited(written, tmp_path, entry)
    resumed = dtpinn.fit(*make(), epochs=3, resume=path, details={"seed": 0, "width": 4})
    assert resumed.history.column("loss") == pytest.approx(whole.history.column("loss"), rel=1e-6)
    assert resumed.stages[0].epochs == 3
    loaded = dtpinn.Result.load(tmp_path, model=make()[0])
    assert (loaded.epochs, loaded.floor, loaded.stages[0].epochs) == (2, None, 2)


@pytest.mark.parametrize("entry", ["model", "history", "stages"])
def test_what_every_format_has_is_asked_for_by_name(entry, written, tmp_path):
    with pytest.raises(CheckpointError, match=f"not a whole checkpoint: it has no {entry}"):
        load_checkpoint(edited(written, tmp_path, entry))


def test_of_a_newer_or_too_old_a_format_it_is_refused_with_the_remedy(written, tmp_path):
    newer = edited(written, tmp_path, "format", value=FORMAT + 1)
    with pytest.raises(
        CheckpointError, match=rf"by a newer dtpinn: it has format {FORMAT + 1}, .* update dtpinn"
    ):
        dtpinn.fit(*make(), epochs=3, resume=newer)
    older = edited(written, tmp_path, "format", value=OLDEST - 1)
    with pytest.raises(CheckpointError, match=rf"an older dtpinn.* reads formats {OLDEST} to "):
        load_checkpoint(older)
    with pytest.raises(
        CheckpointError, match=r"a file of torch with model, network, .*, and no format"
    ):
        load_checkpoint(edited(written, tmp_path, "format"))


def test_of_any_other_file_it_is_told_what_it_seems_to_be(written, tmp_path):
    whole = written.read_bytes()
    for content, told in [
        (b"174812789\n", r"is of another format, and begins with b'174812789"),
        (b"", "is empty"),
        (whole[: len(whole) // 2], "is an archive that was cut short or damaged; copy it again"),
    ]:
        (tmp_path / "junk").write_bytes(content)
        with pytest.raises(CheckpointError, match=f"junk is no.*: it {told}.* Give the checkpoint"):
            load_checkpoint(tmp_path / "junk")
    np.savez(tmp_path / "nodes.npz", interior=np.zeros(3))
    with pytest.raises(CheckpointError, match=r"it is an archive of interior\.npy\. Give"):
        load_checkpoint(tmp_path / "nodes.npz")
    for content, told in [
        (make()[0], r"with more than plain data \(a whole model\?\)"),
        (torch.ones(3), "with a Tensor"),
        ({}, "with nothing, and no format"),
    ]:
        torch.save(content, tmp_path / "other.pt")
        with pytest.raises(CheckpointError, match=f"it is a file of torch {told}"):
            load_checkpoint(tmp_path / "other.pt")
    with pytest.raises(
        CheckpointError, match=r"it cannot be read: .*\. Give the checkpoint\.pt of"
    ):
        load_checkpoint(tmp_path)


def test_a_compiled_model_goes_on_from_it_and_so_does_a_plain_one_from_its_own(written, tmp_path):
    plain, problem = make()
    compiled = torch.compile(make()[0], backend="eager")
    dtpinn.fit(compiled, problem, 3, resume=written, checkpoint=tmp_path / "c.pt")
    dtpinn.fit(plain, problem, 3, resume=tmp_path / "c.pt")
    assert all(map(torch.equal, plain.parameters(), compiled.parameters()))


def test_an_entry_of_another_value_is_refused_by_name(written, tmp_path):
    for entry, value, told in [
        ("details seed", 5, "seed 5, this run has 0"),
        ("problem options", {"exponent": "7"}, r"options \{'exponent': '7'\}, this run has \{\}"),
        ("stages 0 optimizer", "Adam", "optimizer Adam, this run has LBFGS"),
    ]:
        with pytest.raises(CheckpointError, match=told):
            dtpinn.fit(
                *make(), epochs=3, resume=edited(written, tmp_path, entry, value=value),
                details={"seed": 0},
            )  # fmt: skip
