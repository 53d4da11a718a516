from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from dtpinn.cli import main
from dtpinn.experiments import gallery, known_answers
from tests.marks import mostly_full


@pytest.mark.parametrize("name", mostly_full(gallery.shapes(), {"L shape"}.__contains__))
def test_every_domain_is_solved_at_the_expected_orders(name):
    """On small clouds single orders scatter, in space above all; on the average they are there."""
    (row,) = gallery.run(quick=True, names=[name], report=lambda line: None)
    assert row.fill / row.separation < 1.2
    assert row.fill < 1.3
    assert np.mean([row.observed[order] - order for order in gallery.ORDERS]) > -0.5
    assert row.errors[5] < row.errors[4] < row.errors[2] / 4


def test_the_known_solution_has_no_symmetry():
    for name, domain in gallery.shapes().items():
        middle, half = domain.bounds.mean(0), 0.4 * np.ptp(domain.bounds, 0)
        corners = torch.tensor(np.stack([middle - half, middle + half]))
        left, right = gallery.solution(corners)
        assert not math.isclose(float(left), float(right), rel_tol=1e-3), name


def test_the_command_leaves_table_numbers_and_picture(tmp_path, monkeypatch, capsys):
    disk = {"disk": gallery.shapes()["disk"]}
    flow = {"flow past a cylinder": known_answers.problems()["flow past a cylinder"]}
    monkeypatch.setattr(gallery, "shapes", lambda: disk)
    monkeypatch.setattr(gallery, "QUICK", {2: (250, 300, 400)})
    monkeypatch.setattr(known_answers, "problems", lambda: flow)
    assert main(["gallery", "--quick", "--out", str(tmp_path / "new")]) == 0
    written = json.loads((tmp_path / "new/gallery.json").read_text())
    assert written["rows"][0]["name"] == "disk"
    text = (tmp_path / "new/gallery.md").read_text()
    assert text.count("\n") == 3
    assert f"{written['rows'][0]['errors']['4']:.1e}" in text
    assert (tmp_path / "new/gallery.png").stat().st_size > 10_000
    printed = capsys.readouterr().out
    assert "observed orders" in printed
    table = (tmp_path / "new/answers.md").read_text()
    assert table.count("\n") == 3
    assert table in printed + "\n"


def test_a_directory_that_cannot_be_made_is_told_first(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["gallery", "--out", str(tmp_path / "a/b/c")])
    assert "cannot make" in capsys.readouterr().err
