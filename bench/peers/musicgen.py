"""Times MusicGen (arXiv 2306.05284) by its public architecture: ``python -m bench.peers.musicgen
small|large``.

No weights are downloaded: all parameters hold the same small number, since dense arithmetic takes equally
long with any values. It runs text encoder, decoder with guidance (two sequences at once, the published
default) and EnCodec in FP32, by ``transformers``. It generates two short pieces and extrapolates to 30 s.
"""

from __future__ import annotations

import sys
import time
from typing import Any
from unittest import mock

from bench.extrapolate import through
from bench.peers.timing import cores, exit_without, print_row

TOKENS_PER_S = 50
AUDIO_S = 30.0
"""The longest piece that MusicGen generates in one window."""

SIZES = {
    "small": {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "ffn_dim": 4096},
    "large": {"hidden_size": 2048, "num_hidden_layers": 48, "num_attention_heads": 32, "ffn_dim": 8192},
}
FEW, MORE = {"small": 10, "large": 6}, {"small": 40, "large": 14}
"""Tokens of the two pieces, by size."""


def model_of(size: str) -> Any:
    """The network of one published size, with all parameters equal."""
    import torch
    from transformers import EncodecConfig, MusicgenConfig, MusicgenForConditionalGeneration, T5Config
    from transformers.modeling_utils import PreTrainedModel
    from transformers.models.musicgen import MusicgenDecoderConfig

    text = T5Config(d_model=768, d_kv=64, d_ff=3072, num_layers=12, num_heads=12)
    audio = EncodecConfig(
        target_bandwidths=[2.2], sampling_rate=32_000, audio_channels=1, upsampling_ratios=[8, 5, 4, 4],
        num_filters=64, hidden_size=128, codebook_size=2048, codebook_dim=128, use_causal_conv=False,
        chunk_length_s=None, overlap=None, normalize=False,
    )  # fmt: skip
    config = MusicgenConfig.from_sub_models_config(text, audio, MusicgenDecoderConfig(**SIZES[size]))
    with (
        mock.patch.object(PreTrainedModel, "init_weights", lambda self: None),
        mock.patch.object(torch.nn.init, "kaiming_uniform_", lambda tensor, *_, **__: tensor),
        mock.patch.object(torch.nn.init, "normal_", lambda tensor, *_, **__: tensor),
    ):
        model = MusicgenForConditionalGeneration(config).eval()
    for parameter in model.parameters():
        parameter.data.fill_(0.01)
    start = {"decoder_start_token_id": 2048, "bos_token_id": 2048, "pad_token_id": 2048}
    model.generation_config.update(**start, guidance_scale=3.0, do_sample=True)
    return model


def main() -> None:
    """Time two pieces, extrapolate and print the row."""
    try:
        import torch
        import transformers
    except ImportError as error:
        exit_without("torch" if error.name == "torch" else "transformers")
    torch.set_num_threads(cores())
    size = sys.argv[1]
    few, more = FEW[size], MORE[size]
    model = model_of(size)
    words = torch.ones((1, 12), dtype=torch.long)

    def seconds(tokens: int) -> float:
        began = time.perf_counter()
        # Three more steps than tokens, because the four codebooks are generated one step apart.
        model.generate(input_ids=words, max_new_tokens=tokens + 3)
        return time.perf_counter() - began

    with torch.inference_mode():
        seconds(2)
        line = through(few, seconds(few), more, seconds(more))
    how = f"extrapolated from {few} and {more} of {AUDIO_S * TOKENS_PER_S:.0f} steps (30 s of music);"
    print_row(
        line.at(AUDIO_S * TOKENS_PER_S), AUDIO_S, f"{how} transformers {transformers.__version__}, FP32"
    )


if __name__ == "__main__":
    main()
