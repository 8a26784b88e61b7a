// SPDX-License-Identifier: Apache-2.0
// Benchmark: cases of prefill and decoding -> JSON rows with llama-bench's
// field names: tokens a second, and beside them the machine's own limits,
// measured between the runs. Prints nothing and compares with no other program.
#ifndef GEMMA_RUNTIME_APP_EVALUATION_BENCHMARK_H
#define GEMMA_RUNTIME_APP_EVALUATION_BENCHMARK_H

#include <cstdint>
#include <memory>
#include <vector>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#include "runtime/model/Engine.h"
#include "runtime/model/PhaseProfile.h"
#include "runtime/model/Session.h"

namespace gemma {

// `prompt` tokens in one go, or `answer` tokens one by one in each of
// `parallel` conversations at once, behind `depth` others.
struct BenchmarkCase {
  int64_t prompt, answer, depth, parallel;
};

class Benchmark {
 public:
  using Row = nlohmann::ordered_json;

  // `context` as a session takes it. The engine must outlive the benchmark.
  Benchmark(Engine &engine, int32_t context, int64_t repetitions)
      : engine(engine), context(context), repetitions(repetitions) {}

  // `profile`: one more run, whose phases are in the row's "phases".
  Result<Row> measure(const BenchmarkCase &test, bool profile);
  // What all of it took.
  Row memory() const;

 private:
  // What the runs of a case gave, one entry a repetition.
  struct Samples {
    std::vector<double> nanoseconds, rates, reads, dots;
  };

  Status goToDepth(const BenchmarkCase &test);
  // Seconds, or a failure.
  Result<double> runOnce(const BenchmarkCase &test,
                         PhaseProfile *profile = nullptr);
  Result<Samples> repeat(const BenchmarkCase &test);
  Status addProfile(const BenchmarkCase &test, Row &row);
  void addLimits(const BenchmarkCase &test, const Samples &samples, Row &row);
  std::vector<int32_t> tokens(int64_t count);
  Row describe(const BenchmarkCase &test) const;

  Engine &engine;
  int32_t context;
  int64_t repetitions;
  std::vector<std::unique_ptr<Session>> sessions;
  uint64_t draws = 0;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_EVALUATION_BENCHMARK_H
