"""The programs in the README of geometry/ run, and its tables are of all that there is."""

import re
from pathlib import Path

import dtpinn.geometry

HERE = Path(__file__).parents[2] / "dtpinn" / "geometry"
README = (HERE / "README.md").read_text()


def test_the_programs_run():
    plate, stadium = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(plate, names := {})
    assert names["nodes"].parts == ("left", "right", "wall", "holes")
    assert names["nodes"].quality(names["plate"]).ratio < 1.2
    exec(stadium, names := {})
    walk = names["Stadium"]().walk_boundary(0.1)
    assert abs(names["Stadium"]().signed_distance(walk.points)).max() < 1e-12


def test_every_public_name_and_every_folder_is_there():
    made_by_operations = {"Parted", "Transformed", "Union", "Intersection", "Difference"}
    for name in set(dtpinn.geometry.__all__) - made_by_operations:
        assert f"`{name}" in README, name
    for folder in HERE.glob("*/__init__.py"):
        assert f"`{folder.parent.name}/`" in README
    for link in re.findall(r"\]\(([^)]+)\)", README):
        assert (HERE / link).exists(), link
