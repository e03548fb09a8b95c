"""``python -m quantize GRAPHS --soundfont FILE --out PACK``: quantise exported graphs and build a pack."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import openvino as ov

from appliance.errors import BacklineError, UsageError
from appliance.packs.pack import Pack, load_pack
from quantize.calibration import read_samples
from quantize.coverage import coverage
from quantize.exported import ExportedGraphs, read_exported
from quantize.fidelity import snr_db
from quantize.int8 import FLOAT_LAYERS, check_coverage, quantise
from quantize.ir import graph_bytes, save_graph
from quantize.model_card import CARD_NAME, model_card
from quantize.pack_folder import (
    add_credits,
    add_dials,
    add_metrics,
    add_originals,
    add_rhythms,
    add_soundfont,
    manifest_of,
    pack_names,
    staged,
    write_manifest,
)
from quantize.report import GraphReport, write_report

PRECISIONS = ("int8", "fp32")


def build_pack(
    graphs_folder: Path,
    soundfont: Path,
    out: Path,
    *,
    calibration: Path | None = None,
    precision: str = "int8",
    stay_float: Mapping[str, Sequence[str]] = FLOAT_LAYERS,
    name: str = "",
    version: str = "1",
    metrics: Path | None = None,
) -> Pack:
    """Build a pack at ``out``; on one machine, the same inputs give the same bytes.

    Args:
        graphs_folder: the folder that ``python -m export`` wrote.
        soundfont: what the band plays; its licence lies beside it.
        out: the pack's folder; an earlier pack there is replaced.
        calibration: folder of samples (:mod:`quantize.calibration`), needed for INT8.
        precision: ``int8``, or ``fp32`` for comparison.
        stay_float: by graph, patterns of the layers that stay float.
        name, version: of the pack; the default name is that of its folder.
        metrics: a JSON file of reference metrics, stored as ``metrics.json``.

    Raises:
        BacklineError: an input is missing or damaged, too few layers became INT8, or the pack cannot be
            written. An earlier pack at ``out`` is then unchanged.
    """
    exported = read_exported(graphs_folder)
    if unknown := stay_float.keys() - exported.graphs.keys():
        known = ", ".join(sorted(exported.graphs))
        raise UsageError(f"{graphs_folder}: no graph is called {min(unknown)}; choose one of {known}.")
    with staged(out, pack_names(exported, soundfont)) as part:
        add_soundfont(part, soundfont)
        add_credits(part, exported.checkpoint.credits)
        add_dials(part, exported.checkpoint.dials)
        add_rhythms(part, exported.checkpoint.rhythms)
        add_originals(part, exported.originals)
        if metrics is not None:
            add_metrics(part, metrics)
        reports: dict[str, GraphReport] = {}
        for graph in exported.graphs:
            if precision == "int8":
                if calibration is None:
                    raise UsageError("INT8 needs calibration samples; name their folder with --calibration.")
                report = _as_int8(exported, graph, calibration, part, stay_float.get(graph, ()))
            else:
                report = _as_fp32(exported, graph, part)
            reports[graph] = report
        write_report(part, precision, reports)
        title = name or out.name
        manifest = manifest_of(part, exported, soundfont.name, title, version)
        card = model_card(manifest, exported.checkpoint.for_card(), precision, reports)
        (part / CARD_NAME).write_text(card)
        write_manifest(part, manifest_of(part, exported, soundfont.name, title, version))
    return load_pack(out)


def _as_int8(
    exported: ExportedGraphs, graph: str, calibration: Path, part: Path, stay_float: Sequence[str]
) -> GraphReport:
    core = ov.Core()
    source, target = exported.path(graph), part / f"{graph}.xml"
    reference = core.read_model(source)
    used, held_out = read_samples(calibration, graph, reference)
    quantised = quantise(core.read_model(source), used, stay_float)
    save_graph(quantised, target)
    shipped = core.read_model(target)
    found = coverage(shipped)
    check_coverage(graph, found)
    return GraphReport(
        parameters=exported.graphs[graph].parameters,
        layers=found.layers,
        int8=found.int8,
        float_layers=found.float_layers,
        matmuls=found.matmuls,
        fp32_bytes=graph_bytes(source),
        bytes=graph_bytes(target),
        snr_db=snr_db(reference, shipped, held_out),
        calibration_samples=len(used),
        held_out_samples=len(held_out),
    )


def _as_fp32(exported: ExportedGraphs, graph: str, part: Path) -> GraphReport:
    source, target = exported.path(graph), part / f"{graph}.xml"
    model = ov.Core().read_model(source)
    found = coverage(model)
    save_graph(model, target)
    return GraphReport(
        parameters=exported.graphs[graph].parameters,
        layers=found.layers,
        int8=found.int8,
        float_layers=(),
        matmuls=found.matmuls,
        fp32_bytes=graph_bytes(source),
        bytes=graph_bytes(target),
        snr_db={},
        calibration_samples=0,
        held_out_samples=0,
    )


def _by_graph(given: Sequence[str]) -> dict[str, list[str]]:
    """FLOAT_LAYERS plus the given layers: ``denoiser/film`` adds ``film`` to the graph ``denoiser``."""
    kept = {graph: list(layers) for graph, layers in FLOAT_LAYERS.items()}
    for text in given:
        graph, slash, layer = text.partition("/")
        if not slash or not layer:
            raise UsageError(f"--float {text}: give a graph and a layer, such as denoiser/film.")
        kept.setdefault(graph, []).append(layer)
    return kept


_FOLDER = click.Path(path_type=Path)


@click.command(help=(__doc__ or "").split(": ")[1], context_settings={"show_default": True})
@click.argument("graphs", type=_FOLDER)
@click.option("--calibration", type=_FOLDER, help="Folder with samples of every graph's inputs.")
@click.option("--soundfont", type=_FOLDER, required=True, help="An .sf2 with NAME-licence.txt beside it.")
@click.option(
    "--out", type=_FOLDER, required=True, help="Folder of the pack; replaces an earlier pack there."
)
@click.option("--precision", type=click.Choice(PRECISIONS), default="int8")
@click.option("--float", "kept", multiple=True, metavar="GRAPH/LAYER", help="Keep another layer in float.")
@click.option("--name", default="", help="Name of the pack; by default that of its folder.")
@click.option("--version", default="1", help="Version of the pack.")
@click.option("--metrics", type=_FOLDER, help="JSON file of reference metrics, copied into the pack.")
def main(
    graphs: Path,
    calibration: Path | None,
    soundfont: Path,
    out: Path,
    precision: str,
    kept: tuple[str, ...],
    name: str,
    version: str,
    metrics: Path | None,
) -> None:
    try:
        pack = build_pack(
            graphs, soundfont, out, calibration=calibration, precision=precision, stay_float=_by_graph(kept),
            name=name, version=version, metrics=metrics,
        )  # fmt: skip
    except BacklineError as error:
        raise click.ClickException(str(error)) from error
    size = sum(facts.bytes for facts in pack.manifest.files.values())
    click.echo(f"{pack.folder}: {len(pack.manifest.files)} files, {size / 1e6:.1f} MB, {pack.sha256}")


if __name__ == "__main__":
    main()
