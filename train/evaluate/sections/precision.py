"""Section: INT8 against the same networks in FP32, with the same songs and seeds, judged as audio."""

from __future__ import annotations

from dataclasses import replace

from train.evaluate.evaluation import METRICS, compare
from train.evaluate.sections.facts import fact, gaps, shown, table
from train.evaluate.sections.section import Facts, Section
from train.evaluate.sections.setting import EvaluationSetting


def measure(setting: EvaluationSetting) -> Facts:
    assert setting.fp32 is not None
    pieces = setting.pieces()
    int8 = setting.judged(pieces, setting.renderer)
    fp32 = setting.judged(pieces, replace(setting.renderer, pack=setting.fp32))
    return {
        "songs": len(pieces),
        "int8": gaps(int8),
        "fp32": gaps(fp32),
        "int8_minus_fp32": {metric: fact(compare(int8, fp32, metric)) for metric in METRICS},
    }


def describe(facts: Facts) -> str:
    rows = [
        [
            metric,
            shown(facts["int8"][metric]),
            shown(facts["fp32"][metric]),
            shown(facts["int8_minus_fp32"][metric], 3, sign=True),
        ]
        for metric in METRICS
    ]
    return f"{facts['songs']} songs, judged as audio; songs and seeds are paired.\n\n" + table(
        ("metric", "INT8", "FP32", "INT8 - FP32"), rows
    )


PRECISION = Section("precision", "INT8 and FP32", measure, describe, needs=("fp32",))
