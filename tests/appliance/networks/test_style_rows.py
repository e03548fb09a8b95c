"""Packs made when there were fewer styles play theirs, and refuse the new ones in words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.fake_pack import build_fake_pack
from support.vocals import sung

from appliance.composing.composer import compose, listen, padded
from appliance.composing.wishes import Wishes
from appliance.errors import PackError, UsageError
from appliance.music.score import STYLES
from appliance.networks.condition_rows import CONDITION_ROWS, STYLE_ROWS, known_style_rows, style_row
from appliance.packs.pack import load_pack
from appliance.rendering.engine import Engine
from appliance.rendering.render import check_pack_can
from appliance.vocal.features import features_of
from appliance.vocal.tracker import track_pitch

EIGHT = ("piano", "strings", "organ", "guitar", "pop", "folk", "jazz", "synth")


@pytest.fixture(scope="module")
def older_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fake pack as it was with eight styles: its graphs' style input has nine rows."""
    return build_fake_pack(tmp_path_factory.mktemp("packs") / "older", EIGHT, style_rows=len(EIGHT) + 1)


def test_the_styles_of_earlier_packs_keep_their_places() -> None:
    assert STYLES[:8] == EIGHT
    assert len(STYLES) >= 12 and len(set(STYLES)) == len(STYLES)


def test_rows_of_a_network_with_fewer_styles() -> None:
    assert known_style_rows(style_row(7), 9).ravel().tolist() == [0, 0, 0, 0, 0, 0, 0, 1, 0]
    assert known_style_rows(style_row(None), 9).ravel().tolist() == [0] * 8 + [1]
    batch = np.stack([style_row(1), style_row(None)])
    assert known_style_rows(batch, 9).shape == (2, 9, 1)
    assert known_style_rows(batch, STYLE_ROWS) is batch
    with pytest.raises(PackError, match="does not know the style 'bossa'; choose one of piano, strings"):
        known_style_rows(style_row(8), 9)
    with pytest.raises(PackError, match="'latin'"):
        known_style_rows(np.stack([style_row(0), style_row(15)]), 9)


def test_an_older_pack_plays_as_before_and_refuses_new_styles(older_pack: Path, fake_pack: Path) -> None:
    sound = sung(6.0)
    features = padded(features_of(track_pitch([sound], len(sound))))
    scores = []
    for folder in (older_pack, fake_pack):
        engine = Engine(folder)
        reading = listen(engine.graphs, features, 6.0, Wishes(bpm=100))
        scores.append([compose(engine.graphs, engine.pack, reading, style, 0) for style in ("piano", "jazz")])
        assert scores[-1][0].notes
    assert scores[0] == scores[1]
    older = load_pack(older_pack)
    assert older.manifest.styles == EIGHT
    with pytest.raises(UsageError, match="no style 'bossa'; choose one of piano"):
        check_pack_can(older, Wishes(style="bossa"))


def test_the_graphs_refuse_a_style_that_only_the_manifest_lists(older_pack: Path, tmp_path: Path) -> None:
    engine = Engine(older_pack)
    rows = np.zeros((engine.graphs.batch, CONDITION_ROWS, 2 * engine.graphs.window), np.float32)
    with pytest.raises(PackError, match="'waltz'"):
        engine.graphs.condition(rows, np.stack([style_row(9)] * engine.graphs.batch))
