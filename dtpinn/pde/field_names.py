"""What the unknowns of an equation are called, and which of them a condition is about."""

from __future__ import annotations

from collections.abc import Sequence

FieldChoice = int | str | Sequence[int | str]


def names_of(fields: int | Sequence[str]) -> tuple[str, ...]:
    """Return the names of an equation's unknowns.

    Parameters
    ----------
    fields : int or sequence of str
        How many there are, or what they are called.

    Raises
    ------
    TypeError, ValueError
        If it is neither a positive number nor names that differ.

    Examples
    --------
    >>> names_of(1), names_of(2), names_of(("u", "v", "p"))
    (('u',), ('u_1', 'u_2'), ('u', 'v', 'p'))
    """
    if isinstance(fields, int) and not isinstance(fields, bool):
        if fields < 1:
            raise ValueError(f"fields: expected at least one unknown, got {fields}")
        return ("u",) if fields == 1 else tuple(f"u_{k + 1}" for k in range(fields))
    if isinstance(fields, str) or not isinstance(fields, Sequence):
        raise TypeError(
            f'fields: expected a number or a tuple of names, ("u", "v"), got {fields!r}'
        )
    names = tuple(fields)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise TypeError(f'fields: expected names such as ("u", "v"), got {fields!r}')
    if len(set(names)) < len(names):
        raise ValueError(f"fields: every unknown needs a name of its own, got {names}")
    return names


def field_numbers(field: FieldChoice, names: Sequence[str]) -> int | tuple[int, ...]:
    """Return a choice of fields, by number or by name, as numbers: one, or a tuple of several.

    Parameters
    ----------
    field : int, str or sequence of these
    names : sequence of str
        Of all fields, in their order.

    Raises
    ------
    TypeError, ValueError
        If a field is none of them, or is chosen twice.

    Examples
    --------
    >>> field_numbers("p", ("u", "v", "p")), field_numbers(("u", 1), ("u", "v", "p"))
    (2, (0, 1))
    """
    if isinstance(field, (int, str)):
        return field_number(field, names)
    chosen = tuple(field_number(one, names) for one in field)
    if not chosen or len(set(chosen)) < len(chosen):
        raise ValueError(f"field={field!r}: expected fields that differ, at least one")
    return chosen if len(chosen) > 1 else chosen[0]


def field_number(field: object, names: Sequence[str]) -> int:
    """Return one field, by number or by name, as a number; ValueError if it is none of them."""
    if field in names:
        return names.index(str(field))
    if isinstance(field, int) and not isinstance(field, bool) and 0 <= field < len(names):
        return field
    raise ValueError(
        f"field={field!r}: the equation has {len(names)} field(s), {', '.join(names)}; give one of "
        f"these names, or a number in 0..{len(names) - 1}"
    )
