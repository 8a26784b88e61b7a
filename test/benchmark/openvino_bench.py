#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""openvino_bench.py: OpenVINO GenAI behind llama-bench's flags and JSON, so
that compare.py can run it in turn with the others. -m names a folder that
`optimum-cli export openvino` wrote. Needs openvino-genai. Example:
  test/benchmark/openvino_bench.py -m gemma-int8 -p 512,32 -n 64 -d 0 -t 2"""
import argparse
import json

import numpy
import openvino
import openvino_genai


def read_flags():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-m", required=True, metavar="FOLDER")
    parser.add_argument("-p", default="512", metavar="TOKENS,…",
                        help="prompts to time; 0: none")
    parser.add_argument("-n", type=int, default=64, metavar="TOKENS",
                        help="answer to time; 0: none")
    parser.add_argument("-d", type=int, default=0, metavar="TOKENS",
                        help="prompt before the answer")
    parser.add_argument("-r", type=int, default=1, help="repetitions")
    parser.add_argument("-t", type=int, default=2, help="threads")
    return parser.parse_args()


class Model:
    def __init__(self, folder, threads):
        self.pipeline = openvino_genai.LLMPipeline(
            folder, "CPU", INFERENCE_NUM_THREADS=threads,
            PERFORMANCE_HINT="LATENCY")
        self.next_id = 1000

    def answer(self, prompt, tokens):
        """Seconds to the first token, and seconds a token behind it."""
        # Never the same prompt: it keeps the keys of one that it has seen.
        ids = numpy.arange(prompt, dtype=numpy.int64)[None] + self.next_id
        self.next_id += prompt
        inputs = openvino_genai.TokenizedInputs(
            openvino.Tensor(ids), openvino.Tensor(numpy.ones_like(ids)))
        result = self.pipeline.generate(
            inputs, max_new_tokens=tokens, min_new_tokens=tokens,
            ignore_eos=True, do_sample=False)
        metrics = result.perf_metrics
        return metrics.get_ttft().mean / 1e3, metrics.get_tpot().mean / 1e3


def row(prompt, answer, depth, seconds):
    count = prompt or answer
    rates = [count / s for s in seconds]
    return {"n_prompt": prompt, "n_gen": answer, "n_depth": depth,
            "avg_ts": sum(rates) / len(rates),
            "build_commit": openvino_genai.get_version()}


def main():
    flags = read_flags()
    model = Model(flags.m, flags.t)
    rows = []
    for prompt in [int(word) for word in flags.p.split(",") if word != "0"]:
        model.answer(prompt, 1)  # compiles its kernels for the shape
        rows.append(row(prompt, 0, flags.d,
                        [model.answer(prompt, 1)[0] for _ in range(flags.r)]))
    if flags.n:
        # The first of n + 1 tokens belongs to the prompt; one at least.
        seconds = [model.answer(max(1, flags.d), flags.n + 1)[1] * flags.n
                   for _ in range(flags.r)]
        rows.append(row(0, flags.n, flags.d, seconds))
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
