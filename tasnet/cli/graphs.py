"""The commands on one graph: write it, translate it, predict its verdict, list its layers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tasnet.cli.options import (
    OK,
    WEIGHTS,
    AsJson,
    Compiled,
    Shapes,
    UsageError,
    of_onnx,
    readable,
    show,
    sizes,
    with_run_options,
    writable,
)
from tasnet.cli.safe_outputs import check_outputs_are_not_inputs, output_option
from tasnet.common import counted, open_regular, print_line, printable

if TYPE_CHECKING:
    from onnx import ModelProto

    from tasnet.suite.cases import Case
    from tasnet.suite.run import ModelFunction, RecipeWeights, RunOptions


@with_run_options(*WEIGHTS)
def export(
    options: RunOptions,
    case: Annotated[str, typer.Argument(metavar="CASE", help="an id, a run tag of the notes, or axis=value pairs")],
    output: Annotated[Path, output_option("FILE", "the ONNX file to write")],
    opset: Annotated[int, typer.Option(metavar="N", help="ONNX opset, 11 to 17")] = 13,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="draws the weights that no checkpoint gives")] = 0,
) -> int:
    """Write the ONNX file of a case.

    Example: tasnet export project-bypass-conv1x1_head-k1 -o m.onnx
    """
    from tasnet.suite.cases import parse_case

    meant = parse_case(case)
    writable(output)
    meant, model, trained = exported_case(options, meant, opset, seed)
    from tasnet.network import write_onnx
    from tasnet.suite.cases import case_function
    from tasnet.suite.run import note_case, told_function

    far = distance_of(meant, trained)
    note_case(model, meant, trained.form, si_sdr_db=far, of=Path(trained.name).name)
    write_onnx(model, output)
    print_line(f"{output}: {meant.id}, opset {opset}, {output.stat().st_size} bytes")
    told = told_function(case_function(meant, trained.form), far, trained.name)
    print_line(f"  function  {told}{' (these weights were drawn)' if trained.drawn else ''}")
    return OK


def distance_of(case: Case, trained: RecipeWeights) -> float | None:
    """SI-SDR in dB of a case to the network of its checkpoint; None for drawn weights, and where there is no wave."""
    if trained.drawn:
        return None
    from tasnet.suite.numerics import distance_to_trained

    return distance_to_trained(case, trained.weights, trained.form, mask_activation=trained.mask_activation)


def exported_case(
    options: RunOptions, meant: Case, opset: int = 13, seed: int = 0
) -> tuple[Case, ModelProto, RecipeWeights]:
    """A case's graph with the weights that the options mean, and the case at their size. What was assumed is said."""
    from dataclasses import replace

    recipe = options.recipe()
    # Only now: torch takes seconds to import.
    from tasnet.network import seeded_weights, to_onnx, with_drawn_heads
    from tasnet.suite.cases import check_blocks
    from tasnet.suite.run import RecipeWeights

    if recipe.checkpoint is None:
        given = RecipeWeights(seeded_weights(meant.size, seed), "relu", True, f"seed {seed}")
    else:
        from tasnet.network import load_checkpoint

        loaded = load_checkpoint(
            recipe.checkpoint, mask_activation=recipe.mask_activation, blocks_per_repeat=recipe.blocks_per_repeat
        )
        for line in loaded.assumed:
            print_line(f"note: {options.checkpoint}: {line}", error=True)
        meant = replace(meant, size=loaded.size)
        check_blocks(meant.variant, meant.size)
        weights = with_drawn_heads(loaded.weights, meant.size, seed)
        given = RecipeWeights(weights, loaded.mask_activation, False, str(options.checkpoint), loaded.form)
    form = (meant.variant, meant.size, given.weights, meant.length)
    return meant, to_onnx(*form, opset=opset, mask_activation=given.mask_activation), given


def translate(
    source: Annotated[Path, typer.Argument(metavar="MODEL.onnx", help="the ONNX file")],
    output: Annotated[Path, output_option("FILE", "the HAR to write")],
    name: Annotated[
        str | None, typer.Option(metavar="NET", help="the network's name in the HAR (default: MODEL)")
    ] = None,
    shape: Shapes = None,
) -> int:
    """Write the HAR of an ONNX file, by the embedded translator.

    Example: tasnet translate m.onnx -o m.har
    """
    from tasnet.hailo.files import har
    from tasnet.hailo.translate import external_files
    from tasnet.hailo.translate import translate as to_network

    writable(output)
    network = to_network(readable(source, "an .onnx"), name or source.stem, sizes(shape))
    if output.exists():
        check_outputs_are_not_inputs([output], external_files(source))
    har.write(network, output)
    print_line(
        f"{output}: {network.name}, {counted(len(network.layers), 'layer')} (by the embedded translator: predicted)"
    )
    for each in network.assumptions:
        print_line(f"  assumed: {printable(each.text)}")
    print_line(f"  function  {printable(function_of(source).text)}")
    return OK


def function_of(source: Path) -> ModelFunction:
    """What a graph's file, which was read, says that it is: of a case, the trained network's function or another."""
    from tasnet.hailo.predict import is_onnx
    from tasnet.suite.run import ModelFunction, function_of_file

    if not is_onnx(source):
        return ModelFunction.unknown("a HAR doesn't say which case it is")
    return function_of_file(source)


def inspect(source: Compiled, as_json: AsJson = False, shape: Shapes = None) -> int:
    """List the layers of a graph, or what is in a compiled file.

    Of a graph: type, shapes (H x W x C), weights, MACs, operations, elements of a row in and out. Of a compiled file:
    architecture, SDK, contexts, inputs and outputs with shapes and quantization.

    Example: tasnet inspect m.har
    """
    from tasnet.cli import hef_lines
    from tasnet.hailo.files import network_json, network_lines, read_hef
    from tasnet.hailo.predict import read_network

    with open_regular(source, most=sys.maxsize, what="an .onnx, a .har or a .hef", error=UsageError) as file:
        compiled = hef_lines.is_hef(file.read(4) or b"") or source.suffix == ".hef"
    if compiled:
        read = read_hef(source)
        show(hef_lines.as_json(read) if as_json else hef_lines.lines(read))
    else:
        network = read_network(of_onnx(source, shape), sizes(shape))
        show(network_json(network) if as_json else network_lines(network))
    return OK
