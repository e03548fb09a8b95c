"""Section: the main table's songs by the language of their lyrics."""

from __future__ import annotations

from collections.abc import Sequence

from train.corpus.ledger import LedgerRow, sung_rows
from train.evaluate.evaluation import METRICS, Evaluation
from train.evaluate.material.songs import chosen_rows
from train.evaluate.sections.facts import gaps, shown, table
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import EvaluationSetting

NAMES = {"de": "German", "en": "English", "fr": "French", "it": "Italian", "es": "Spanish", "la": "Latin"}

MIN_SONGS = 3
"""Songs of the split are added for languages with fewer songs in the main table."""


def measure(setting: EvaluationSetting) -> Facts:
    every = [row for row in sung_rows(setting.corpus) if row.split == setting.split]
    main = {row.id for row in chosen_rows(setting.corpus, setting.split, setting.songs)}
    chosen = [row for row in every if row.id in main | rare(every, main)]
    evaluation = setting.judged(setting.sung(chosen), setting.renderer)
    return {"languages": by_language(evaluation, {row.id: row.language for row in every})}


def rare(rows: Sequence[LedgerRow], chosen: set[str]) -> set[str]:
    """Songs to add so that each chosen language has :data:`MIN_SONGS`, as far as the split has them."""
    added: set[str] = set()
    for language in sorted({row.language for row in rows if row.id in chosen}):
        ids = [row.id for row in rows if row.language == language]
        missing = MIN_SONGS - len(chosen.intersection(ids))
        added.update([i for i in ids if i not in chosen][: max(0, missing)])
    return added


def by_language(evaluation: Evaluation, languages: dict[str, str]) -> Facts:
    """Gap closed of each language with at least two songs, most songs first; anchors are of all songs."""
    songs: dict[str, list[str]] = {}
    for row in evaluation.of(METRICS[0]):
        songs.setdefault(languages[row.piece], []).append(row.piece)
    parts = {}
    for language, ids in sorted(songs.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(ids) > 1:
            rows = tuple(row for row in evaluation.rows if row.piece in ids)
            parts[language] = gaps(Evaluation(language, rows, {}))
    return parts


def describe(facts: Facts) -> str:
    rows = [
        [NAMES.get(language, language), *(shown(found[m]) for m in METRICS), str(found[METRICS[0]]["n"])]
        for language, found in facts["languages"].items()
    ]
    about = (
        f"By the ledger's language. If the main table has fewer than {MIN_SONGS} songs of one, others of the "
        "split are added. With few songs, intervals are wide."
    )
    return about + "\n\n" + table(("language", *METRICS, "songs"), rows)


LANGUAGES = Section("languages", "Languages", measure, describe)
