"""A pack appears whole or not at all, and says what it was made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.made_up_songs import made_up_originals
from support.quantised import CORE, read, report_of
from support.tiny_checkpoint import tiny_facts, write_tiny_checkpoint

from appliance.errors import OutputError, UsageError
from appliance.music.score import STYLES
from appliance.packs.dial_table import usual_table
from appliance.packs.pack import Pack, file_facts, load_pack
from export.__main__ import export
from quantize.__main__ import build_pack
from quantize.calibration import read_samples
from quantize.exported import NEEDED, read_exported
from quantize.fidelity import snr_db
from quantize.pack_folder import styles_of
from train.data.originals import originals_file
from train.networks.denoiser import DenoiserConfig


def test_the_pack_says_where_it_comes_from(pack: Pack, graphs: Path) -> None:
    opened = load_pack(pack.folder)
    assert opened.sha256 == pack.sha256
    facts, manifest = tiny_facts(), opened.manifest
    assert manifest.latent_mean == tuple(facts["latent_mean"])
    assert manifest.ledger_rows_sha256 == facts["ledger_rows_sha256"]
    assert manifest.checkpoint_sha256 == json.loads((graphs / "graphs.json").read_text())["checkpoint_sha256"]
    assert manifest.sampler.guidance == 2.0
    assert manifest.name == "tiny"
    card = (pack.folder / "MODEL_CARD.md").read_text()
    parameters = sum(graph["parameters"] for graph in report_of(pack)["graphs"].values())
    for text in (f"{parameters:,} parameters", "## Hardware\n\ntwo cores", "- Denoiser: 3", "20 of 22",
                 "Apache-2.0", manifest.checkpoint_sha256, facts["ledger_rows_sha256"]):  # fmt: skip
        assert text in card
    assert not list(graphs.parent.glob(".*"))  # no unfinished pack is left


def test_fp32_is_the_same_pack_unquantised(fp32: Pack, pack: Pack, graphs: Path, samples: Path) -> None:
    assert fp32.manifest.files.keys() == pack.manifest.files.keys()
    assert fp32.manifest.checkpoint_sha256 == pack.manifest.checkpoint_sha256
    assert "for comparison" in (fp32.folder / "MODEL_CARD.md").read_text()
    for graph in NEEDED:
        model, source = read(fp32, graph), CORE.read_model(graphs / f"{graph}.xml")
        assert "FakeQuantize" not in {node.get_type_name() for node in model.get_ops()}
        assert report_of(fp32)["graphs"][graph]["int8"] == 0
        _, held_out = read_samples(samples, graph, source)
        assert set(snr_db(source, model, held_out).values()) == {np.inf}


def test_credits_go_in(spoiled: Path, soundfont: Path, tmp_path: Path, pack: Pack) -> None:
    lines = ["© The singers of Łódź, CC BY 4.0", "© The drummers, CC BY 4.0"]
    listing = json.loads((spoiled / "graphs.json").read_text())
    listing["checkpoint"]["credits"] = lines
    (spoiled / "graphs.json").write_text(json.dumps(listing))
    made = build_pack(spoiled, soundfont, tmp_path / "p", precision="fp32")
    assert made.credits() == tuple(lines)
    assert "credits.txt" in made.manifest.files
    card = (made.folder / "MODEL_CARD.md").read_text()
    assert "## Credits" in card
    assert all(line in card for line in lines)
    assert pack.credits() == ()  # a checkpoint without them, as all were before
    assert "credits.txt" not in pack.manifest.files


def test_dials_and_rhythms_go_in(spoiled: Path, soundfont: Path, tmp_path: Path, pack: Pack) -> None:
    listing = json.loads((spoiled / "graphs.json").read_text())
    listing["checkpoint"]["dials"] = json.loads(usual_table().to_json()) | {"songs": 7}
    phrase = {
        "style": "pop",
        "meter": 4,
        "compound": False,
        "bpm": 96.0,
        "bars": 2,
        "rhythm": "1  low: 1 3\n",
    }
    listing["checkpoint"]["rhythms"] = [phrase]
    (spoiled / "graphs.json").write_text(json.dumps(listing))
    made = build_pack(spoiled, soundfont, tmp_path / "p", precision="fp32")
    assert made.has_dials and "dials.json" in made.manifest.files
    assert made.dials().songs == 7 and made.dials().styles == usual_table().styles
    assert [(p.style, p.bars[0].places[0]) for p in made.rhythms().all()] == [("pop", (0, 24))]
    assert "dials" not in (made.folder / "MODEL_CARD.md").read_text()
    assert "rhythms" not in (made.folder / "MODEL_CARD.md").read_text()
    assert not pack.has_dials and not pack.rhythms().phrases  # a checkpoint without them, as all were before
    again = build_pack(spoiled, soundfont, tmp_path / "p", precision="fp32")  # the file is one of a pack
    assert again.sha256 == made.sha256


def test_originals_go_in(spoiled: Path, soundfont: Path, tmp_path: Path, pack: Pack) -> None:
    assert pack.originals() is None  # a checkpoint without them, as all were before
    content = originals_file(made_up_originals(2))
    (spoiled / "originals.safetensors").write_bytes(content)
    listing = json.loads((spoiled / "graphs.json").read_text())
    listing["files"]["originals.safetensors"] = file_facts(spoiled / "originals.safetensors").model_dump()
    (spoiled / "graphs.json").write_text(json.dumps(listing))
    made = build_pack(spoiled, soundfont, tmp_path / "p", precision="fp32")
    found = made.originals()
    assert found is not None and found.names == ("song0", "song1")
    assert (made.folder / "originals.safetensors").read_bytes() == content
    assert made.manifest.files["originals.safetensors"].bytes == len(content)
    (spoiled / "originals.safetensors").write_bytes(content[:-1])
    with pytest.raises(UsageError, match=r"originals\.safetensors: missing or altered"):
        build_pack(spoiled, soundfont, tmp_path / "p", precision="fp32")


def test_metrics_go_in(graphs: Path, soundfont: Path, tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text('{"b": 1, "a": 0.5}')
    made = build_pack(graphs, soundfont, tmp_path / "p", precision="fp32", metrics=tmp_path / "m.json",
                      name="named", version="2.1")  # fmt: skip
    assert json.loads((made.folder / "metrics.json").read_text()) == {"a": 0.5, "b": 1}
    assert "metrics.json" in made.manifest.files
    assert (made.manifest.name, made.manifest.version) == ("named", "2.1")
    (tmp_path / "m.json").write_text("fast")
    with pytest.raises(UsageError, match="cannot be read as JSON"):
        build_pack(graphs, soundfont, tmp_path / "p", precision="fp32", metrics=tmp_path / "m.json")
    assert load_pack(tmp_path / "p").sha256 == made.sha256  # the earlier pack is still there


def test_a_pack_is_replaced_but_nothing_else(graphs: Path, soundfont: Path, tmp_path: Path) -> None:
    out = tmp_path / "reference"
    out.mkdir()
    for file in (soundfont, soundfont.with_name("band-licence.txt")):
        shutil.copy(file, out)
    made = build_pack(graphs, out / "band.sf2", out, precision="fp32")  # its own soundfont is kept
    assert build_pack(graphs, out / "band.sf2", out, precision="fp32").sha256 == made.sha256
    (out / "notes").mkdir()
    (out / "notes" / "mine.txt").write_text("do not lose")
    with pytest.raises(OutputError, match=r"notes/mine\.txt: not part of a pack"):
        build_pack(graphs, soundfont, out, precision="fp32")
    assert (out / "notes" / "mine.txt").read_text() == "do not lose"
    assert (out / "pack.json").is_file()


def test_a_pack_lists_the_styles_that_its_denoiser_was_trained_on(
    graphs: Path, soundfont: Path, tmp_path: Path
) -> None:
    assert styles_of(read_exported(graphs)) == STYLES
    older = DenoiserConfig(width=32, blocks=2, heads=2, condition_blocks=1, time_features=16, style_rows=9)
    export(write_tiny_checkpoint(tmp_path / "checkpoint", denoiser=older), tmp_path / "graphs")
    made = build_pack(tmp_path / "graphs", soundfont, tmp_path / "p", precision="fp32")
    assert made.manifest.styles == STYLES[:8]
    assert tuple(made.manifest.sounds.root) == STYLES[:8]
