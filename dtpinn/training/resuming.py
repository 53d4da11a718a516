"""Going on from a checkpoint, once it is known to be one of the same run."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any

from torch import Tensor, nn

from dtpinn.models.by_name import plain_config
from dtpinn.optim.by_name import class_of
from dtpinn.output.files import StrPath, to_json
from dtpinn.training.checkpoint import (
    CheckpointError,
    load_checkpoint,
    restore_random_state,
    uncompiled,
)
from dtpinn.training.history import History
from dtpinn.training.identity import differences, identity, with_coefficients
from dtpinn.training.planned_stages import PlannedStage
from dtpinn.training.stage_figures import ALL_DONE, Stage
from dtpinn.training.staged_run import StagedRun

Pair = tuple[str, object, object]  # what it is, in the checkpoint, in this run
MOST = 12  # that are told: every setting of an experiment, not every tensor of a network
_ANOTHER_PROBLEM = (
    ". To train its model on this problem in a run of its own: "
    "model.load_state_dict(torch.load(path)['model']), and fit without resume"
)


def resume(run: StagedRun, path: StrPath) -> None:
    """Put a run, of which no stage has begun, where it was when the checkpoint was written.

    Stages that were finished stay finished. The last one that the checkpoint knows goes on, if it
    has epochs left; stages planned beyond it are still to come.

    Raises
    ------
    CheckpointError
        If model, problem, optimisers, epochs of a finished stage or details differ; nothing has
        been loaded then: half a checkpoint in a model would be the worst.
    """
    state, model = load_checkpoint(path), uncompiled(run.model)
    stages = [Stage(**stage) for stage in state["stages"]]
    of_model = _different(_network(state, model))
    of_run = [
        *_different(_planned(stages, run.plans)),
        *(of_model or _different(_shapes("model", state["model"], model.state_dict()))),
        *_different(_details(state["details"], run.result.details)),
    ]
    before, run.problem.adapted = run.problem.adapted, state["adapted"]  # its loss is of these
    try:
        of_problem = _of_problem(path, state, run)
        check_same(path, [*of_run, *of_problem], remedy="" if of_run else _ANOTHER_PROBLEM)
    except CheckpointError:
        run.problem.adapted = before
        raise
    _check_finished(path, stages[:-1], run.plans)
    run.finished = stages[:-1]
    run.begin_stage()  # what a function makes of the optimiser is known now
    run.problem.adapted = state["adapted"]  # a stage that begins has chosen its own
    run.problem.misfits = state["misfits"]
    check_same(path, [(f"stage {len(stages)}'s optimizer", stages[-1].optimizer, run.stage.name)])
    model.load_state_dict(state["model"])
    run.problem.pde.load_state_dict(state["coefficients"])
    run.stage.restore(stages[-1], state["optimizer"])
    run.history.records[:] = History.from_state(state["history"]).records
    restore_random_state(state["random"])


def check_same(path: StrPath, pairs: Iterable[Pair], remedy: str = "") -> None:
    """Raise CheckpointError, naming everything that differs in a checkpoint and a run."""
    told = [f"{what} {before}, this run has {now}" for what, before, now in _different(pairs)]
    if told:
        more = f"; and {len(told) - MOST} more" if len(told) > MOST else ""
        raise CheckpointError(
            f"cannot resume from {path}: it was made with {'; with '.join(told[:MOST])}{more}"
            f"{remedy}"
        )


def _different(pairs: Iterable[Pair]) -> list[Pair]:
    return [(what, before, now) for what, before, now in pairs if before != now]


def _of_problem(path: StrPath, state: dict[str, Any], run: StagedRun) -> list[Pair]:
    """What tells another problem: with the coefficients in the checkpoint, this one is its."""
    if state["problem"] is None:
        raise CheckpointError(f"cannot resume from {path}: it was written without a problem")
    saved = state["coefficients"]
    others = _different(_shapes("PDE", saved, run.problem.pde.state_dict()))
    with nullcontext() if others else with_coefficients(run.problem, saved):
        present = json.loads(to_json(identity(run.problem)))
    return [*others, *differences(state["problem"], present, by_values=not others)]


def _planned(stages: Sequence[Stage], plans: Sequence[PlannedStage]) -> list[Pair]:
    """Stages that were begun, and the plan's; what a function will make is not known in advance."""
    pairs: list[Pair] = []
    for number, stage in enumerate(stages):
        what = f"stage {number + 1}'s optimizer"
        if number >= len(plans):
            pairs.append((what, stage.optimizer, "none"))
        elif kind := class_of(plans[number].optimizer):
            pairs.append((what, stage.optimizer, kind.__name__))
    return pairs


def _check_finished(path: StrPath, stages: Sequence[Stage], plans: Sequence[PlannedStage]) -> None:
    """Refuse other epochs for a stage that did all of its own: it would not be begun again."""
    told = []
    for number, (stage, plan) in enumerate(zip(stages, plans, strict=False), start=1):
        if stage.stop_reason == ALL_DONE and stage.epochs != plan.epochs:
            told.append(
                f"its stage {number} ({stage.optimizer}) is finished, with {stage.epochs} epochs, "
                f"and {plan.epochs} are asked for now"
            )
    if told:
        raise CheckpointError(
            f"cannot resume from {path}: {'; '.join(told)}. Only the last stage goes on: ask for "
            "the epochs that it has, or train without resume"
        )


def _network(state: dict[str, Any], model: nn.Module) -> Iterator[Pair]:
    """What shapes do not tell, as the activation; the seed has had its say."""
    present = plain_config(model)
    if present is None or state["model_config"] is None:
        return
    name, config = present
    yield "network", state["network"], name
    for key, value in config.items():
        if key != "seed":
            yield f"the model's {key}", state["model_config"].get(key, value), value


def _details(saved: dict[str, Any], present: dict[str, Any]) -> Iterator[Pair]:
    """Those that both have: what a checkpoint does not tell contradicts nothing."""
    for key, value in json.loads(to_json(present)).items():
        yield key, saved.get(key, value), value


def _shapes(what: str, saved: dict[str, Tensor], present: dict[str, Tensor]) -> Iterator[Pair]:
    """Every tensor of either state, with its shape and dtype in both."""
    for name in sorted({*saved, *present}):
        yield f"the {what}'s {name}", _described(saved.get(name)), _described(present.get(name))


def _described(tensor: Tensor | None) -> str:
    return "none" if tensor is None else f"{tuple(tensor.shape)} {tensor.dtype}"
