"""Export rejects damaged checkpoints and pickles, and hashes all files of a checkpoint."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import save, save_file
from support.pickle_trap import Trap

from export.__main__ import main
from export.facts import checkpoint_sha256
from train.checkpoints.checkpoint import refuse_pickles


def zipped_pickle(file: Path, trap: Trap) -> None:
    torch.save(trap, file)
    assert zipfile.is_zipfile(file)


def plain_pickle(file: Path, trap: Trap) -> None:
    torch.save(trap, file, _use_new_zipfile_serialization=False)


@pytest.mark.parametrize("pickled", [zipped_pickle, plain_pickle])
@pytest.mark.parametrize("name", ["weights.pt", "vae.safetensors"])
def test_pickles_are_refused_unopened(
    checkpoint: Path, tmp_path: Path, pickled: Callable[[Path, Trap], None], name: str
) -> None:
    """Whether they are called .pt or .safetensors."""
    folder = Path(shutil.copytree(checkpoint, tmp_path / "checkpoint"))
    pickled(folder / name, Trap(tmp_path / "sprung"))
    for given in (folder, folder / name):
        result = run(given, "--out", tmp_path / "out")
        assert result.exit_code == 1
        assert f"{name}: a pickle" in result.output
        assert result.output.startswith("Error: ")
        assert result.output.count("\n") == 1
    assert not (tmp_path / "sprung").exists()
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("length", range(0x80, 0x880, 0x100))
def test_no_length_of_a_header_looks_like_a_pickle(tmp_path: Path, length: int) -> None:
    """The file begins with that length; a pickle of protocol 2 to 5 begins with 0x80 and the protocol."""
    file = tmp_path / "vae.safetensors"
    padding = next(n for n in range(length) if len(save({}, {"note": "x" * n})) == 8 + length)
    save_file({}, file, {"note": "x" * padding})
    assert file.read_bytes()[:2] == bytes([0x80, length >> 8])
    refuse_pickles(file)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f / "checkpoint.json").unlink(), "no checkpoint.json"),
        (lambda f: (f / "checkpoint.json").write_text("{"), "checkpoint.json: not JSON"),
        (lambda f: (f / "checkpoint.json").write_text("[]"), "checkpoint.json: not a JSON object"),
        (lambda f: edit(f, schema=7), "schema 7"),
        (lambda f: edit(f, latent_std=[1.0]), "differ in length"),
        (lambda f: edit(f, latent_mean=[0.0], latent_std=[1.0]), "the statistics 1"),
        (lambda f: edit(f, latent_std=[0.0] * 64), "latent_std.0: "),
        (lambda f: edit(f, sampler={}), "sampler.steps: Field required"),
        (lambda f: edit(f, ledger_rows_sha256="unknown"), "ledger_rows_sha256: "),
        (lambda f: (f / "planner.safetensors").unlink(), "planner.safetensors: missing"),
        (lambda f: (f / "planner.safetensors").write_bytes(b"\x08" + b"\0" * 40), "planner.safetensors: not"),
        (lambda f: shutil.copy(f / "vae.safetensors", f / "planner.safetensors"), "of another version"),
    ],
)
def test_a_checkpoint_that_cannot_be_used(
    checkpoint: Path, tmp_path: Path, change: Callable[[Path], object], said: str
) -> None:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "checkpoint"))
    change(folder)
    result = run(folder, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert said in result.output
    assert result.output.startswith("Error: ")
    assert "Traceback" not in result.output


def edit(folder: Path, **changes: object) -> None:
    path = folder / "checkpoint.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_hash_of_a_checkpoint_is_of_all_its_files(checkpoint: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "checkpoint"))
    before = checkpoint_sha256(folder)
    assert before == checkpoint_sha256(checkpoint)
    edit(folder, hours=2)
    assert checkpoint_sha256(folder) != before


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(main, [str(a) for a in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result
