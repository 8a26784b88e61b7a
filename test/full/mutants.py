# SPDX-License-Identifier: Apache-2.0
"""Wrong checkpoints, made from the right ones of test/end-to-end/fixtures: the
same ones every time, each by its name. Input: nothing. Output: mutants() yields
(name, make), where make(folder) writes the files and returns the checkpoint's
path. Knows the files' formats and nothing of who reads them."""
import json
import os
import random
import re
import struct
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "end-to-end" / "fixtures"
TOKENIZER = ROOT / "importer" / "tokenizer" / "json"

HOSTILE = [0, 1, 2, 3, 7, 31, 33, 127, 128, 255, 256, 0x7FFF, 0xFFFF, 0x10000,
           2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**62, 2**63 - 1,
           2**63, 2**64 - 1, 2**64 - 8, 2**64 - 32]
JSON_VALUES = [
    "0", "-1", "1", "1.5", "-0", "1e999", "-1e999", "1e-999", "NaN", "Infinity",
    "2147483648", "4294967296", "9223372036854775807", "9223372036854775808",
    "18446744073709551616", "1" + "0" * 400, "true", "false", "null", '""',
    '"x"', '"' + "y" * 5000 + '"', '"\\u0000"', '"\\ud800"', '"\\u001b[31m"',
    '"\x1b[31m"', '"../../etc/passwd"', "[]", "{}", "[[]]", "[1,2,3]",
    "[" * 500 + "]" * 500, '{"a":' * 500 + "1" + "}" * 500, "[" * 200000,
    '[null,true,"x",{}]', "'x'", "01", ".5", "/*x*/1", "[1,]", '{"a":1,"a":2}',
    "-9223372036854775809", "16777217", "1048577", "4194305"]


def copy_to(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)


def fixture(name):
    """The files that a checkpoint has, without what tests expect of it."""
    skip = {"greedy.json", "tokens.json", "logits.npy"}
    return {path.name: path.read_bytes()
            for path in sorted((FIXTURES / name).iterdir())
            if path.name not in skip}


# --- safetensors -----------------------------------------------------------

def split_safetensors(data):
    size = struct.unpack("<Q", data[:8])[0]
    return data[8:8 + size], data[8 + size:]


def join_safetensors(header, data):
    if isinstance(header, dict):
        header = json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data


