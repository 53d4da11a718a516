"""The command line as a user meets it: a run, its files, and one line for whatever is wrong."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from dtpinn import Result, cli
from dtpinn.experiments import measuring
from dtpinn.models import FourierMLP
from dtpinn.models.options import OPTIONS, help_of
from tests.marks import mostly_full


def dtpinn(*arguments, cwd=None):
    return subprocess.run(
        [sys.executable, "-m", "dtpinn", *map(str, arguments)],
        capture_output=True, text=True, cwd=cwd,
    )  # fmt: skip


@pytest.fixture
def plain(monkeypatch):
    """No picture and few test points: most of a short run, which the first test has."""
    monkeypatch.setattr(measuring, "TEST_POINTS", 1000)
    monkeypatch.setattr(Result, "picture", lambda self, path: None)


def test_train_leaves_its_files_and_tells_the_floor(tmp_path, capsys):
    out = tmp_path / "runs" / "poisson"
    options = ["--nodes", "300", "--order", "3", "--epochs", "3", "--seed", "1", "--out", str(out)]
    assert cli.main(["train", "poisson", *options]) == 0
    printed = capsys.readouterr().out
    for word in ("nodes", "floor", "error", "training", "stopped", "files"):
        assert word in printed
    told = json.loads((out / "result.json").read_text())
    promised = {
        "problem", "method", "dtype", "device", "seed", "order", "nodes", "epochs", "evaluations",
        "seconds", "loss", "relative_l2_error", "best_relative_l2_error", "stop_reason", "versions",
    }  # fmt: skip
    assert promised <= set(told)
    assert set(told["nodes"]) == {"interior", "boundary", "ghost"}
    assert abs(told["nodes"]["interior"] + told["nodes"]["boundary"] - 300) <= 6
    assert {"nodes", "assembly", "training"} <= set(told["seconds"])
    assert told["floor_relative_l2_error"] < told["relative_l2_error"]
    for name in ("history.csv", "picture.png", "checkpoint.pt"):
        assert (out / name).stat().st_size > 0


def test_a_run_resumes_and_repeats_bit_for_bit(plain, tmp_path, capsys):
    def train(out, epochs, *more):
        options = ["--nodes", "120", "--epochs", str(epochs), "--width", "10", "--out", str(out)]
        assert cli.main(["train", "poisson", *options, *more]) == 0
        return json.loads((out / "result.json").read_text())

    whole = train(tmp_path / "a", 4)
    train(tmp_path / "b", 2)
    resumed = train(tmp_path / "b", 4, "--resume")
    for figure in ("loss", "relative_l2_error", "evaluations"):
        assert resumed[figure] == whole[figure]


def test_the_vanilla_method_by_gauss_newton(tmp_path):
    options = ["--nodes", "100", "--epochs", "1", "--method", "vanilla", "--width", "5"]
    options += ["--depth", "1", "--optimizer", "gauss-newton", "--out", str(tmp_path / "run")]
    assert cli.main(["train", "poisson", *options]) == 0


def test_the_vanilla_method_in_single_precision_with_another_network(plain, tmp_path, capsys):
    options = ["--nodes", "150", "--epochs", "1", "--method", "vanilla", "--dtype", "float32"]
    more = ["--network", "fourier", "--width", "8", "--out", str(tmp_path)]
    assert cli.main(["train", "poisson", *options, *more]) == 0
    told = json.loads((tmp_path / "result.json").read_text())
    assert (told["method"], told["network"], told["dtype"]) == ("vanilla", "fourier", "float32")
    assert isinstance(Result.load(tmp_path).model, FourierMLP)


@pytest.mark.full
def test_the_nonlinear_problem_in_stages_that_are_resumed(plain, tmp_path, capsys):
    def train(out, *more):
        options = ["--nodes", "200", "--order", "3", "--width", "8", "--depth", "1", *more]
        assert cli.main(["train", "nonlinear-poisson", *options, "--out", str(out)]) == 0
        return json.loads((out / "result.json").read_text())

    both = ["--optimizer", "adam, lbfgs", "--epochs", "2,3", "--seconds", "inf,inf"]
    whole = train(tmp_path / "a", *both)
    assert "stage 2     LBFGS, 3 epochs" in capsys.readouterr().out
    assert [stage["epochs"] for stage in whole["stages"]] == [2, 3]
    assert (whole["problem"], whole["optimizer"]) == ("nonlinear-poisson", ["adam", "lbfgs"])
    train(tmp_path / "b", "--optimizer", "adam", "--epochs", "2")
    begun = (tmp_path / "b" / "history.csv").read_text()
    resumed = train(tmp_path / "b", *both, "--resume")
    assert (tmp_path / "b" / "history.csv").read_text().startswith(begun)  # times are its own
    for figure in ("loss", "relative_l2_error", "evaluations"):
        assert resumed[figure] == whole[figure]


@pytest.mark.parametrize("method", mostly_full(["dt", "vanilla"], lambda method: method == "dt"))
def test_heat_in_space_time(method, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(measuring, "TEST_POINTS", 1000)
    options = ["--nodes", "150", "--times", "3", "--width", "8", "--depth", "1", "--epochs", "2"]
    more = ["--order", "3", "--seed", "2", "--method", method, "--out", str(tmp_path)]
    assert cli.main(["train", "heat", *options, *more]) == 0
    told = json.loads((tmp_path / "result.json").read_text())
    assert (told["problem"], told["times"], told["method"]) == ("heat", 3, method)
    assert told["error_measured_at"] == "collocation points"
    assert told["floor_relative_l2_error"] < 0.01 < told["relative_l2_error"]
    ratio = told["relative_l2_error_at_test_points"] / told["relative_l2_error"]
    assert 0.7 < ratio < 1.3
    assert (tmp_path / "picture.png").stat().st_size > 0
    assert f"at {told['test_points']} test points" in capsys.readouterr().out


def test_a_limit_of_time(plain, tmp_path, capsys):
    options = ["--nodes", "150", "--width", "8", "--depth", "1", "--seconds", "0.01"]
    assert cli.main(["train", "poisson", *options, "--out", str(tmp_path)]) == 0
    told = json.loads((tmp_path / "result.json").read_text())
    assert told["stop_reason"].startswith("time is up")
    assert told["epochs"] == 1


def test_by_default_files_are_named_after_the_problem(plain, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ["--nodes", "100", "--epochs", "1", "--width", "8", "--depth", "1"]
    for problem in ("poisson", "nonlinear-poisson"):
        assert cli.main(["train", problem, *options, "--device", "cpu"]) == 0
        assert (tmp_path / "runs" / problem / "result.json").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "poisson", "--nodes", "12"], "nodes must be at least"),
        (["train", "poisson", "--nodes", "-5"], "nodes must be at least"),
        (["train", "poisson", "--nodes", "many"], "invalid int"),
        (["train", "poisson", "--order", "1"], "order must be at least 2"),
        (["train", "poisson", "--epochs", "0"], "epochs must be at least 1"),
        (["train", "poisson", "--order", "10", "--nodes", "100"], "stencil"),
        (["train", "poisson", "--method", "magic"], "method must be one of dt, vanilla"),
        (["train", "poisson", "--network", "cnn"], "network must be one of mlp, fourier"),
        (["train", "poisson", "--dtype", "float16"], "dtype must be one of"),
        (["train", "poisson", "--device", "abacus"], "device must be"),
        (["train", "poisson", "--device", "meta"], "device must be"),
        (["train", "poisson", "--frobnicate"], "unrecognized arguments: --frobnicate"),
        (["train", "poisson", "--node", "300"], "unrecognized arguments"),
        (["train", "wave"], "invalid choice"),
        (["train"], "required: PROBLEM"),
        (["train", "poisson", "--times", "3"], "unrecognized arguments: --times"),
        (["train", "heat", "--times", "1"], "times must be at least 2"),
        (["train", "poisson", "--optimizer", "sgd"], "optimizer must be one of lbfgs"),
        (["train", "poisson", "--optimizer", "lbfgs,"], "optimizer must be one of"),
        (["train", "poisson", "--epochs", "1,2"], "epochs has 2 entries for 1 stage"),
        (["train", "poisson", "--epochs", "1,many"], "invalid numbers value"),
        (["train", "poisson", "--seconds", "nan"], "seconds must be at least 0"),
        (["train", "poisson", "--seconds", "1,2"], "seconds has 2 entries for 1 stage"),
        (["train", "poisson", "--tolerance", "0"], "tolerance must be positive"),
        (["train", "heat", "--tolerance", "1e-6"], "tolerance needs a steady problem"),
        (["train", "poisson", "--tolerance", "1", "--epochs", "1,2"], "name an optimizer for each"),
        (["train", "poisson", "--out"], "expected one argument"),
        (["train", "poisson", "--out", "/no/such/place/at/all"], "does not exist"),
        (["fly"], "invalid choice"),
        ([], "required"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_code_2(
    arguments, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert message in printed.err
    assert len(printed.err.strip().splitlines()) == 1


def test_a_file_in_the_way_and_nothing_to_resume(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    for options in (["--out", str(tmp_path / "file")], ["--out", str(tmp_path), "--resume"]):
        with pytest.raises(SystemExit) as ended:
            cli.main(["train", "poisson", *options])
        assert ended.value.code == 2


def test_nothing_to_resume_leaves_no_directory(tmp_path, capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "poisson", "--out", str(tmp_path / "new"), "--resume"])
    assert "nothing to resume" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_run_is_not_resumed_with_other_settings(plain, tmp_path, capsys):
    options = ["train", "poisson", "--nodes", "100", "--epochs", "1", "--width", "8"]
    out = ["--out", str(tmp_path), "--resume"]
    assert cli.main([*options, *out[:2]]) == 0
    with pytest.raises(SystemExit):
        cli.main([*options, "--network", "fourier", *out])
    assert "network mlp, this run has fourier" in capsys.readouterr().err
    for other, message in (("--seed", "seed 0"), ("--order", "order 4"), ("--nodes", "nodes")):
        with pytest.raises(SystemExit) as ended:
            cli.main([*options, other, "5" if other != "--nodes" else "300", *out])
        printed = capsys.readouterr().err
        assert ended.value.code == 2
        assert message in printed
        assert len(printed.strip().splitlines()) == 1
    (tmp_path / "checkpoint.pt").write_text("nonsense")
    with pytest.raises(SystemExit):
        cli.main([*options, *out])
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_info_as_a_process():
    told = dtpinn("info")
    assert told.returncode == 0
    words = ("built against torch", "instruction set", "loads of vectors", "CUDA kernels", "OpenMP")
    for word in words:
        assert word in told.stdout


def test_help_tells_problems_options_and_their_defaults(capsys):
    def shown(*arguments):
        with pytest.raises(SystemExit) as ended:
            cli.main([*arguments, "--help"])
        assert ended.value.code == 0
        return " ".join(capsys.readouterr().out.split())

    for problem in ("poisson", "nonlinear-poisson", "heat"):
        assert problem in shown("train")
    heat, poisson = shown("train", "heat"), shown("train", "poisson")
    assert "interior + boundary (default: 828)" in heat
    assert "slices, t = 0 included (default: 25)" in heat
    assert "interior + boundary (default: 2236)" in poisson
    assert "--times" not in poisson
    assert "(default: 100 of lbfgs" in poisson
    assert "(default: runs/poisson)" in poisson


def test_options_of_a_network_are_in_the_help_and_in_the_checkpoint(tmp_path, capsys):
    for name in OPTIONS:
        assert help_of(name)
    with pytest.raises(SystemExit):
        cli.main(["train", "poisson", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert all(
        f"--{name} {option.metavar} {help_of(name)}" in told for name, option in OPTIONS.items()
    )

    def train(*more):
        options = ["--nodes", "100", "--order", "2", "--width", "4", "--depth", "1", *more]
        return cli.main(["train", "poisson", *options, "--out", str(tmp_path)])

    assert train("--network", "siren", "--omega", "3", "--activation", "tanh", "--epochs", "1") == 0
    model = Result.load(tmp_path).model
    assert (model.omega, model.config()["activation"]) == (3.0, "tanh")
    told = json.loads((tmp_path / "result.json").read_text())["network_options"]
    assert told == {"omega": 3.0, "activation": "tanh"}
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        train("--network", "siren", "--epochs", "2", "--resume")
    assert ended.value.code == 2
    assert "network_options {'omega': 3.0, 'activation': 'tanh'}" in capsys.readouterr().err
    assert (
        train("--network", "periodic", "--periods", "4,none", "--harmonics", "2", "--epochs", "1")
        == 0
    )
    assert Result.load(tmp_path).model.periods == (4.0, None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--omega", "3"], "network mlp has no option omega; it has activation"),
        (["--network", "siren", "--omega", "-1"], "expected omega to be finite and positive"),
        (["--network", "siren", "--omega", "wide"], "argument --omega: invalid float value"),
        (["--network", "periodic", "--periods", "1,2,3"], "for each of the 2 inputs, got 3"),
        (["--activation", "relu"], "relu"),
    ],
)
def test_options_that_a_network_cannot_have_are_refused(options, message, tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["train", "poisson", "--nodes", "100", *options, "--out", str(tmp_path)])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
