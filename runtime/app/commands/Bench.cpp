// SPDX-License-Identifier: Apache-2.0
// bench: tokens a second of prefill and decoding at several depths, with the
// machine's own limits measured between the runs, its streaming read and its
// rate of 8-bit products: a figure without them says little on a shared
// machine. JSON rows carry llama-bench's field names. It measures what it runs
// and compares with no other program.
#include <stdio.h>
#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <memory>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#include "runtime/app/App.h"
#include "runtime/app/evaluation/Roofline.h"
#include "runtime/model/PhaseProfile.h"
#include "runtime/model/Session.h"

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
  EngineOptions engine;
  std::vector<int64_t> prompts{512, 32}, answers{128}, depths{0}, parallel{1};
  int64_t repetitions = 5;
  bool profile = false;
};

Status readRequest(const Arguments &arguments, Request &request) {
  request.profile = arguments.isSet("--profile");
  Status status = readEngineOptions(arguments, request.engine);
  if (status.ok())
    status = arguments.integers("--n-prompt", 0, INT32_MAX, request.prompts);
  if (status.ok())
    status = arguments.integers("--n-gen", 0, INT32_MAX, request.answers);
  if (status.ok())
    status = arguments.integers("--n-depth", 0, INT32_MAX, request.depths);
  if (status.ok())
    status = arguments.integers("--parallel", 1, 256, request.parallel);
  if (status.ok())
    status = arguments.integer("--repetitions", 1, 1000, request.repetitions);
  return status;
}

