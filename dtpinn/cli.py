"""The command line: ``dtpinn train poisson``, ``dtpinn gallery``, ``dtpinn info``."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from dtpinn import __version__

DESCRIPTION = "Physics-informed networks with RBF-FD derivatives."


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
        allow_abbrev=False,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    _add_train_options(train)
    gallery = commands.add_parser(
        "gallery",
        help="nodes, matrices and a direct solve on domains of every kind",
        description="Place nodes, assemble and solve directly on ten domains in the plane and in "
        "space; leave gallery.md, gallery.json and gallery.png.",
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


def _add_train_options(train: argparse.ArgumentParser) -> None:
    # Only the words are here; the limits are checked where the values are used.
    train.add_argument("problem", choices=["poisson"], help="linear Poisson on the unit disk")
    train.add_argument("--nodes", type=int, default=2236, metavar="N", help="interior + boundary")
    train.add_argument("--order", type=int, default=4, metavar="P", help="of the discretisation")
    train.add_argument("--epochs", type=int, default=100, metavar="E", help="of 20 iterations each")
    train.add_argument("--seed", type=int, default=0, help="of nodes and network")
    train.add_argument("--method", default="dt", help="dt or vanilla")
    train.add_argument("--dtype", default="float64", help="float64 or float32")
    train.add_argument("--device", default="cpu", help="cpu or cuda")
    train.add_argument("--width", type=int, default=50, help="neurons of a hidden layer")
    train.add_argument("--depth", type=int, default=4, help="hidden layers")
    train.add_argument(
        "--out", type=Path, default=Path("runs/poisson"), metavar="DIR", help="made if need be"
    )
    train.add_argument("--resume", action="store_true", help="go on from the checkpoint in DIR")
    train.set_defaults(command=_train, parser=train)


def _train(arguments: argparse.Namespace) -> int:
    # Imported here, so that a wrong option is told at once.
    from dtpinn.experiments import linear_poisson
    from dtpinn.experiments.settings import Settings, SettingsError, make_directory
    from dtpinn.training.checkpoint import CheckpointError

    parser: _Parser = arguments.parser
    names = ("nodes", "order", "epochs", "seed", "method", "dtype", "device", "width", "depth")
    try:
        settings = Settings(**{name: getattr(arguments, name) for name in names})
        out = make_directory(arguments.out)
        if arguments.resume and not (out / "checkpoint.pt").is_file():
            raise SettingsError(f"nothing to resume: there is no checkpoint.pt in {out}")
        result = linear_poisson.run(
            settings, out, resume=arguments.resume, report=lambda text: print(text, flush=True)
        )
    except (SettingsError, CheckpointError) as error:
        parser.error(" ".join(str(error).split()))
    return 130 if result.stop_reason == "interrupted" else 0


def _gallery(arguments: argparse.Namespace) -> int:
    from dtpinn.experiments import gallery
    from dtpinn.experiments.settings import SettingsError, make_directory

    parser: _Parser = arguments.parser
    try:
        out = make_directory(arguments.out)
    except SettingsError as error:
        parser.error(" ".join(str(error).split()))
    rows = gallery.run(out, quick=arguments.quick, report=lambda text: print(text, flush=True))
    files = ", ".join(str(out / f"gallery.{suffix}") for suffix in ("md", "json", "png"))
    print(f"\n{gallery.table(rows)}\n\n{files}")
    return 0


def _info(arguments: argparse.Namespace) -> int:
    from dtpinn.experiments.versions import information
    from dtpinn.output import format_table

    print(format_table(information().items()))
    return 0