def with_tokenizer(files):
    """The checkpoint with as many rows of embedding as the tokenizer needs."""
    files = dict(files)
    rows = len(json.loads((TOKENIZER / "tokenizer.json").read_text())
               ["model"]["vocab"]) + 8
    raw, data = split_safetensors(files["model.safetensors"])
    header = json.loads(raw)
    name = next(n for n in header if n.endswith("embed_tokens.weight"))
    result = b""
    for key, entry in header.items():
        if key == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        part = data[begin:end]
        if key == name:
            width = (end - begin) // entry["shape"][0]
            entry["shape"][0] = rows
            part = (part * (rows * width // len(part) + 1))[:rows * width]
        entry["data_offsets"] = [len(result), len(result) + len(part)]
        result += part
    config = json.loads(files["config.json"])
    config["vocab_size"] = rows
    files["config.json"] = json.dumps(config, indent=1).encode()
    files["model.safetensors"] = join_safetensors(header, result)
    files["generation_config.json"] = json.dumps(
        {"do_sample": True, "temperature": 0.7, "top_k": 64, "top_p": 0.95,
         "eos_token_id": [1, 106], "bos_token_id": 2,
         "suppress_tokens": [5, 6]}).encode()
    files["tokenizer_config.json"] = json.dumps(
        {"bos_token": "<bos>", "eos_token": {"content": "<eos>"},
         "add_bos_token": True, "chat_template":
         "{{ bos_token }}<start_of_turn>user\n"}).encode()
    for kind in ("tokenizer.model", "tokenizer.json"):
        files[kind] = (TOKENIZER / kind).read_bytes()
    return files


# --- gguf ------------------------------------------------------------------

SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f",
           7: "<B", 10: "<Q", 11: "<q", 12: "<d"}


class Gguf:
    """A file in its parts; fields() also tells where each number stands."""

    def __init__(self, data):
        self.at, self.bytes = 0, data
        magic, self.version = self.take("<4s"), self.take("<I")
        assert magic == b"GGUF"
        tensors, values = self.take("<Q"), self.take("<Q")
        self.values = [self.value() for _ in range(values)]
        self.tensors = []
        for _ in range(tensors):
            name = self.string()
            dims = [self.take("<Q") for _ in range(self.take("<I"))]
            self.tensors.append([name, dims, self.take("<I"), self.take("<Q")])
        self.data = data[(self.at + 31) // 32 * 32:]

    def take(self, form):
        size = struct.calcsize(form)
        self.at += size
        return struct.unpack(form, self.bytes[self.at - size:self.at])[0]

    def string(self):
        size = self.take("<Q")
        self.at += size
        return self.bytes[self.at - size:self.at]

    def value(self):
        key, kind, start = self.string(), self.take("<I"), self.at
        if kind == 8:
            self.string()
        elif kind == 9:
            element, count = self.take("<I"), self.take("<Q")
            for _ in range(count):
                self.string() if element == 8 else self.take(SCALARS[element])
        else:
            self.take(SCALARS[kind])
        return [key, kind, self.bytes[start:self.at]]

    def put(self, key, form, value):
        kinds = {form: kind for kind, form in SCALARS.items() if kind != 7}
        if form == "s":
            value = value if isinstance(value, bytes) else value.encode()
            raw, kind = struct.pack("<Q", len(value)) + value, 8
        else:
            raw, kind = struct.pack(form, value), kinds[form]
        self.values = [v for v in self.values if v[0] != key.encode()]
        self.values.append([key.encode(), kind, raw])
        return self

    def put_array(self, key, element, entries):
        if element == 8:
            raw = b"".join(struct.pack("<Q", len(e)) + e for e in entries)
        else:
            raw = b"".join(struct.pack(SCALARS[element], e) for e in entries)
        head = struct.pack("<IQ", element, len(entries))
        self.values = [v for v in self.values if v[0] != key.encode()]
        self.values.append([key.encode(), 9, head + raw])
        return self

    def write(self):
        """(bytes, [(offset, size) of every number of the table])"""
        out, fields = bytearray(), []

        def number(form, value):
            fields.append((len(out), struct.calcsize(form)))
            out.extend(struct.pack(form, value))

        def string(text):
            number("<Q", len(text))
            out.extend(text)

        out.extend(b"GGUF")
        number("<I", self.version)
        number("<Q", len(self.tensors))
        number("<Q", len(self.values))
        for key, kind, raw in self.values:
            string(key)
            number("<I", kind)
            if kind == 9:
                fields.extend([(len(out), 4), (len(out) + 4, 8),
                               (len(out) + 12, 8)])
            elif kind == 8:
                fields.append((len(out), 8))
            else:
                fields.append((len(out), len(raw)))
            out.extend(raw)
        for name, dims, kind, offset in self.tensors:
            string(name)
            number("<I", len(dims))
            for dim in dims:
                number("<Q", dim)
            number("<I", kind)
            number("<Q", offset)
        head = len(out)
        out.extend(b"\0" * (-head % 32))
        return bytes(out) + self.data, fields, head


def gguf_with_tokenizer():
    """gguf-mixed has too few rows: the tokens are those of its vocabulary."""
    gguf = Gguf(fixture("gguf-mixed")["model.gguf"])
    rows = next(t for t in gguf.tensors if t[0] == b"token_embd.weight")[1][1]
    vocabulary = json.loads((TOKENIZER / "tokenizer.json").read_text())["model"]
    pieces = sorted(vocabulary["vocab"], key=vocabulary["vocab"].get)
    pieces = [p.encode() for p in pieces]
    special = [b"<pad>", b"<eos>", b"<bos>", b"<unk>"]
    special += [b"<0x%02X>" % i for i in range(256)]
    pieces = special + [p for p in pieces if p not in special]
    kinds = [3, 3, 3, 2] + [6 if re.fullmatch(rb"<0x..>", p) else 1
                            for p in pieces[4:]]
    assert rows >= 4, rows
    if rows < len(pieces):  # rows of another width: grow the matrix
        table = next(t for t in gguf.tensors if t[0] == b"token_embd.weight")
        offsets = sorted(t[3] for t in gguf.tensors) + [len(gguf.data)]
        end = offsets[offsets.index(table[3]) + 1]
        part = gguf.data[table[3]:end]
        size = len(part) // rows * len(pieces)
        table[1][1], table[3] = len(pieces), (len(gguf.data) + 31) // 32 * 32
        gguf.data += b"\0" * (-len(gguf.data) % 32)
        gguf.data += (part * (size // len(part) + 1))[:size]
    gguf.put("tokenizer.ggml.model", "s", "llama")
    gguf.put_array("tokenizer.ggml.tokens", 8, pieces)
    gguf.put_array("tokenizer.ggml.scores", 6,
                   [-float(i) for i in range(len(pieces))])
    gguf.put_array("tokenizer.ggml.token_type", 5, kinds)
    for key, value in (("bos", 2), ("eos", 1), ("unknown", 3), ("padding", 0)):
        gguf.put(f"tokenizer.ggml.{key}_token_id", "<I", value)
    return gguf.write()[0]


# --- mutations of bytes ----------------------------------------------------

def flip(rng, data, start, end, times):
    data = bytearray(data)
    for _ in range(times):
        data[rng.randrange(start, end)] ^= 1 << rng.randrange(8)
    return bytes(data)


def overwrite(data, at, size, value):
    return data[:at] + (value % 256**size).to_bytes(size, "little") + \
        data[at + size:]


def json_literal(rng, text):
    """One value or key of the document replaced, removed or doubled."""
    spans = [m.span() for m in re.finditer(
        r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[\[\]{},:]', text)]
    begin, end = rng.choice(spans)
    how = rng.randrange(8)
    if how == 0:
        return text[:begin] + text[end:]
    if how == 1:
        return text[:begin] + text[begin:end] * 2 + text[end:]
    if how == 2:
        other = rng.choice(spans)
        return text[:begin] + text[slice(*other)] + text[end:]
    return text[:begin] + rng.choice(JSON_VALUES) + text[end:]


def json_value(rng, text):
    """A hostile value under a right key: what a parser alone lets pass."""
    spans = [m.span(1) for m in re.finditer(
        r':\s*("(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null)', text)]
    begin, end = rng.choice(spans)
    return text[:begin] + rng.choice(JSON_VALUES) + text[end:]


def json_bytes(rng, data):
    text = data.decode("utf-8", "surrogateescape")
    for _ in range(rng.choice([1, 1, 1, 2])):
        change = rng.choice([json_literal, json_value, json_value])
        text = change(rng, text)
    return text.encode("utf-8", "surrogateescape")


def any_bytes(rng, data):
    how = rng.randrange(4)
    if how == 0:
        return data[:rng.randrange(len(data))]
    if how == 1:
        return flip(rng, data, 0, len(data), rng.choice([1, 1, 4, 64]))
    begin = rng.randrange(len(data))
    end = min(len(data), begin + rng.choice([1, 8, 100]))
    if how == 2:
        return data[:begin] + data[end:]
    return data[:begin] + rng.randbytes(end - begin) + data[end:]


# --- the mutants -----------------------------------------------------------

def gguf_bytes(rng, data):
    gguf = Gguf(data)
    data, fields, head = gguf.write()
    how = rng.randrange(10)
    if how == 0:
        return data[:rng.randrange(head)]
    if how == 1:
        return data[:rng.randrange(len(data))]
    if how <= 3:
        return flip(rng, data, 4, head, rng.choice([1, 1, 2, 8]))
    if how == 4:  # weights: any bits are weights
        return flip(rng, data, head, len(data), 400)
    at, size = rng.choice(fields)
    if how == 5:  # near the right value
        right = int.from_bytes(data[at:at + size], "little")
        return overwrite(data, at, size, right + rng.choice([-1, 1, 32, -32]))
    return overwrite(data, at, size, rng.choice(HOSTILE))


def gguf_values(rng, data):
    """A whole table with one key or tensor that says something else."""
    gguf = Gguf(data)
    how = rng.randrange(6)
    if how == 0:
        key = rng.choice(gguf.values)[0].decode()
        form = rng.choice(["<I", "<i", "<Q", "<f", "<d", "s"])
        value = rng.choice(HOSTILE)
        if form == "<f" or form == "<d":
            value = rng.choice([0.0, -1.0, float("nan"), float("inf"), 1e-38,
                                3e38, -0.0, 1.5])
        elif form == "s":
            value = rng.choice(["", "x" * 70000, "gemma", "\x1b[2J", "\0"])
        else:
            value &= 256**struct.calcsize(form) // 2 - 1
            value = -value if form == "<i" and rng.random() < 0.5 else value
        gguf.put(key, form, value)
    elif how == 1:
        gguf.values.remove(rng.choice(gguf.values))
    elif how == 2:
        gguf.values.append(list(rng.choice(gguf.values)))
    else:
        tensor = rng.choice(gguf.tensors)
        other = rng.choice(gguf.tensors)
        changes = [
            lambda: gguf.tensors.remove(tensor),
            lambda: gguf.tensors.append(list(tensor)),
            lambda: tensor.__setitem__(1, other[1]),
            lambda: tensor.__setitem__(1, tensor[1] + [1]),
            lambda: tensor.__setitem__(1, [2**32, 2**32]),
            lambda: tensor.__setitem__(1, [1] * 5),
            lambda: tensor.__setitem__(2, other[2]),
            lambda: tensor.__setitem__(2, rng.randrange(45)),
            lambda: tensor.__setitem__(3, other[3]),
            lambda: tensor.__setitem__(3, rng.choice(HOSTILE)),
            lambda: tensor.__setitem__(0, other[0]),
            lambda: tensor.__setitem__(0, rng.choice(
                [b"", b"x" * 300, b"\x1b[2J", b"blk.9999.attn_q.weight", b"\0",
                 b"blk.-1.attn_q.weight", b"output.weight",
                 b"blk.99999999999999999999.attn_q.weight"])),
        ]
        rng.choice(changes)()
    return gguf.write()[0]


def gguf_vocabulary(rng, data):
    gguf = Gguf(data)
    value = next(v for v in gguf.values if v[0] == b"tokenizer.ggml.tokens")
    count = struct.unpack("<Q", value[2][4:12])[0]
    tokens, at = [], 12
    for _ in range(count):
        size = struct.unpack("<Q", value[2][at:at + 8])[0]
        tokens.append(value[2][at + 8:at + 8 + size])
        at += 8 + size
    pick = rng.randrange(count)
    prefix = "tokenizer.ggml."
    nan = float("nan")
    changes = [
        lambda: tokens.__setitem__(pick, rng.choice(
            [b"", b"\xff\xfe", b"\xe2\x96", b"x" * 5000, b"a\0b", b"<eos>",
             tokens[0], b"\xed\xa0\x80", b"<0x00>", b" ",
             b"\xf4\x90\x80\x80"])),
        lambda: tokens.pop(pick),
        lambda: tokens.clear(),
        lambda: tokens.append(b"one more"),
        lambda: gguf.put_array(prefix + "scores", 6, rng.choice(
            [[nan] * count, [0.0] * count, [float("inf")] * count, [],
             [3e38 * (-1)**i for i in range(count)], [0.0] * (count - 1)])),
        lambda: gguf.put_array(prefix + "token_type", 5, rng.choice(
            [[0] * count, [6] * count, [2] * count, [-2**31] * count, [],
             [rng.randrange(1, 7) for _ in range(count)], [4] * count])),
        lambda: gguf.put_array(prefix + "token_type", 6, [1e9] * count),
        lambda: gguf.put_array(prefix + "scores", 8, [b"1"] * count),
        lambda: gguf.put_array(prefix + "merges", 8, rng.choice(
            [[b"a b"], [b""], [b" "], [b"a b c"], [b"ab"] * 1000])),
        lambda: gguf.put(prefix + rng.choice(
            ["bos", "eos", "unknown", "padding", "eot", "eom"]) + "_token_id",
            "<Q", rng.choice(HOSTILE)),
        lambda: gguf.put(prefix + "model", "s", rng.choice(
            ["gemma4", "gpt2", "", "\x1b"])),
        lambda: gguf.put("tokenizer.chat_template", "s", rng.choice(
            ["{{", "<start_of_turn>" * 9999, b"\xff", "{% set x = 1 %}"])),
    ]
    rng.choice(changes)()
    gguf.put_array(prefix + "tokens", 8, tokens)
    if rng.random() < 0.3:
        return gguf_bytes(rng, gguf.write()[0])
    return gguf.write()[0]


def safetensors_bytes(rng, data):
    raw, weights = split_safetensors(data)
    how = rng.randrange(10)
    if how == 0:
        return data[:rng.randrange(8 + len(raw))]
    if how == 1:
        return data[:rng.randrange(len(data))] + b"x" * rng.randrange(2)
    if how == 2:
        return overwrite(data, 0, 8, rng.choice(
            HOSTILE + [len(raw) - 1, len(raw) + 1, len(data)]))
    if how == 3:
        return flip(rng, data, 8, 8 + len(raw), rng.choice([1, 1, 3]))
    if how == 4:
        return flip(rng, data, 8 + len(raw), len(data), 400)
    if how <= 6:
        return join_safetensors(json_bytes(rng, raw), weights)
    return join_safetensors(*safetensors_entries(rng, json.loads(raw), weights))


def safetensors_entries(rng, header, weights):
    names = [name for name in header if name != "__metadata__"]
    name, other = rng.choice(names), rng.choice(names)
    entry = header[name]
    big = rng.choice(HOSTILE)
    changes = [
        lambda: entry.update(dtype=rng.choice(
            ["F32", "F16", "BF16", "I8", "BOOL", "F8_E4M3", "F64", "f32", ""])),
        lambda: entry.update(shape=header[other]["shape"]),
        lambda: entry.update(shape=entry["shape"] + [1]),
        lambda: entry.update(shape=[big, big]),
        lambda: entry.update(shape=[0], data_offsets=[0, 0]),
        lambda: entry.update(shape=[1] * rng.choice([5, 9, 5000])),
        lambda: entry.update(data_offsets=header[other]["data_offsets"]),
        lambda: entry.update(data_offsets=[big, big]),
        lambda: entry.update(data_offsets=[0, big]),
        lambda: entry.update(data_offsets=entry["data_offsets"][::-1]),
        lambda: entry.update(data_offsets=[
            o + rng.choice([-2, 2, 4]) for o in entry["data_offsets"]]),
        lambda: header.pop(name),
        lambda: header.update({rng.choice(
            ["x\x1b[2J", "", "y" * 10000, "model.layers.9.mlp.up_proj.weight",
             "model.layers.-1.x", "lm_head.weight"]): header.pop(name)}),
        lambda: header.update({"__metadata__": {"format": "\x1b]0;x\x07"}}),
        lambda: header.update({f"t{i}": {"dtype": "F32", "shape": [0],
                                         "data_offsets": [0, 0]}
                               for i in range(20000)}),
    ]
    rng.choice(changes)()
    return header, weights


def index_bytes(rng, data):
    index = json.loads(data)
    names = list(index["weight_map"])
    if rng.random() < 0.3:
        return json_bytes(rng, data)
    wrong = rng.choice(
        ["../model.safetensors", "/etc/passwd", "/dev/zero.safetensors", "",
         "a/../../x.safetensors", ".safetensors", "x\0.safetensors", "..",
         "model-00001-of-00004.safetensors/", "config.json", "\\x.safetensors",
         "folder.safetensors", "pipe.safetensors", "loop.safetensors",
         "~/.safetensors", "\x1b[2J.safetensors", "n" * 300 + ".safetensors"])
    for name in rng.sample(names, rng.choice([1, 1, len(names)])):
        index["weight_map"][name] = wrong
    if rng.random() < 0.1:
        index["weight_map"] = {f"t{i}": f"s{i}.safetensors"
                               for i in range(5000)}
    return json.dumps(index).encode()


def special_files(folder):
    (folder / "folder.safetensors").mkdir()
    os.mkfifo(folder / "pipe.safetensors")
    (folder / "loop.safetensors").symlink_to("loop.safetensors")


def file_kinds():
    """What stands under a right name but is no file of the right kind."""
    base = fixture("bf16")
    sizes = [0, 1, 17 << 20, 1 << 33, 1 << 42]

    def replace(folder, name, kind):
        copy_to(folder, base)
        path = folder / name
        path.unlink(missing_ok=True)
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        elif kind == "loop":
            path.symlink_to(name)
        elif kind == "endless":
            path.symlink_to("/dev/zero")
        elif kind != "missing":
            with open(path, "wb") as file:  # sparse
                file.write(base.get(name, b"{}") if kind else b"")
                file.truncate(kind)
        return path if name.endswith(".gguf") else folder

    for name in ("config.json", "model.safetensors", "generation_config.json",
                 "tokenizer.model", "tokenizer.json", "tokenizer_config.json",
                 "chat_template.jinja", "LICENSE", "model.gguf"):
        for kind in ["folder", "pipe", "loop", "endless", "missing"] + sizes:
            yield (f"kind-{name}-{kind}",
                   lambda folder, name=name, kind=kind:
                   replace(folder, name, kind))


def split_lies():
    """Parts of a split GGUF that do not belong together."""
    whole = fixture("gemma2-gguf")["model.gguf"]

    def part(change, keep, number, count):
        gguf = Gguf(whole)
        gguf.put("split.no", "<H", number).put("split.count", "<H", count)
        half = len(gguf.tensors) // 2
        total = len(gguf.tensors)
        gguf.put("split.tensors.count", "<i", total)
        if keep is not None:
            gguf.tensors = gguf.tensors[keep * half:][:half if not keep else
                                                      None]
        if change:
            change(gguf)
        return gguf.write()[0]

    def write(folder, first, second, names=("00001-of-00002",
                                            "00002-of-00002")):
        for name, data in zip(names, (first, second)):
            if data is not None:
                (folder / f"m-{name}.gguf").write_bytes(data)
        return folder / f"m-{names[0]}.gguf"

    right = [part(None, 0, 0, 2), part(None, 1, 1, 2)]
    cases = {"right": right, "missing": [right[0], None],
             "twice": [right[0], right[0]], "swapped": right[::-1],
             "whole": [part(None, None, 0, 2), right[1]],
             "empty": [right[0], b""],
             "text": [right[0], b"GGUFxxxxxxxxxxxxxx"],
             "cut": [right[0], right[1][:len(right[1]) // 2]]}
    for value in (0, 1, 3, 1024, 1025, 65535):
        for form in ("<H", "<Q", "<i"):
            for key in ("split.count", "split.no", "split.tensors.count"):
                change = lambda g, k=key, f=form, v=value: g.put(k, f, min(
                    v, 32767) if f == "<i" else v)
                cases[f"{key}-{form[1]}-{value}"] = [part(change, 0, 0, 2),
                                                     right[1]]
                cases[f"{key}-{form[1]}-{value}-second"] = [
                    right[0], part(change, 1, 1, 2)]
    for name, (first, second) in cases.items():
        yield (f"split-{name}", lambda folder, first=first, second=second:
               write(folder, first, second))


def mutants(scale=1):
    """(name, make) in a fixed order. `scale` multiplies the random ones."""
    ggufs = {"gemma1": fixture("gemma1-gguf")["model.gguf"],
             "gemma2": fixture("gemma2-gguf")["model.gguf"],
             "vocabulary": gguf_with_tokenizer()}
    full = with_tokenizer(fixture("bf16"))
    json_only = {k: v for k, v in full.items() if k != "tokenizer.model"}
    folders = {"bf16": fixture("bf16"), "onecap": fixture("gemma2-one-cap"),
               "sharded": fixture("sharded"), "full": full, "json": json_only}

    def gguf_file(folder, change, base, seed):
        path = folder / "model.gguf"
        path.write_bytes(change(random.Random(seed), ggufs[base]))
        return path

    def folder_of(folder, change, base, name, seed):
        files = dict(folders[base])
        files[name] = change(random.Random(seed), files[name])
        copy_to(folder, files)
        if name.endswith("index.json"):
            special_files(folder)
        return folder

    plan = [(gguf_file, change, (base,), count) for change, base, count in [
        (gguf_bytes, "gemma1", 90), (gguf_bytes, "vocabulary", 90),
        (gguf_values, "gemma2", 90), (gguf_values, "gemma1", 50),
        (gguf_vocabulary, "vocabulary", 90)]]
    plan += [(folder_of, change, (base, name), count)
             for change, base, name, count in [
                 (safetensors_bytes, "bf16", "model.safetensors", 120),
                 (safetensors_bytes, "sharded",
                  "model-00002-of-00004.safetensors", 40),
                 (index_bytes, "sharded", "model.safetensors.index.json", 60),
                 (json_bytes, "bf16", "config.json", 120),
                 (json_bytes, "onecap", "config.json", 60),
                 (json_bytes, "full", "generation_config.json", 40),
                 (json_bytes, "json", "tokenizer_config.json", 40),
                 (json_bytes, "json", "tokenizer.json", 80),
                 (any_bytes, "json", "tokenizer.json", 20),
                 (any_bytes, "full", "tokenizer.model", 90),
                 (any_bytes, "bf16", "config.json", 20)]]
    for base in ggufs:
        yield f"right-{base}", lambda folder, base=base: gguf_file(
            folder, lambda rng, data: data, base, 0)
    for base in folders:
        yield f"right-{base}", lambda folder, base=base: folder_of(
            folder, lambda rng, data: data, base, "config.json", 0)
    for make, change, where, count in plan:
        for i in range(count * scale):
            name = "-".join([change.__name__, *where, str(i)])
            yield name, (lambda folder, make=make, change=change, where=where,
                         name=name: make(folder, change, *where, name))
    yield from file_kinds()
    yield from split_lies()
