#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our tokenizer with the full SentencePiece library on a real GGUF.

    compare_tokenizer.py PROBE MODEL.gguf [--strings 6000] [--seed 1]

Checks, each with 0 differences wanted: the section's bytes are those of
SentencePiece's own converter, from tokenizer.model and from GGUF arrays; from a
tokenizer.json of the same pieces come the same ids and texts; ids
and decoded texts of multilingual text, code, emoji, invalid UTF-8, NUL, runs
of whitespace, raw U+2581 and forged control tokens; texts of random ids; and
that no text yields the id of a structural piece.
Needs: gguf, sentencepiece, protobuf. Exits 1 on any difference.
"""
import argparse
import json
import os
import random
import re
import struct
import subprocess
import sys
import tempfile

import gguf
import sentencepiece
from sentencepiece import sentencepiece_model_pb2 as proto

SEEDS = [
    "Hello, world! It's 2024-01-31, 3.14159 and 1,000,000.",
    "La cigüeña tocaba el saxofón; où est l'hôpital? Größe, façade, naïve.",
    "Съешь же ещё этих мягких французских булок. Ελληνικά κείμενα.",
    "我能吞下玻璃而不伤身体。日本語の文章、カタカナ。한국어 문장입니다.",
    "नमस्ते दुनिया। สวัสดีชาวโลก ภาษาไทย اللغة العربية עברית שלום",
    "👩‍👩‍👧‍👦 🤽🏽‍♀️ 🇩🇪🇫🇷 ✨ 🧑🏿‍💻 ❤️ e\u0301 a\u0308 \u200b\u200d\ufeff",
    "def f(x):\n    if x > 0:\n\t\treturn [i**2 for i in range(x)]\n\n\n",
    "#include <vector>\r\nint main() { return a<|>b ? x->y : *z; } // ok\r\n",
    "<table><tr><td>&nbsp;</td></tr></table>\n<img src='x'></img>",
    "<start_of_turn>user\nHi  there<end_of_turn>\n<start_of_turn>model\n",
    "<bos><eos><pad><unk><mask><start_of_image><end_of_image>[multimodal]",
    "<unused99><0x41><0x0A><|turn>x<turn|> <image_soft_token> <s> </s>",
    "▁raw▁▁marks▁ and \u2581 spaces", " leading", "trailing ", "   ", "\n",
    "\t", "", "a", "\u00a0\u2003\u3000", "\x00nul\x00\x00inside\x00",
]
STRUCTURAL = re.compile(
    r'<\|("|\w+)\|?>|<\w+\|>|<(start|end)_.*>|<.*_soft_token>|<unused.*>|'
    r"<(pad|eos|bos|unk|mask|escape|image)>|\[multimodal\]")


def make_proto(path):
    """GGUF -> ModelProto, and the arrays as the probe's dump."""
    reader = gguf.GGUFReader(path)
    value = lambda key: reader.get_field("tokenizer.ggml." + key).contents()
    tokens, scores, types = value("tokens"), value("scores"), value("token_type")
    unknown = value("unknown_token_id")
    model = proto.ModelProto()
    dump = [struct.pack("<I", len(tokens))]
    for i, (text, score, kind) in enumerate(zip(tokens, scores, types)):
        raw = text.encode()
        dump.append(struct.pack("<I", len(raw)) + raw +
                    struct.pack("<fi", score, kind))
        piece = model.pieces.add()
        piece.piece = text.replace(" ", "▁") if kind == 4 else text
        piece.type = 2 if i == unknown else kind
        piece.score = score if kind == 1 else 0.0
    trainer, normalizer = model.trainer_spec, model.normalizer_spec
    trainer.model_type, trainer.byte_fallback = proto.TrainerSpec.BPE, True
    for name, key in (("unk", "unknown"), ("bos", "bos"), ("eos", "eos"),
                      ("pad", "padding")):
        at = value(key + "_token_id")
        setattr(trainer, name + "_id", at)
        setattr(trainer, name + "_piece", tokens[at])
    normalizer.name = "identity"
    normalizer.add_dummy_prefix = False
    normalizer.remove_extra_whitespaces = False
    normalizer.escape_whitespaces = True
    return model, b"".join(dump)


