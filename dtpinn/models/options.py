"""Options of networks: what a command line can ask of each, beside width and depth.

An option of a network's constructor gets onto the command line by a line in `OPTIONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dtpinn.models.activations import ACTIVATIONS
from dtpinn.models.by_name import NETWORKS


@dataclass(frozen=True)
class Option:
    """An argument of one network's constructor, or of every one's.

    Attributes
    ----------
    read : callable
        From a word to its value; ValueError for a word that is none.
    metavar : str
        What stands for a value in a help.
    about : str
        What it is, in a few words.
    networks : tuple of str
        Names of the networks that have it.
    """

    read: Callable[[str], Any]
    metavar: str
    about: str
    networks: tuple[str, ...]


def _numbers_or_none(text: str) -> Any:
    """One number, or a list of several between commas, of which some may be none."""
    words = [word.strip() for word in text.split(",")]
    values = [None if word == "none" else float(word) for word in words]
    return values if len(values) > 1 else values[0]


OPTIONS: dict[str, Option] = {
    "bandwidth": Option(
        float, "B", "standard deviation of the wavenumbers, per unit of the coordinates",
        ("fourier",),
    ),
    "omega": Option(
        float, "W", "largest wavenumber of the first layer, per unit of the coordinates",
        ("siren",),
    ),
    "periods": Option(
        _numbers_or_none, "P[,P...]", "of every coordinate, or one of all; none: not periodic",
        ("periodic",),
    ),
    "harmonics": Option(int, "K", "waves in each periodic coordinate", ("periodic",)),
    "activation": Option(str, "NAME", " or ".join(ACTIVATIONS), tuple(NETWORKS)),
}  # fmt: skip


def check_options(network: str, options: Mapping[str, Any]) -> None:
    """Raise unless a network can be made with these options.

    Raises
    ------
    TypeError, ValueError
        Naming what cannot be, and what the network has.

    Examples
    --------
    >>> check_options("siren", {"omega": 3.0})
    >>> check_options("siren", {"bandwidth": 3.0})
    Traceback (most recent call last):
        ...
    ValueError: network siren has no option bandwidth; it has omega, activation
    """
    known = [name for name, option in OPTIONS.items() if network in option.networks]
    for name in options:
        if name not in known:
            raise ValueError(f"network {network} has no option {name}; it has {', '.join(known)}")
    periods = options.get("periods")
    inputs = len(periods) if isinstance(periods, (list, tuple)) else 1
    NETWORKS[network](inputs, width=1, depth=1, seed=0, **options)


def help_of(name: str) -> str:
    """Return what an option is, in words: whose, what, and its default.

    Examples
    --------
    >>> help_of("harmonics")
    'of periodic: waves in each periodic coordinate (default: 3)'
    >>> help_of("activation").split("(")[1]
    'default: tanh; sin of siren)'
    """
    option = OPTIONS[name]
    whose = "" if len(option.networks) == len(NETWORKS) else f"of {', '.join(option.networks)}: "
    defaults: dict[str, list[str]] = {}
    for network in option.networks:
        value = NETWORKS[network](1, width=1, depth=1, seed=0).config()[name]
        value = value[0] if isinstance(value, tuple) else value
        told = value if isinstance(value, str) else f"{value:g}"
        defaults.setdefault(told, []).append(network)
    usual = max(defaults, key=lambda told: len(defaults[told]))
    others = [f"{told} of {', '.join(of)}" for told, of in defaults.items() if told != usual]
    return f"{whose}{option.about} (default: {'; '.join([usual, *others])})"
