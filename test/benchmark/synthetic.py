#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""synthetic.py: a GGUF file of a Gemma model's true shapes with random weights,
to measure speed and memory where the checkpoint itself is not at hand. gemmac
and llama.cpp both load it; its text means nothing. Streams to disk with some 130
MiB of memory; the same seed gives the same bytes. Matrices are Q4_0, the
embedding is Q6_K or, where its width is no multiple of 256, Q8_0, as
llama-quantize makes them. Shapes: the models' published configurations. Example:
  test/benchmark/synthetic.py gemma3-4b build/gemma3-4b.gguf"""
import argparse
import random
import struct
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Shape:
    architecture: str
    width: int
    ffn: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int
    theta: float
    more: dict = field(default_factory=dict)  # keys of the architecture
    head_dim: int = 256


SHAPES = {
    "gemma3-1b": Shape("gemma3", 1152, 6912, 26, 4, 1, 262144, 32768, 1e6,
                       {"attention.sliding_window": 512}),
    "gemma3-4b": Shape("gemma3", 2560, 10240, 34, 8, 4, 262144, 131072, 1e6,
                       {"attention.sliding_window": 1024,
                        "rope.scaling.type": "linear",
                        "rope.scaling.factor": 8.0}),
    "gemma-2b": Shape("gemma", 2048, 16384, 18, 8, 1, 256000, 8192, 1e4),
    "gemma2-2b": Shape("gemma2", 2304, 9216, 26, 8, 4, 256000, 8192, 1e4,
                       {"attention.sliding_window": 4096,
                        "attn_logit_softcapping": 50.0,
                        "final_logit_softcapping": 30.0}),
}
ALIGNMENT = 32
POOL_BYTES = 32 << 20


class Format:
    """A GGUF tensor type: `scales` are byte offsets in a block and the bytes
    there for weights whose deviation is given; all others are random."""

    def __init__(self, number, columns, size, scales):
        self.number, self.columns, self.size = number, columns, size
        self.scales = scales

    def bytes_of(self, rows, columns):
        assert columns % self.columns == 0
        return rows * columns // self.columns * self.size


def half(value):
    return struct.pack("<e", value)


# Codes are uniform, so their deviation is range / sqrt(12).
F32 = Format(0, 1, 4, lambda deviation: {})
Q4_0 = Format(2, 32, 18, lambda d: dict(enumerate(half(d / 4.61))))
Q8_0 = Format(8, 32, 34, lambda d: dict(enumerate(half(d / 73.9))))
Q6_K = Format(14, 256, 210, lambda d: {
    **dict.fromkeys(range(192, 208), 32),
    **dict(enumerate(half(d / (18.5 * 32)), 208))})


def tensors(shape):
    """(name, rows or None for a vector, columns, format), in file order."""
    width, heads = shape.width, shape.heads * shape.head_dim
    keys = shape.kv_heads * shape.head_dim
    embedding = Q6_K if width % 256 == 0 else Q8_0
    yield "token_embd.weight", shape.vocabulary, width, embedding
    yield "output_norm.weight", None, width, F32
    matrices = [("attn_q", heads, width), ("attn_k", keys, width),
                ("attn_v", keys, width), ("attn_output", width, heads),
                ("ffn_gate", shape.ffn, width), ("ffn_up", shape.ffn, width),
                ("ffn_down", width, shape.ffn)]
    norms = [("attn_norm", width), ("ffn_norm", width)]
    if shape.architecture != "gemma":
        norms += [("post_attention_norm", width), ("post_ffw_norm", width)]
    if shape.architecture == "gemma3":
        norms += [("attn_q_norm", shape.head_dim),
                  ("attn_k_norm", shape.head_dim)]
    for layer in range(shape.layers):
        for name, rows, columns in matrices:
            yield f"blk.{layer}.{name}.weight", rows, columns, Q4_0
        for name, columns in norms:
            yield f"blk.{layer}.{name}.weight", None, columns, F32


def vocabulary(size):
    """(pieces, scores, types): control pieces, bytes, ASCII and numbers."""
    control = ["<pad>", "<eos>", "<bos>"]
    pieces, types = control + ["<unk>"], [3, 3, 3, 2]
    pieces += [f"<0x{byte:02X}>" for byte in range(256)]
    types += [6] * 256
    pieces += [chr(code) for code in range(0x21, 0x7F)] + ["\u2581"]
    pieces += [f"\u2581{number}" for number in range(size - len(pieces))]
    pieces = pieces[:size]
    types = (types + [1] * size)[:size]
    scores = [0.0 if kind != 1 else -float(i) for i, kind in enumerate(types)]
    return pieces, scores, types


def text(value):
    value = value.encode()
    return struct.pack("<Q", len(value)) + value


# GGUF's type numbers.
def scalar(value):
    if isinstance(value, bool):
        return struct.pack("<IB", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    return struct.pack("<I", 8) + text(value)


def array(kind, values):
    head = struct.pack("<IIQ", 9, kind, len(values))
    if kind == 8:
        return head + b"".join(map(text, values))
    return head + struct.pack(f"<{len(values)}{'f' if kind == 6 else 'i'}",
                              *values)


def settings(name, shape):
    own = {"context_length": shape.context, "embedding_length": shape.width,
           "block_count": shape.layers, "feed_forward_length": shape.ffn,
           "attention.head_count": shape.heads,
           "attention.head_count_kv": shape.kv_heads,
           "attention.key_length": shape.head_dim,
           "attention.value_length": shape.head_dim,
           "attention.layer_norm_rms_epsilon": 1e-6,
           "rope.freq_base": shape.theta, **shape.more}
    pieces, scores, types = vocabulary(shape.vocabulary)
    return {
        "general.architecture": scalar(shape.architecture),
        "general.name": scalar(f"{name} of random weights"),
        "general.file_type": scalar(2),
        **{f"{shape.architecture}.{key}": scalar(value)
           for key, value in own.items()},
        "tokenizer.ggml.model": scalar("llama"),
        "tokenizer.ggml.pre": scalar("default"),
        "tokenizer.ggml.tokens": array(8, pieces),
        "tokenizer.ggml.scores": array(6, scores),
        "tokenizer.ggml.token_type": array(5, types),
        **{f"tokenizer.ggml.{key}_token_id": scalar(number) for key, number in
           (("padding", 0), ("eos", 1), ("bos", 2), ("unknown", 3))},
        "tokenizer.ggml.add_bos_token": scalar(True),
        "tokenizer.ggml.add_space_prefix": scalar(False),
    }


def write_matrix(file, pool, start, rows, columns, kind, deviation):
    """The pool's random bytes from `start` on, round and round, with scales in
    their places in each block."""
    left = kind.bytes_of(rows, columns)
    count = min(left, len(pool)) // kind.size
    chunk = bytearray(pool[start:start + count * kind.size])
    chunk += pool[:count * kind.size - len(chunk)]
    for offset, byte in kind.scales(deviation).items():
        chunk[offset::kind.size] = bytes([byte]) * count
    while left > 0:
        file.write(memoryview(chunk)[:left])
        left -= min(left, len(chunk))


def write(path, name, shape, seed):
    generator = random.Random(seed)
    pool = generator.randbytes(POOL_BYTES)
    entries = list(tensors(shape))
    keys = settings(name, shape)
    with open(path, "wb") as file:
        file.write(b"GGUF" + struct.pack("<IQQ", 3, len(entries), len(keys)))
        for key, value in keys.items():
            file.write(text(key) + value)
        offset = 0
        for title, rows, columns, kind in entries:
            sizes = [columns] if rows is None else [columns, rows]
            file.write(text(title) + struct.pack(
                f"<I{len(sizes)}QIQ", len(sizes), *sizes, kind.number, offset))
            size = kind.bytes_of(rows or 1, columns)
            offset += (size + ALIGNMENT - 1) // ALIGNMENT * ALIGNMENT
        for title, rows, columns, kind in entries:
            file.write(bytes(-file.tell() % ALIGNMENT))
            if rows is None:  # a gain, which GGUF stores whole: 1
                file.write(struct.pack(f"<{columns}f", *[1.0] * columns))
            else:
                # Products keep the deviation of what goes in.
                write_matrix(file, pool, generator.randrange(POOL_BYTES), rows,
                             columns, kind, columns ** -0.5)
        file.write(bytes(-file.tell() % ALIGNMENT))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", choices=SHAPES)
    parser.add_argument("output", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--layers", type=int, help="fewer, for a test")
    parser.add_argument("--vocabulary", type=int, help="smaller, for a test")
    flags = parser.parse_args()
    shape = SHAPES[flags.model]
    for key in ("layers", "vocabulary"):
        if getattr(flags, key) is not None:
            setattr(shape, key, getattr(flags, key))
    write(flags.output, flags.model, shape, flags.seed)


if __name__ == "__main__":
    main()
