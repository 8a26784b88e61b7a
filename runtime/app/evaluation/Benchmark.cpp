// SPDX-License-Identifier: Apache-2.0
// Each case runs once untimed, so that caches, pages and the processor's clock
// settle, and then as often as asked, each run behind a measurement of what the
// machine can do at that moment: it is shared, and its limits move.
#include "runtime/app/evaluation/Benchmark.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "runtime/app/evaluation/Roofline.h"
#include "runtime/model/Clock.h"

namespace gemma {
namespace {

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

}  // namespace

// Arbitrary but reproducible; speed does not depend on which.
std::vector<int32_t> Benchmark::tokens(int64_t count) {
  std::vector<int32_t> list;
  auto vocabulary = static_cast<uint64_t>(engine.model().code().vocabulary);
  for (int64_t i = 0; i < count; ++i)
    list.push_back(static_cast<int32_t>(draws++ * 2654435761u % vocabulary));
  return list;
}

Status Benchmark::goToDepth(const BenchmarkCase &test) {
  while (static_cast<int64_t>(sessions.size()) < test.parallel)
    sessions.push_back(std::make_unique<Session>(engine, context));
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

Result<double> Benchmark::runOnce(const BenchmarkCase &test,
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
  double seconds = monotonicSeconds() - start;
  engine.setProfile(nullptr);
  if (!status.ok()) return status;
  return seconds;
}

// A run of its own: the figures of the others are without the clock.
Status Benchmark::addProfile(const BenchmarkCase &test, Row &row) {
  PhaseProfile profile(engine.model().metadata());
  Result<double> run = runOnce(test, &profile);
  if (!run.ok()) return run.status();
  if (!profile.status().ok()) return profile.status();
  double seconds = *run, inside = 0;
  // Of one pass: a token of each conversation, or the whole prompt.
  int64_t runs = std::max<int64_t>(test.answer, 1);
  double bandwidth = row["read_bytes_per_second"];
  double dots = row.value("dot_operations_per_second", 0.0);
  Row phases = Row::array();
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

Benchmark::Row Benchmark::describe(const BenchmarkCase &test) const {
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

Result<Benchmark::Samples> Benchmark::repeat(const BenchmarkCase &test) {
  Samples samples;
  auto count = static_cast<double>(test.prompt + test.answer * test.parallel);
  for (int64_t i = 0; i < repetitions; ++i) {
    samples.reads.push_back(streamRead(engine.model(), engine.threads()));
    samples.dots.push_back(dotPeak(engine.model(), engine.threads()));
    Result<double> seconds = runOnce(test);
    if (!seconds.ok()) return seconds.status();
    samples.nanoseconds.push_back(*seconds * 1e9);
    samples.rates.push_back(count / *seconds);
  }
  return samples;
}

// The limits, and the share of them that the case reached: of the read for
// decoding, of the products for a prompt.
void Benchmark::addLimits(const BenchmarkCase &test, const Samples &samples,
                          Row &row) {
  double bandwidth = median(samples.reads), peak = median(samples.dots);
  row["read_bytes_per_second"] = bandwidth;
  row["samples_read_bytes_per_second"] = samples.reads;
  if (peak > 0) row["dot_operations_per_second"] = peak;
  double rate = median(samples.rates);
  if (test.answer == 0) {
    if (peak > 0 && row.contains("operations_per_token"))
      row["roofline_share"] =
          row["operations_per_token"].get<double>() * rate / peak;
    row["first_token_seconds"] = median(samples.nanoseconds) * 1e-9;
    return;
  }
  const Model &model = engine.model();
  int64_t weights = model.metadata().weightBytesPerToken;
  if (weights == 0) weights = model.code().weight_bytes;
  // A pass reads the weights once for all its conversations.
  double bytes =
      static_cast<double>(weights) / static_cast<double>(test.parallel) +
      static_cast<double>(model.cacheBytes(test.depth + test.answer / 2));
  row["bytes_per_token"] = bytes;
  row["roofline_share"] = bytes * rate / bandwidth;
}

Result<Benchmark::Row> Benchmark::measure(const BenchmarkCase &test,
                                          bool profile) {
  // Untimed; it counts the operations, if the metadata has them.
  PhaseProfile counts(engine.model().metadata());
  Result<double> first = runOnce(test, &counts);
  if (!first.ok()) return first.status();
  Result<Samples> samples = repeat(test);
  if (!samples.ok()) return samples.status();
  Row row = describe(test);
  if (counts.status().ok()) {
    double operations = 0;
    for (const PhaseProfile::Line &line : counts.lines())
      operations += static_cast<double>(line.operations);
    row["operations_per_token"] =
        operations /
        static_cast<double>(test.prompt + test.answer * test.parallel);
  }
  row["avg_ns"] = mean(samples->nanoseconds);
  row["stddev_ns"] = deviation(samples->nanoseconds);
  row["avg_ts"] = mean(samples->rates);
  row["stddev_ts"] = deviation(samples->rates);
  row["samples_ns"] = samples->nanoseconds;
  row["samples_ts"] = samples->rates;
  addLimits(test, *samples, row);
  Status status;
  if (profile) status = addProfile(test, row);
  if (!status.ok()) return status;
  return row;
}

Benchmark::Row Benchmark::memory() const {
  int64_t cacheBytes = 0;
  for (const auto &session : sessions) cacheBytes += session->cacheBytes();
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return {{"test", "memory"},
          {"peak_resident_bytes", int64_t{usage.ru_maxrss} * 1024},
          {"weight_bytes", engine.model().code().weight_bytes},
          {"working_bytes", engine.workingBytes()},
          {"cache_bytes", cacheBytes}};
}

}  // namespace gemma
