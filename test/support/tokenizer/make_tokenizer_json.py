#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One small vocabulary as tokenizer.model and tokenizer.json, and what the
tokenizers library makes of samples: fixtures of TokenizerJsonTest.

    make_tokenizer_json.py OUT_DIR

SentencePiece trains a byte-pair model with Gemma's settings on the strings of
compare_tokenizer.py; its pieces and the merges that follow from them become a
tokenizer.json as Gemma's are (here with a piece of no merge behind the rest,
as Gemma 3's image token). samples.json: [{"text", "ids",
"decoded"}].
Needs: sentencepiece, protobuf, tokenizers. Gives the same bytes again.
"""
import io
import json
import os
import sys

import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2 as proto

from compare_tokenizer import SEEDS

VOCABULARY = 900
# Matched in text before any merge: runs of whitespace and tags.
USER_DEFINED = (["<mask>", "<start_of_turn>", "<end_of_turn>"] +
                ["\n" * n for n in range(1, 6)] +
                ["▁" * n for n in range(2, 6)] +
                ["<table>", "</table>", "<td>", "</td>"])
SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>",
           "<end_of_turn>", "<image_soft_token>")
SAMPLES = [
    "Hello, world!", "hello  hello   hello", " leading and trailing ",
    "digits 2024-01-31 and 1,000,000", "naïve façade Größe",
    "Съешь же ещё этих мягких французских булок", "我能吞下玻璃而不伤身体。",
    "unseen: ☃ 🦊 ꙮ", "\n", "\n\n\n", "a\n\nb\n\n\n\n\n\n\nc", "\t tab\r\n",
    "<table><td>x</td></table>", "<tab le>", "def f(x):\n    return x\n",
    "", " ", "     ", "▁raw▁▁marks▁", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "नमस्ते दुनिया। สวัสดี العربية", "👩‍👩‍👧‍👦 e\u0301 \u200b\ufeff",
    "<0x41> is text", "#include <vector>\nint main() { return 0; }",
]


def trainModel():
    corpus = [text.replace("\t", " ") for text in SEEDS
              if "\0" not in text] * 4
    stream = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(corpus), model_writer=stream, model_type="bpe",
        vocab_size=VOCABULARY, byte_fallback=True, add_dummy_prefix=False,
        remove_extra_whitespaces=False, normalization_rule_name="identity",
        split_digits=True, split_by_whitespace=False,
        allow_whitespace_only_pieces=True, character_coverage=1.0,
        hard_vocab_limit=False, user_defined_symbols=USER_DEFINED,
        pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>",
        eos_piece="<eos>", bos_piece="<bos>", unk_piece="<unk>",
        num_threads=1, minloglevel=2)
    model = proto.ModelProto.FromString(stream.getvalue())
    piece = model.pieces.add()
    piece.piece, piece.score, piece.type = "<image_soft_token>", 0, 3
    return model


def vocabularyOf(model):
    """As published: a tab without a piece of its own stands for its byte's; a
    token that was added later is not in it."""
    ids = {piece.piece: i for i, piece in enumerate(model.pieces)
           if piece.piece != "<image_soft_token>"}
    if "\t" not in ids:
        ids["\t"] = ids.pop("<0x09>")
    return ids


def mergesOf(model, ids):
    """Every pair of pieces whose union is one, best union first, in the order
    of transformers' convert_slow_tokenizer.py (generate_merges)."""
    merges = []
    for piece in model.pieces:
        text = piece.piece
        pairs = [(text[:cut], text[cut:]) for cut in range(1, len(text))]
        pairs = [pair for pair in pairs if all(part in ids for part in pair)]
        pairs.sort(key=lambda pair: (ids[pair[0]], ids[pair[1]]))
        merges += [(piece.score, *pair) for pair in pairs]
    merges.sort(key=lambda m: (m[0], len(m[1]), len(m[2])), reverse=True)
    return [[left, right] for _, left, right in merges]


def makeJson(model):
    """tokenizer.json's object; compare_tokenizer.py makes the real one's."""
    vocabulary = vocabularyOf(model)
    added = [{"id": i, "content": piece.piece, "single_word": False,
              "lstrip": False, "rstrip": False, "normalized": False,
              "special": piece.piece in SPECIAL}
             for i, piece in enumerate(model.pieces)
             if piece.piece in SPECIAL or piece.type == 4]
    space = {"String": " "}
    return {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": space, "content": "▁"},
        "pre_tokenizer": {"type": "Split", "pattern": space,
                          "behavior": "MergedWithPrevious", "invert": False},
        "post_processor": None,
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"}]},
        "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>",
                  "continuing_subword_prefix": None,
                  "end_of_word_suffix": None, "fuse_unk": True,
                  "byte_fallback": True, "ignore_merges": False,
                  "vocab": vocabulary,
                  "merges": mergesOf(model, vocabulary)}}


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text + "\n")


def main():
    out = sys.argv[1]
    os.makedirs(out, exist_ok=True)
    model = trainModel()
    with open(os.path.join(out, "tokenizer.model"), "wb") as file:
        file.write(model.SerializeToString(deterministic=True))
    text = json.dumps(makeJson(model), ensure_ascii=False, indent=None)
    write(os.path.join(out, "tokenizer.json"), text)
    judge = tokenizers.Tokenizer.from_str(text)
    full = sentencepiece.SentencePieceProcessor(
        model_proto=model.SerializeToString())
    samples = []
    for sample in SAMPLES + [s for s in SEEDS if "\0" not in s]:
        if any(special in sample for special in SPECIAL):
            continue  # the library takes what a user typed for a control token
        ids = judge.encode(sample, add_special_tokens=False).ids
        if ids != full.encode(sample):
            print("the libraries differ:", repr(sample))
        samples.append({"text": sample, "ids": ids,
                        "decoded": judge.decode(ids)})
    write(os.path.join(out, "samples.json"),
          json.dumps(samples, ensure_ascii=False, indent=0))
    print(f"{out}: {len(model.pieces)} pieces, {len(samples)} samples")


if __name__ == "__main__":
    main()
