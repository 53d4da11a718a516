"""Which condition is for which part of the boundary: by name, by pattern, by default."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from fnmatch import fnmatchcase

_SPECIAL = "*?["


def parts_by_name(
    names: Iterable[str], parts: Sequence[str], present: Collection[str]
) -> dict[str, list[str]]:
    """Return the parts of a boundary that each name stands for.

    A name that a part has is for that part. Any other is a pattern as of :mod:`fnmatch`: ``*``
    stands for any letters, ``?`` for one, ``[ab]`` for one of these. Of the patterns that fit a
    part, that with the most letters of its own has it, so that ``"*"`` has what is left over.

    Parameters
    ----------
    names : iterable of str
        To which conditions are given.
    parts : sequence of str
        Of the boundary, all of them.
    present : collection of str
        Those on which there are nodes: they need a condition.

    Raises
    ------
    ValueError
        If a name fits no part, two patterns fit a part equally well, or a part is left without.

    Examples
    --------
    >>> walls = ["left", "right", "circle1", "circle2"]
    >>> parts_by_name(["left", "circle*", "*"], walls, walls)
    {'left': ['left'], 'circle*': ['circle1', 'circle2'], '*': ['right']}
    """
    found: dict[str, list[str]] = {name: [] for name in names}
    there = f"the boundary of these nodes consists of {sorted(parts)}"
    lost = [name for name in found if not any(_fits(name, part, parts) for part in parts)]
    if lost:
        raise ValueError(f"conditions are given for {lost}, which no part is called; {there}")
    for part in parts:
        fitting = sorted((n for n in found if _fits(n, part, parts)), key=_letters, reverse=True)
        if part in found:
            found[part].append(part)
        elif len(fitting) > 1 and _letters(fitting[0]) == _letters(fitting[1]):
            raise ValueError(
                f"the part {part!r} fits the patterns {fitting[:2]} equally well; give its "
                f"condition under its own name; {there}"
            )
        elif fitting:
            found[fitting[0]].append(part)
        elif part in present:
            raise ValueError(
                f"conditions are given for the parts {sorted(found)}, but {there}; give one "
                'condition for each part, one under "*" for all others, or one for the whole '
                "boundary"
            )
    return found


def _fits(name: str, part: str, parts: Sequence[str]) -> bool:
    if name == part or name in parts:
        return name == part
    return any(c in name for c in _SPECIAL) and fnmatchcase(part, name)


def _letters(pattern: str) -> int:
    return sum(c not in "*?[]" for c in pattern)
