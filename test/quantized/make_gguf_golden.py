#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes GgufGolden.h: blocks of every GGUF format and their values.

The values come from gguf.quants.dequantize (PyPI gguf), an implementation that
shares nothing with ours. Run in this folder: python3 make_gguf_golden.py
"""
import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, quants

NAMES = ["Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"]
# Byte offsets of the f16 fields of a block.
F16_FIELDS = {"Q4_1": [0, 2], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2],
              "Q6_K": [208]}


def lines(items, width):
    text = ""
    for start in range(0, len(items), width):
        text += "    " + ", ".join(items[start:start + width]) + ",\n"
    return text


def main():
    random = np.random.default_rng(20)
    out = open("GgufGolden.h", "w", encoding="utf-8")
    out.write("// Made by make_gguf_golden.py: one random block of each format "
              "and its values\n// (f32 bits) by PyPI gguf.\n"
              "#include <cstdint>\n\n#include \"llvm/ADT/ArrayRef.h\"\n\n"
              "struct GgufGolden {\n  const char *format;\n"
              "  llvm::ArrayRef<uint8_t> block;\n"
              "  llvm::ArrayRef<uint32_t> values;\n};\n\n")
    for name in NAMES:
        kind = GGMLQuantizationType[name]
        block = random.integers(0, 256, GGML_QUANT_SIZES[kind][1], np.uint8)
        for at in F16_FIELDS.get(name, [0]):
            scale = np.float16(random.standard_normal() * 0.02)
            block[at:at + 2] = np.frombuffer(scale.tobytes(), np.uint8)
        values = quants.dequantize(block.reshape(1, -1), kind).ravel()
        bits = values.astype(np.float32).view(np.uint32)
        out.write(f"static const uint8_t k{name}Block[] = {{\n")
        out.write(lines([f"{b}" for b in block], 12) + "};\n")
        out.write(f"static const uint32_t k{name}Values[] = {{\n")
        out.write(lines([f"0x{b:08x}" for b in bits], 6) + "};\n\n")
    out.write("static const GgufGolden kGgufGolden[] = {\n")
    for name in NAMES:
        out.write(f'    {{"{name.lower()}", k{name}Block, k{name}Values}},\n')
    out.write("};\n")


main()
