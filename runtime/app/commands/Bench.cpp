// SPDX-License-Identifier: Apache-2.0
// bench: flags -> cases -> a table, or a JSON array, of what Benchmark
// measures. A figure without the machine's own limits says little on a shared
// machine, so each row names them.
#include <stdio.h>

#include "runtime/app/App.h"
#include "runtime/app/evaluation/Benchmark.h"

namespace gemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr Flag kFlags[] = {
    {"--n-prompt", 'p', "N,…", "prompt tokens (default 512,32; 0 skips)"},
    {"--n-gen", 'n', "N,…", "decoded tokens (default 128; 0 skips)"},
    {"--n-depth", 'd', "N,…", "tokens in the cache before (default 0)"},
    {"--parallel", 0, "N,…",
     "conversations that decode in one pass (default 1)"},
    {"--repetitions", 'r', "N", "runs of each (default 5)"},
    {"--profile", 0, nullptr,
     "one more run of each: time, bytes and operations of its phases"},
    {"--json", 0, nullptr, "print a JSON array"},
};

struct Request {
  std::vector<int64_t> prompts{512, 32}, answers{128}, depths{0}, parallel{1};
  int64_t repetitions = 5;
  bool profile = false, json = false;
};

Status readRequest(const Arguments &arguments, Request &request) {
  request.profile = arguments.isSet("--profile");
  request.json = arguments.isSet("--json");
  return firstFailure({
      arguments.integers("--n-prompt", 0, INT32_MAX, request.prompts),
      arguments.integers("--n-gen", 0, INT32_MAX, request.answers),
      arguments.integers("--n-depth", 0, INT32_MAX, request.depths),
      arguments.integers("--parallel", 1, 256, request.parallel),
      arguments.integer("--repetitions", 1, 1000, request.repetitions),
  });
}

void printPhases(const Json &row) {
  // What the figures are of, as addProfile divides them.
  const char *unit = row["n_gen"] == 0        ? "ms"
                     : row["n_parallel"] == 1 ? "ms/token"
                                              : "ms/pass";
  printf("  %-18s %10s %6s %12s %11s %10s %9s %9s %9s\n", "phase", unit, "time",
         "weights, KiB", "cache, KiB", "Mop", "of read", "Gop/s", "of dots");
  for (const Json &phase : row["phases"]) {
    printf("  %-18s %10.4f %4.0f %% %12.1f %11.1f %10.2f %7.0f %% %9.1f",
           phase["phase"].get<std::string>().c_str(),
           phase["seconds"].get<double>() * 1e3,
           phase["time_share"].get<double>() * 100,
           phase["weight_bytes"].get<double>() / 1024,
           phase["cache_bytes"].get<double>() / 1024,
           phase["operations"].get<double>() * 1e-6,
           phase["roofline_share"].get<double>() * 100,
           phase["operations_per_second"].get<double>() * 1e-9);
    if (phase.contains("dot_share"))
      printf(" %7.0f %%", phase["dot_share"].get<double>() * 100);
    printf("\n");
  }
  printf("  %-18s %10.4f\n", "outside",
         row["seconds_outside_phases"].get<double>() * 1e3);
}

void printRow(const Json &row) {
  std::string test = row["test"];
  if (test == "memory") {
    printf("memory: %.1f MiB at the peak\n",
           row["peak_resident_bytes"].get<double>() / (1 << 20));
    return;
  }
  printf("%-16s %10.2f ± %.2f tokens/s", test.c_str(),
         row["avg_ts"].get<double>(), row["stddev_ts"].get<double>());
  // Decoding is bound by what it reads, a prompt by what it multiplies.
  if (row["n_gen"] > 0)
    printf("   read %.1f GB/s",
           row["read_bytes_per_second"].get<double>() * 1e-9);
  else if (row.contains("dot_operations_per_second"))
    printf("   dots %.0f Gop/s",
           row["dot_operations_per_second"].get<double>() * 1e-9);
  if (row.contains("roofline_share"))
    printf("   %.0f %% of it", row["roofline_share"].get<double>() * 100);
  printf("\n");
  if (row.contains("phases")) printPhases(row);
  fflush(stdout);
}

std::vector<BenchmarkCase> casesOf(const Request &request) {
  std::vector<BenchmarkCase> tests;
  for (int64_t depth : request.depths) {
    for (int64_t prompt : request.prompts)
      if (prompt > 0) tests.push_back({prompt, 0, depth, 1});
    for (int64_t answer : request.answers)
      for (int64_t parallel : request.parallel)
        if (answer > 0) tests.push_back({0, answer, depth, parallel});
  }
  return tests;
}

// Runs all rows, and prints them as they come, or one array at the end.
Status run(App &app) {
  Request request;
  Status status = readRequest(app.arguments, request);
  if (status.ok()) status = app.start();
  if (!status.ok()) return status;
  Benchmark benchmark(app.engine, app.context, request.repetitions);
  Json rows = Json::array();
  auto add = [&](Json row) {
    if (!request.json) printRow(row);
    rows.push_back(std::move(row));
  };
  for (const BenchmarkCase &test : casesOf(request)) {
    Result<Json> row = benchmark.measure(test, request.profile);
    if (!row.ok()) return row.status();
    add(std::move(*row));
  }
  add(benchmark.memory());
  if (request.json) printf("%s\n", rows.dump(2).c_str());
  return {};
}

}  // namespace

const Command kBenchCommand = {"bench", "[FLAGS]", kFlags,
                               Command::Shared::Engine, run};

}  // namespace gemma
