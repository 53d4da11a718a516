"""Checkpoints: everything a run needs to go on as if it had never stopped."""

from __future__ import annotations

import json
import warnings
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dtpinn.models.by_name import plain_config
from dtpinn.output import write_torch
from dtpinn.output.files import StrPath, to_json
from dtpinn.problem import Problem
from dtpinn.training.history import History
from dtpinn.training.identity import identity
from dtpinn.training.stage_figures import Stage

# The format that is written, and the oldest that is read. It rises with every key that an older
# dtpinn must not overlook.
FORMAT, OLDEST = 4, 3

_REQUIRED = object()
# The keys of a checkpoint, and what one without the key stands for: it was written before there was
# the key. Every format has those that are required.
_ABSENT = {
    "model": _REQUIRED,
    "network": "mlp",  # since format 4; what could be made again before was one
    "model_config": None,  # not to be made again
    "model_told": "a model",
    "sample": None,  # of a model that is not to be made again: a few points, and its values there
    "problem": None,
    "adapted": {},
    "misfits": {},
    "coefficients": {},
    "optimizer": None,
    "history": _REQUIRED,
    "stages": _REQUIRED,
    "details": "{}",
    "random": None,  # the generators stay as they are
}


# At most so many points tell whether a model is the one that was saved.
_SAMPLED = 10

_WANTED = "Give the checkpoint.pt of a run, or what fit(..., checkpoint=PATH) has left"


class CheckpointError(ValueError):
    """A file is no checkpoint, or not one of this run."""


def save_checkpoint(
    path: StrPath,
    *,
    model: nn.Module,
    problem: Problem | None,
    optimizer: torch.optim.Optimizer | None,
    history: History,
    stages: Sequence[Stage],
    details: dict[str, Any],
) -> None:
    """Write model, unknown coefficients, optimiser, history and random state; atomically.

    The optimiser is that of the last of the stages; those before are finished, and their figures
    are all that is kept of them.

    Only tensors and plain data go into the file (the details as JSON), so it can be read back
    without running code from it (``torch.load(weights_only=True)``).
    """
    model = uncompiled(model)
    network, config = plain_config(model) or (None, None)
    write_torch(
        path,
        {
            "format": FORMAT,
            "model": model.state_dict(),
            "network": network,
            "model_config": config,
            "model_told": shortly(model),
            "sample": None if network or problem is None else _sample(model, problem.points),
            "problem": None if problem is None else to_json(identity(problem)),
            "coefficients": problem.pde.state_dict() if problem is not None else {},
            "adapted": {} if problem is None else dict(problem.adapted),
            "misfits": {} if problem is None else dict(problem.misfits),
            "optimizer": None if optimizer is None else optimizer.state_dict(),
            "history": history.state(),
            "stages": [asdict(stage) for stage in stages],
            "details": to_json(details),
            "random": _random_state(),
        },
    )


def uncompiled(model: nn.Module) -> nn.Module:
    """Return the model itself, where torch.compile has wrapped it."""
    inner: nn.Module = getattr(model, "_orig_mod", model)
    return inner


def shortly(model: nn.Module) -> str:
    """Return a model in one line."""
    told = repr(model)
    if "\n" not in told and len(told) <= 200:
        return told
    count = sum(p.numel() for p in model.parameters())
    return f"{type(model).__name__} of {count} parameters"


def load_weights(model: nn.Module, state: dict[str, Any], path: StrPath) -> None:
    """Load the weights of a checkpoint into a model.

    Raises
    ------
    CheckpointError
        If they are those of another one.

    Warns
    -----
    UserWarning
        If with these weights it has other values than the saved one: its functions are others.
    """
    try:
        uncompiled(model).load_state_dict(state["model"])
    except RuntimeError as error:
        reasons = [line.strip() for line in str(error).splitlines()[1:]]
        raise CheckpointError(
            f"the weights in {path} are those of {state['model_told']}, and do not fit "
            f"{shortly(model)}: {'; '.join(reasons[:2])}. Make the model as it was made for the "
            "training"
        ) from None
    _check_sample(model, state["sample"], path)


def _sample(model: nn.Module, points: Tensor) -> tuple[Tensor, Tensor]:
    x = points[:: -(-len(points) // _SAMPLED)]
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        return x.cpu(), model(x).cpu()


def _check_sample(model: nn.Module, sample: tuple[Tensor, Tensor] | None, path: StrPath) -> None:
    if sample is None:
        return
    x, wanted = sample
    like = next(model.parameters(), x)
    with torch.no_grad(), torch.random.fork_rng(devices=[]):
        found = model(x.to(like)).to(wanted)
    if not (found - wanted).norm() <= torch.finfo(wanted.dtype).eps ** 0.5 * wanted.norm():
        warnings.warn(
            f"the model given has the weights in {path}, and other values than the model that was "
            "saved: functions in it, as the factor and the value of a HardBoundary, are others",
            stacklevel=4,
        )


def load_checkpoint(path: StrPath) -> dict[str, Any]:
    """Read a checkpoint.

    Raises
    ------
    FileNotFoundError
        If there is none.
    CheckpointError
        If the file is something else, saying what it seems to be, or of a format that is not read
        here.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's, of files that are refused below
            state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise FileNotFoundError(f"no checkpoint at {path}") from None
    except Exception as error:  # torch's words are of its formats and of its options
        raise _not_a_checkpoint(path, _unread(Path(path))) from error
    if not isinstance(state, dict):
        raise _not_a_checkpoint(path, f"it is a file of torch with a {type(state).__name__}")
    written = state.get("format")
    if not isinstance(written, int):
        raise _not_a_checkpoint(path, f"it is a file of torch with {_listed(state)}, and no format")
    if not OLDEST <= written <= FORMAT:
        age, remedy = ("a newer", "update dtpinn") if written > FORMAT else ("an older", "use that")
        raise CheckpointError(
            f"{path} was written by {age} dtpinn: it has format {written}, and this one reads "
            f"formats {OLDEST} to {FORMAT}; {remedy}"
        )
    state = {**_ABSENT, **state}
    if missing := [key for key, value in state.items() if value is _REQUIRED]:
        raise CheckpointError(f"{path} is not a whole checkpoint: it has no {', '.join(missing)}")
    problem = None if state["problem"] is None else json.loads(state["problem"])
    return {**state, "details": json.loads(state["details"]), "problem": problem}


def _not_a_checkpoint(path: StrPath, seen: str) -> CheckpointError:
    return CheckpointError(f"{path} is not a checkpoint of dtpinn: {seen}. {_WANTED}")


def _unread(path: Path) -> str:
    """What a file that torch does not read as tensors and plain data seems to be."""
    try:
        with path.open("rb") as file:
            start = file.read(20)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    if not start:
        return "it is empty"
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
        if any(name.endswith("/data.pkl") for name in names):
            return "it is a file of torch with more than plain data (a whole model?), or damaged"
        return f"it is an archive of {_listed(names)}"
    if start.startswith(b"PK"):  # as every archive does, torch's among them
        return "it is an archive that was cut short or damaged; copy it again, or take an older one"
    return f"it is of another format, and begins with {start!r}"


def _listed(names: Iterable[object]) -> str:
    told = list(map(str, names))
    return ", ".join(told[:3]) + (", ..." if len(told) > 3 else "") or "nothing"


def restore_random_state(state: dict[str, Any] | None) -> None:
    """Put torch's generators where they were, if that is known."""
    if state is None:
        return
    torch.set_rng_state(state["cpu"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])


def _random_state() -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}
