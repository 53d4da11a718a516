"""Tables line up."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dtpinn.output import format_table

cells = st.one_of(
    st.integers(), st.floats(), st.text("abc é", max_size=8), st.none(), st.booleans()
)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=6))
def test_no_line_is_longer_than_its_rule_and_none_ends_in_blanks(rows):
    head, rule, *lines = format_table(rows, ["one", "two", "three"]).split("\n")
    assert len(lines) == len(rows)
    assert set(rule) <= {"-", " "}
    assert all(len(line) <= len(rule) and line == line.rstrip() for line in [head, *lines])


def test_numbers_to_the_right_text_to_the_left():
    table = format_table([("a", 5, 0.5), ("long", 12345, None)], indent="  ")
    assert table == "  a         5  0.5\n  long  12345    -"


def test_a_column_of_mixed_cells_is_text():
    assert format_table([(1, "."), ("two", ".")]) == "1    .\ntwo  ."


def test_how_values_are_shown():
    row = [True, np.bool_(False), np.int32(7), torch.tensor(0.25), float("nan"), 1 / 3]
    assert format_table([row], digits=2) == "yes  no  7  0.25  nan  0.33"


def test_a_mapping_is_a_table_of_two_columns():
    assert format_table({"nodes": 582, "order": 4}.items()) == "nodes  582\norder    4"


def test_tables_without_rows():
    assert format_table([]) == ""
    assert format_table([], ["a", "bb"]) == "a  bb\n-  --"


def test_ragged_rows_are_named():
    with pytest.raises(ValueError, match="row 1 has 1 cells, expected 2 as in the first row"):
        format_table([(1, 2), (3,)])
    with pytest.raises(ValueError, match="row 0 has 2 cells, expected 1 as in the header"):
        format_table([(1, 2)], ["a"])
