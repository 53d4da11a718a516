"""The command line: ``dtpinn train PROBLEM``, ``dtpinn gallery``, ``dtpinn info``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import NoReturn, TypeVar

from dtpinn import __version__
from dtpinn.experiments import PROBLEMS, Experiment, Settings, gallery, known_answers, run
from dtpinn.experiments.settings import DTYPES, METHODS, SettingsError, make_directory
from dtpinn.experiments.versions import information
from dtpinn.models import NETWORKS
from dtpinn.models.options import OPTIONS, help_of
from dtpinn.optim import OPTIMIZERS
from dtpinn.output import format_table
from dtpinn.training.checkpoint import CheckpointError
from dtpinn.training.goal import STAGES
from dtpinn.training.stage_figures import INTERRUPTED

DESCRIPTION = "Physics-informed networks with RBF-FD derivatives."
RESUMED = (
    "go on from the checkpoint in DIR, with the same options; the last stage may have more epochs, "
    "and stages may be added"
)
Number = TypeVar("Number", int, float)


class _Parser(argparse.ArgumentParser):
    """Errors are one line, with exit code 2."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        code: int = arguments.command(arguments)
    except KeyboardInterrupt:  # while preparing; during training it ends the epoch first
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader of a pipe has gone, `dtpinn info | head -1`
        sys.stderr.close()
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="dtpinn", description=DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"dtpinn {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    train = commands.add_parser(
        "train",
        help="train a network on one of the paper's problems",
        description="Train a network on one of the paper's problems, and leave result.json, "
        "history.csv, picture.png and checkpoint.pt.",
        epilog="dtpinn train PROBLEM --help tells the options of a problem and their defaults.",
        allow_abbrev=False,
    )
    problems = train.add_subparsers(title="problems", metavar="PROBLEM", required=True)
    for experiment in PROBLEMS.values():
        _add_problem(problems, experiment)
    gallery = commands.add_parser(
        "gallery",
        help="nodes, matrices and a direct solve on domains of every kind",
        description="Place nodes, assemble and solve directly on ten domains in the plane and in "
        "space, and problems with known answers; leave gallery.md, gallery.json, gallery.png and "
        "answers.md.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    gallery.add_argument("--quick", action="store_true", help="small clouds, half a minute")
    gallery.add_argument(
        "--out", type=Path, default=Path("runs/gallery"), metavar="DIR", help="made if need be"
    )
    gallery.set_defaults(command=_gallery, parser=gallery)
    info = commands.add_parser(
        "info", help="what was built, against what, and what is in use", allow_abbrev=False
    )
    info.set_defaults(command=_info)
    return parser


def _add_problem(problems: argparse._SubParsersAction[_Parser], experiment: Experiment) -> None:
    # Only the words are here; the limits are checked where the values are used.
    parser = problems.add_parser(
        experiment.name,
        help=experiment.summary,
        description=f"Section {experiment.section} of the paper: {experiment.summary}.",
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        argument_default=argparse.SUPPRESS,
    )
    _add_problem_options(parser, experiment.settings())
    _add_training_options(parser, experiment.settings())
    output = parser.add_argument_group("output")
    out = Path("runs") / experiment.name
    output.add_argument("--out", type=Path, default=out, metavar="DIR", help="made if need be")
    output.add_argument("--resume", action="store_true", help=RESUMED)
    parser.set_defaults(command=_train, parser=parser, experiment=experiment)


def _add_problem_options(parser: _Parser, default: Settings) -> None:
    add = parser.add_argument_group("problem").add_argument
    add("--nodes", type=int, default=default.nodes, metavar="N", help="interior + boundary")
    add("--order", type=int, default=default.order, metavar="P", help="of the discretisation")
    if default.times is not None:
        add("--times", type=int, default=default.times, metavar="K", help="slices, t = 0 included")
    add("--method", default=default.method, help=" or ".join(METHODS))
    add = parser.add_argument_group("network").add_argument
    add("--network", default=default.network, help=" or ".join(NETWORKS))
    add("--width", type=int, default=default.width, help="neurons of a hidden layer")
    add("--depth", type=int, default=default.depth, help="hidden layers")
    for name, option in OPTIONS.items():
        add(f"--{name}", type=option.read, metavar=option.metavar, help=help_of(name))
    add("--seed", type=int, default=default.seed, help="of nodes and network")
    add("--dtype", default=default.dtype, help=" or ".join(DTYPES))
    add("--device", default=default.device, help="cpu or cuda")


def _add_training_options(parser: _Parser, default: Settings) -> None:
    about = "several stages: one entry for each, with commas between"
    add = parser.add_argument_group("training", about).add_argument
    known = ", ".join(OPTIMIZERS)
    usual = ", ".join(f"{entry.epochs} of {name}" for name, entry in OPTIMIZERS.items())
    limit = "limit of training time, of the run or of each stage (default: none)"
    names = f"one after another: {known} (default: lbfgs; with a tolerance {', '.join(STAGES)})"
    steps = f"steps of the optimizer (default: {usual})"
    wanted = "relative l2 error to stop at, as it is estimated (default: none)"
    add("--optimizer", type=_words, metavar="NAME[,NAME...]", help=names)
    add("--tolerance", type=float, metavar="E", help=wanted)
    add("--epochs", type=_numbers(int), metavar="E[,E...]", help=steps)
    add("--seconds", type=_numbers(float), metavar="S[,S...]", help=limit)


def _words(text: str) -> str | tuple[str, ...]:
    """One word, or a tuple of several between commas."""
    words = tuple(word.strip() for word in text.split(","))
    return words if len(words) > 1 else text


def _numbers(kind: Callable[[str], Number]) -> Callable[[str], Number | tuple[Number, ...]]:
    """One number, or a tuple of several between commas."""

    def numbers(text: str) -> Number | tuple[Number, ...]:
        values = tuple(map(kind, text.split(",")))
        return values if len(values) > 1 else values[0]

    return numbers


def _train(arguments: argparse.Namespace) -> int:
    parser: _Parser = arguments.parser
    names = {option.name for option in fields(Settings)}
    asked = {name: value for name, value in vars(arguments).items() if name in names}
    try:
        given = {name: value for name, value in vars(arguments).items() if name in OPTIONS}
        settings = arguments.experiment.settings(**asked, network_options=given or None)
        out, resume = arguments.out, "resume" in arguments
        if resume and not (out / "checkpoint.pt").is_file():
            raise SettingsError(f"nothing to resume: there is no checkpoint.pt in {out}")
        make_directory(out)
        result = run(
            arguments.experiment, settings, out, resume=resume,
            report=lambda text: print(text, flush=True),
        )  # fmt: skip
    except (SettingsError, CheckpointError) as error:
        parser.error(" ".join(str(error).split()))
    return 130 if result.stages[-1].stop_reason == INTERRUPTED else 0


def _gallery(arguments: argparse.Namespace) -> int:
    parser: _Parser = arguments.parser
    try:
        out = make_directory(arguments.out)
    except SettingsError as error:
        parser.error(" ".join(str(error).split()))
    rows = gallery.run(out, quick=arguments.quick, report=lambda text: print(text, flush=True))
    answers = known_answers.run(out, quick=arguments.quick)
    names = [f"gallery.{suffix}" for suffix in ("md", "json", "png")] + ["answers.md"]
    files = ", ".join(str(out / name) for name in names)
    print(f"\n{gallery.table(rows)}\n\n{answers}\n\n{files}")
    return 0


def _info(arguments: argparse.Namespace) -> int:
    print(format_table(information().items()))
    return 0
