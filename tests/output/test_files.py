"""Files are replaced whole or not at all."""

import csv
import json
import math
import os
import signal
import stat
from pathlib import Path

import numpy as np
import pytest
import torch

from dtpinn.output import replacing, write_csv, write_json, write_torch


@pytest.mark.parametrize(("mode", "content"), [("wb", b"\x00\r\n\xff"), ("w", "é\n")])
def test_a_new_file_holds_what_was_written(tmp_path, mode, content):
    path = tmp_path / "file"
    with replacing(path, mode) as file:
        file.write(content)
        assert not path.exists()
    assert path.read_bytes() == (content if mode == "wb" else content.encode())
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_in_the_middle_leaves_the_old_file_and_no_litter(tmp_path, error):
    path = tmp_path / "file"
    path.write_text("old")

    def interrupted():
        with replacing(path, "w") as file:
            file.write("half of the n")
            raise error

    with pytest.raises(error):
        interrupted()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "checkpoint"
    path.write_text("old")
    read, write = os.pipe()
    if not (child := os.fork()):
        try:
            with replacing(path, "w") as file:
                file.write("new " * 100000)
                file.flush()
                os.write(write, b"written")
                signal.pause()
        finally:
            os._exit(1)  # never back into pytest
    assert os.read(read, 7) == b"written"
    os.kill(child, signal.SIGKILL)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert path.read_text() == "old"


def test_permissions_are_those_of_the_old_file_or_of_any_new_one(tmp_path):
    fresh, plain, shared = tmp_path / "fresh", tmp_path / "plain", tmp_path / "shared"
    plain.touch()
    shared.touch()
    shared.chmod(0o640)
    for path in (fresh, shared):
        with replacing(path) as file:
            file.write(b"x")
    assert stat.S_IMODE(fresh.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert stat.S_IMODE(shared.stat().st_mode) == 0o640


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "target").write_text("old")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "target")
    with replacing(link, "w") as file:
        file.write("new")
    assert link.is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_places_that_cannot_be_written_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"'.*missing' does not exist; create it"):
        write_json(tmp_path / "missing" / "a.json", {})
    with pytest.raises(IsADirectoryError, match="is a directory"):
        write_json(tmp_path, {})
    with pytest.raises(ValueError, match="'wb' or 'w', got 'a'"), replacing(tmp_path / "f", "a"):
        pass


def test_json_is_valid_whatever_the_numbers(tmp_path):
    data = {
        "nan": math.nan,
        "inf": [math.inf, -math.inf, np.float32(np.nan), torch.tensor(math.nan)],
        "numbers": [np.int64(3), np.float64(0.1), torch.tensor(7), True, np.bool_(True), None],
        "arrays": (np.array([1.0, np.nan]), torch.eye(2)),
        "names": {"dtype": torch.float64, "device": torch.device("cpu"), "path": Path("a")},
        3: "é",
    }
    write_json(tmp_path / "a.json", data)

    def refuse(constant):
        raise AssertionError(constant)

    read = json.loads((tmp_path / "a.json").read_text("utf-8"), parse_constant=refuse)
    assert read == {
        "nan": None,
        "inf": [None] * 4,
        "numbers": [3, 0.1, 7, True, True, None],
        "arrays": [[1.0, None], [[1.0, 0.0], [0.0, 1.0]]],
        "names": {"dtype": "float64", "device": "cpu", "path": "a"},
        "3": "é",
    }
    assert list(read)[:2] == ["nan", "inf"]  # as it came


def test_what_json_cannot_hold_is_found_and_the_old_file_kept(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, 1)
    with pytest.raises(TypeError, match=r"data\['a'\]\[1\] is a set"):
        write_json(path, {"a": [0, {1}]})
    assert path.read_text() == "1\n"


def test_csv_keeps_every_digit(tmp_path):
    path = tmp_path / "a.csv"
    rows = [(1, 0.1 + 0.2, None), (np.int64(2), torch.tensor(1 / 3, dtype=torch.float64), "a,b")]
    write_csv(path, ["n", "x", "note"], rows)
    with open(path, newline="") as file:
        header, first, second = csv.reader(file)
    assert header == ["n", "x", "note"]
    assert (first[0], float(first[1]), first[2]) == ("1", 0.1 + 0.2, "")
    assert (second[0], float(second[1]), second[2]) == ("2", 1 / 3, "a,b")


def test_a_row_of_another_length_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"row 1 has 1 cells, expected 2 \(a, b\)"):
        write_csv(tmp_path / "a.csv", ["a", "b"], [(1, 2), (3,)])
    assert os.listdir(tmp_path) == []


def test_torch_objects_come_back(tmp_path):
    write_torch(tmp_path / "a.pt", {"w": torch.arange(3.0)})
    assert torch.equal(torch.load(tmp_path / "a.pt")["w"], torch.arange(3.0))
