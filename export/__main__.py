"""``python -m export CHECKPOINT --out DIR``: a checkpoint as OpenVINO graphs, compared with torch."""

from __future__ import annotations

from pathlib import Path

import click

from export.convert import ExportError, check_operations, operations, to_ir, to_onnx
from export.facts import all_facts, checkpoint_sha256, read_facts
from export.graphs import graphs_of
from export.parity import differences
from export.report import GRAPHS_NAME, Exported, copy_originals, write_graphs, write_report
from train.checkpoints.checkpoint import CheckpointError, load_checkpoint


def export(checkpoint: Path, out: Path) -> list[Exported]:
    """Export every graph of ``checkpoint`` into ``out``; ``graphs.json`` is written only if all agree.

    Raises:
        CheckpointError: the checkpoint is missing, damaged or inconsistent.
        ExportError: a graph's outputs differ from torch, or it has unexpected operations.
    """
    facts = read_facts(checkpoint)
    networks = load_checkpoint(checkpoint)
    out.mkdir(parents=True, exist_ok=True)
    (out / GRAPHS_NAME).unlink(missing_ok=True)
    exported = []
    for graph in graphs_of(networks, facts.latent_mean, facts.latent_std):
        onnx_path = out / f"{graph.name}.onnx"
        to_onnx(graph, onnx_path)
        ir_path = to_ir(graph, onnx_path)
        found = operations(ir_path)
        check_operations(graph, found)
        compared = differences(graph, (onnx_path, ir_path))
        exported.append(Exported(graph, onnx_path, ir_path, found, compared))
    write_report(out, exported)
    apart = [e.graph.name for e in exported if not e.agrees]
    if apart:
        raise ExportError(
            f"{', '.join(apart)}: differs from torch; see {out / 'export-report.md'} for how much"
        )
    beside = copy_originals(checkpoint, out)
    write_graphs(out, exported, beside, all_facts(checkpoint), checkpoint_sha256(checkpoint))
    return exported


@click.command(help=(__doc__ or "").split(": ")[1])
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the graphs.")
def main(checkpoint: Path, out: Path) -> None:
    try:
        exported = export(checkpoint, out)
    except (CheckpointError, ExportError) as error:
        raise click.ClickException(str(error)) from error
    for e in exported:
        worst = max(d.max_rel for d in e.differences)
        click.echo(f"{e.ir}: {e.graph.parameters:,} parameters, within {worst:.1e} of torch")


if __name__ == "__main__":
    main()
