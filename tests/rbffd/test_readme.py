"""What the room's README says: its program runs, its table is the rule's, no file is missing."""

import re
from pathlib import Path

import torch

from dtpinn.rbffd import choose_rule

ROOM = Path(__file__).parents[2] / "dtpinn" / "rbffd"
README = (ROOM / "README.md").read_text()


def test_its_program_differentiates():
    (program,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    names = {}
    exec(program, names)
    x, y, n = names["x"], names["y"], names["nodes"].count
    u = x**2 * y
    for matrix, wanted in [
        (names["L"], 2 * y),
        (names["A"], 2 * y - 10 * x * y + y * x**2),
        (names["both"]["u_xy"], 2 * x),
    ]:
        torch.testing.assert_close(matrix @ u, wanted[:n], rtol=0, atol=1e-8)
    b = torch.tensor(names["nodes"].boundary)  # on the unit circle n . grad u is 3 u
    torch.testing.assert_close(names["B"] @ u, 5 * b[:, 0] ** 2 * b[:, 1], rtol=0, atol=1e-8)


def test_its_table_is_the_rule():
    rows = re.findall(r"^\| (\d) \|(.*)\|$", README, flags=re.MULTILINE)
    assert len(rows) == 5
    for order, cells in rows:
        rules = [choose_rule(int(order), 2, dimension) for dimension in (1, 2, 3)]
        wanted = [rules[0].degree, rules[0].exponent, *(rule.stencil_size for rule in rules)]
        assert [int(cell) for cell in cells.split("|")] == wanted


def test_it_names_every_file():
    table = README[README.index("## What is in the room") : README.index("## How fast")]
    named = re.findall(r"`(\w+)`", table)
    assert sorted(named) == sorted(p.stem for p in ROOM.glob("*.py") if p.stem != "__init__")