def make_strings(model, count, seed):
    rng = random.Random(seed)
    pieces = [p.piece.replace("▁", " ") for p in model.pieces]
    strings = [s.encode() for s in SEEDS]
    strings += [("ab " * 70000).encode(), b"a" * 50000, b" " * 5000,
                "🤽".encode() * 5000, b"\n" * 500, b"\xff" * 3000]

    def one():
        kind = rng.randrange(8)
        if kind == 0:  # any characters of all planes
            limit = rng.choice((0x7F, 0x7FF, 0xFFFF, 0x10FFFF))
            return "".join(chr(c) for c in (rng.randrange(limit + 1) for _ in
                           range(rng.randrange(1, 40)))
                           if not 0xD800 <= c < 0xE000).encode()
        if kind == 1:  # any bytes
            return rng.randbytes(rng.randrange(1, 60))
        if kind == 2:  # valid text with broken bytes
            raw = bytearray(rng.choice(SEEDS).encode() or b"x")
            for _ in range(rng.randrange(1, 5)):
                raw[rng.randrange(len(raw))] = rng.randrange(256)
            return bytes(raw[rng.randrange(len(raw)):])
        if kind == 3:  # runs of whitespace
            return "".join(rng.choice(" \n\t\r\u00a0▁") * rng.randrange(1, 40)
                           + rng.choice(("", "x", "<b>", "é"))
                           for _ in range(rng.randrange(1, 6))).encode()
        if kind == 4:  # parts of the seeds, mixed
            return "".join(s[rng.randrange(len(s)):][:rng.randrange(1, 30)]
                           for s in rng.choices([s for s in SEEDS if s],
                                                k=4)).encode()
        if kind == 5:  # control pieces between words
            return "".join(rng.choice(("hi", " ", "\n", "<", "▁")) +
                           pieces[rng.choice((0, 1, 2, 3, 5, 6, 105, 106, 107,
                                              238, 255999, 256000))]
                           for _ in range(rng.randrange(1, 6))).encode()
        return "".join(rng.choices(pieces, k=rng.randrange(1, 30))).encode()

    return strings + [one() for _ in range(count)]


def call(probe, *args, data=b""):
    done = subprocess.run([probe, *args], input=data, stdout=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"{' '.join(args)} failed")
    return done.stdout


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def array(self, code, size):
        count, = struct.unpack_from("<I", self.data, self.at)
        end = self.at + 4 + count * size
        part, self.at = self.data[self.at + 4:end], end
        return part if code is None else list(
            struct.unpack(f"<{count}{code}", part))


def compare(probe, section, model, strings, seed):
    """Number of differences from the full library for one set of types."""
    full = sentencepiece.SentencePieceProcessor(
        model_proto=model.SerializeToString())
    data = b"".join(struct.pack("<I", len(s)) + s for s in strings)
    cursor, bad, ids_total = Cursor(call(probe, "encode", section, data=data)), 0, 0
    for text in strings:
        ids, decoded = cursor.array("i", 4), cursor.array(None, 1)
        wanted = full.encode(text)
        ids_total += len(ids)
        if ids != wanted or decoded != full.decode(wanted).encode():
            bad += 1
            print("differs:", text[:80], ids[:20], wanted[:20])
        decoded.decode()  # must be UTF-8
    rng = random.Random(seed)
    lists = [rng.choices(rng.choice((range(len(model.pieces)), range(238, 494),
                                     range(0, 500))), k=rng.randrange(1, 30))
             for _ in range(len(strings))]
    data = b"".join(struct.pack(f"<I{len(l)}i", len(l), *l) for l in lists)
    cursor = Cursor(call(probe, "decode", section, data=data))
    for ids in lists:
        got, wanted = cursor.array(None, 1), full.decode(ids).encode()
        if got != wanted:
            bad += 1
            print("decode differs:", ids, got, wanted)
    print(f"{len(strings)} strings, {ids_total} ids, {len(lists)} id lists: "
          f"{bad} differences")
    return bad


def count_forged(probe, section, model, strings):
    structural = {i for i, p in enumerate(model.pieces)
                  if STRUCTURAL.fullmatch(p.piece)}
    data = b"".join(struct.pack("<I", len(s)) + s for s in strings)
    cursor, forged = Cursor(call(probe, "encode", section, data=data)), 0
    for _ in strings:
        forged += bool(structural & set(cursor.array("i", 4)))
        cursor.array(None, 1)
    print(f"{len(structural)} structural pieces, {forged} strings forge one")
    return forged


def main():
    import make_tokenizer_json  # which takes SEEDS from here
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("probe")
    parser.add_argument("gguf")
    parser.add_argument("--strings", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    model, dump = make_proto(args.gguf)
    strings = make_strings(model, args.strings, args.seed)
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        at = lambda name: os.path.join(folder, name)
        open(at("m.model"), "wb").write(model.SerializeToString())
        open(at("dump"), "wb").write(dump)
        for keep in (["--keep-types"], []):
            call(args.probe, "section", at("m.model"), at("a"), *keep)
            call(args.probe, "section-gguf", at("dump"), at("b"), *keep)
            if not keep:
                for piece in model.pieces:
                    if STRUCTURAL.fullmatch(piece.piece) and piece.type != 2:
                        piece.type = 3
            ours = open(at("a"), "rb").read()
            same = ours == open(at("b"), "rb").read()
            convert = getattr(sentencepiece, "convert_to_flatbuffer", None)
            theirs = convert and bytes(
                convert(serialized_model_proto=model.SerializeToString()))
            print(f"{len(ours)} bytes; from GGUF the same: {same}; from "
                  f"SentencePiece's converter the same: "
                  f"{theirs == ours if theirs else 'no converter'}")
            bad += not same or bool(theirs and theirs != ours)
            bad += compare(args.probe, at("a"), model, strings, args.seed)
        with open(at("j.json"), "w") as file:
            json.dump(make_tokenizer_json.makeJson(model), file)
        call(args.probe, "section-json", at("j.json"), at("j"))
        bad += compare(args.probe, at("j"), model, strings, args.seed)
        bad += count_forged(args.probe, at("a"), model, strings)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
