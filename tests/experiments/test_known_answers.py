from __future__ import annotations

import pytest

from dtpinn.cli import main
from dtpinn.experiments import gallery, known_answers


@pytest.mark.parametrize(
    ("name", "allowed"),
    [("torsion of an L", 0.025), ("flow past a cylinder", 0.01), ("plate with a hole", 0.02)],
)
def test_every_order_finds_the_number_that_is_known(name, allowed):
    problem = known_answers.problems()[name]
    _, found = known_answers.measure(problem, known_answers.QUICK)
    assert len(found) == len(known_answers.ORDERS)
    assert found == pytest.approx([problem.answer] * len(found), rel=allowed)


@pytest.mark.full
def test_the_gallery_shows_them_beside_its_shapes(tmp_path, monkeypatch, capsys):
    disk = {"disk": gallery.shapes()["disk"]}
    flow = {"flow past a cylinder": known_answers.problems()["flow past a cylinder"]}
    monkeypatch.setattr(gallery, "shapes", lambda: disk)
    monkeypatch.setattr(known_answers, "problems", lambda: flow)
    assert main(["gallery", "--quick", "--out", str(tmp_path)]) == 0
    table = (tmp_path / "answers.md").read_text()
    assert table.count("\n") == 3
    assert table in capsys.readouterr().out + "\n"