double mean(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

double deviation(const std::vector<double> &values) {
  if (values.size() < 2) return 0;
  double average = mean(values), sum = 0;
  for (double value : values) sum += (value - average) * (value - average);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

// `prompt` tokens in one go, or `answer` tokens one by one in each of
// `parallel` conversations at once, behind `depth` others.
struct Case {
  int64_t prompt, answer, depth, parallel;
};

class Bench {
 public:
  Bench(Engine &engine, const Request &request)
      : engine(engine), request(request) {}

  Status measure(const Case &test);
  void addMemory();

  Json rows = Json::array();

 private:
  Status goToDepth(const Case &test);
  Status runOnce(const Case &test, double &seconds,
                 PhaseProfile *profile = nullptr);
  Status addProfile(const Case &test, Json &row);
  std::vector<int32_t> tokens(int64_t count);
  Json describe(const Case &test) const;

  Engine &engine;
  const Request &request;
  std::vector<std::unique_ptr<Session>> sessions;
  uint64_t draws = 0;
};

// Arbitrary but reproducible; speed does not depend on which.
std::vector<int32_t> Bench::tokens(int64_t count) {
  std::vector<int32_t> list;
  auto vocabulary = static_cast<uint64_t>(engine.model().code().vocabulary);
  for (int64_t i = 0; i < count; ++i)
    list.push_back(static_cast<int32_t>(draws++ * 2654435761u % vocabulary));
  return list;
}

Status Bench::goToDepth(const Case &test) {
  while (static_cast<int64_t>(sessions.size()) < test.parallel)
    sessions.push_back(std::make_unique<Session>(
        engine, static_cast<int32_t>(request.engine.context)));
  Status status;
  for (int64_t i = 0; i < test.parallel && status.ok(); ++i) {
    Session &session = *sessions[i];
    if (session.position() < test.depth || test.depth == 0) {
      session.reset();
      status = session.feed(tokens(test.depth), Wanted::None, nullptr);
    } else {
      status = session.rewind(static_cast<int32_t>(test.depth));
    }
  }
  return status;
}

Status Bench::runOnce(const Case &test, double &seconds,
                      PhaseProfile *profile) {
  Status status = goToDepth(test);
  if (!status.ok()) return status;
  std::vector<int32_t> fed = tokens(test.prompt + test.answer * test.parallel);
  engine.setProfile(profile);
  double start = monotonicSeconds();
  if (test.prompt > 0) status = sessions[0]->feed(fed, Wanted::Last, nullptr);
  std::vector<RowRequest> step(test.parallel);
  for (int64_t i = 0; i < test.answer && status.ok(); ++i) {
    for (int64_t row = 0; row < test.parallel; ++row)
      step[row] = {sessions[row].get(), fed[i * test.parallel + row], true};
    status = engine.step(step, [](size_t, auto) {});
  }
  seconds = monotonicSeconds() - start;
  engine.setProfile(nullptr);
  return status;
}

// A run of its own: the figures of the others are without the clock.
Status Bench::addProfile(const Case &test, Json &row) {
  PhaseProfile profile(engine.model().metadata());
  double seconds = 0, inside = 0;
  Status status = runOnce(test, seconds, &profile);
  if (status.ok()) status = profile.status();
  if (!status.ok()) return status;
  // Of one pass: a token of each conversation, or the whole prompt.
  int64_t runs = std::max<int64_t>(test.answer, 1);
  double bandwidth = row["read_bytes_per_second"];
  double dots = row.value("dot_operations_per_second", 0.0);
  Json phases = Json::array();
  for (const PhaseProfile::Line &line : profile.lines()) {
    auto bytes = static_cast<double>(line.weightBytes + line.cacheBytes);
    inside += line.seconds;
    phases.push_back({{"phase", line.name},
                      {"seconds", line.seconds / static_cast<double>(runs)},
                      {"time_share", line.seconds / seconds},
                      {"weight_bytes", line.weightBytes / runs},
                      {"cache_bytes", line.cacheBytes / runs},
                      {"operations", line.operations / runs},
                      {"roofline_share", bytes / line.seconds / bandwidth},
                      {"operations_per_second",
                       static_cast<double>(line.operations) / line.seconds}});
    // Attention multiplies floats.
    if (dots > 0 && line.weightBytes > 0 && line.operations > 0)
      phases.back()["dot_share"] =
          static_cast<double>(line.operations) / line.seconds / dots;
  }
  row["phases"] = phases;
  // Between the calls: rows are prepared, workers wake up.
  row["seconds_outside_phases"] =
      (seconds - inside) / static_cast<double>(runs);
  return {};
}

Json Bench::describe(const Case &test) const {
  const Model &model = engine.model();
  std::string name = test.prompt > 0 ? "pp" + std::to_string(test.prompt)
                                     : "tg" + std::to_string(test.answer);
  if (test.parallel > 1) name += " x " + std::to_string(test.parallel);
  if (test.depth > 0) name += " @ d" + std::to_string(test.depth);
  return {{"test", name},
          {"model", model.metadata().name},
          {"target", model.code().target},
          {"n_threads", engine.threads().threadCount()},
          {"n_prompt", test.prompt},
          {"n_gen", test.answer},
          {"n_depth", test.depth},
          {"n_parallel", test.parallel}};
}

Status Bench::measure(const Case &test) {
  std::vector<double> nanoseconds, rates, reads, dots;
  double seconds = 0;
  int64_t count = test.prompt + test.answer * test.parallel;
  // Untimed: caches, pages and the processor's clock settle. It counts the
  // operations, if the metadata has them.
  PhaseProfile counts(engine.model().metadata());
  Status status = runOnce(test, seconds, &counts);
  for (int64_t i = 0; i < request.repetitions && status.ok(); ++i) {
    reads.push_back(streamRead(engine.model(), engine.threads()));
    dots.push_back(dotPeak(engine.model(), engine.threads()));
    status = runOnce(test, seconds);
    nanoseconds.push_back(seconds * 1e9);
    rates.push_back(static_cast<double>(count) / seconds);
  }
  if (!status.ok()) return status;
  Json row = describe(test);
  if (counts.status().ok()) {
    double operations = 0;
    for (const PhaseProfile::Line &line : counts.lines())
      operations += static_cast<double>(line.operations);
    row["operations_per_token"] = operations / static_cast<double>(count);
  }
  row["avg_ns"] = mean(nanoseconds);
  row["stddev_ns"] = deviation(nanoseconds);
  row["avg_ts"] = mean(rates);
  row["stddev_ts"] = deviation(rates);
  row["samples_ns"] = nanoseconds;
  row["samples_ts"] = rates;
  double bandwidth = median(reads);
  row["read_bytes_per_second"] = bandwidth;
  row["samples_read_bytes_per_second"] = reads;
  double peak = median(dots);
  if (peak > 0) row["dot_operations_per_second"] = peak;
  if (test.answer > 0) {
    const Model &model = engine.model();
    int64_t weights = model.metadata().weightBytesPerToken;
    if (weights == 0) weights = model.code().weight_bytes;
    // A pass reads the weights once for all its conversations.
    auto shared = static_cast<double>(weights);
    double bytes =
        shared / static_cast<double>(test.parallel) +
        static_cast<double>(model.cacheBytes(test.depth + test.answer / 2));
    row["bytes_per_token"] = bytes;
    row["roofline_share"] = bytes * median(rates) / bandwidth;
  } else {
    if (peak > 0 && row.contains("operations_per_token"))
      row["roofline_share"] =
          row["operations_per_token"].get<double>() * median(rates) / peak;
    row["first_token_seconds"] = median(nanoseconds) * 1e-9;
  }
  if (request.profile) status = addProfile(test, row);
  rows.push_back(row);
  return status;
}

void Bench::addMemory() {
  int64_t cacheBytes = 0;
  for (const auto &session : sessions) cacheBytes += session->cacheBytes();
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  rows.push_back({{"test", "memory"},
                  {"peak_resident_bytes", int64_t{usage.ru_maxrss} * 1024},
                  {"weight_bytes", engine.model().code().weight_bytes},
                  {"working_bytes", engine.workingBytes()},
                  {"cache_bytes", cacheBytes}});
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

// Runs all rows, and prints them as they come unless `json`.
Status runAll(Engine &engine, const Request &request, bool json) {
  Bench bench(engine, request);
  std::vector<Case> tests;
  for (int64_t depth : request.depths) {
    for (int64_t prompt : request.prompts)
      if (prompt > 0) tests.push_back({prompt, 0, depth, 1});
    for (int64_t answer : request.answers)
      for (int64_t parallel : request.parallel)
        if (answer > 0) tests.push_back({0, answer, depth, parallel});
  }
  for (const Case &test : tests) {
    Status status = bench.measure(test);
    if (!status.ok()) return status;
    if (!json) printRow(bench.rows.back());
  }
  bench.addMemory();
  if (json)
    printf("%s\n", bench.rows.dump(2).c_str());
  else
    printRow(bench.rows.back());
  return {};
}

}  // namespace

int runBench(const Program &program, Words words) {
  std::vector<Flag> flags = withEngineFlags(kFlags);
  Arguments arguments;
  int code = 0;
  if (!parseWords("bench", "[FLAGS]", words, flags, arguments, code))
    return code;
  Request request;
  Status status = readRequest(arguments, request);
  if (!status.ok()) return report(status);
  Model model;
  Engine engine;
  status = startModel(program, request.engine, model, engine);
  if (status.ok()) status = runAll(engine, request, arguments.isSet("--json"));
  return report(status);
}

}  // namespace gemma
