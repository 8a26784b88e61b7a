// SPDX-License-Identifier: Apache-2.0
// Sums of times, bytes and operations by name. See PhaseProfile.h.
#include "runtime/model/PhaseProfile.h"

#include <algorithm>

namespace gemma {
namespace {

// Of the rows of one call: positions that each sees, and positions that are
// seen by any, both within `window` (0: all).
struct Seen {
  int64_t byRows = 0;
  int64_t once = 0;

  Seen(const gemma_step &step, int64_t window) {
    for (int64_t i = 0, first = 0; i < step.count; ++i) {
      const gemma_row &row = step.rows[i];
      auto from = [&](const gemma_row &of) {
        return window > 0 ? std::max<int64_t>(0, of.position - window + 1) : 0;
      };
      byRows += row.visible_end + 1 - from(row);
      // Rows of a session stand together, in increasing position.
      bool isLast = i + 1 == step.count || step.rows[i + 1].kv != row.kv;
      if (!isLast) continue;
      once += row.visible_end + 1 - from(step.rows[first]);
      first = i + 1;
    }
  }
};

}  // namespace

PhaseProfile::PhaseProfile(const Metadata &metadata) : metadata(metadata) {
  for (const EntryPhases &phases : metadata.phases)
    clocks.emplace_back(phases.order.size());
}

PhaseProfile::Line &PhaseProfile::lineOf(const std::string &name) {
  auto found = std::find_if(sums.begin(), sums.end(), [&](const Line &line) {
    return line.name == name;
  });
  if (found != sums.end()) return *found;
  sums.push_back({name});
  return sums.back();
}

void PhaseProfile::run(EntryPoint entry, gemma_step_function function,
                       gemma_step &step, ThreadPool &pool) {
  auto index = static_cast<size_t>(entry);
  const EntryPhases &phases = metadata.phases[index];
  PhaseClock &clock = clocks[index];
  pool.timePhases(&clock);
  clock.start();
  pool.run(function, step);
  pool.timePhases(nullptr);
  if (!clock.isComplete()) {
    problem =
        Status(Code::InvalidInput,
               "metadata: expected " + std::to_string(phases.order.size()) +
                   " phases in a call, as recorded, found others");
    return;
  }
  int64_t rows = entry == EntryPoint::Head || entry == EntryPoint::ArgMax
                     ? step.wanted_count
                     : step.count;
  for (const PhaseKind &kind : phases.kinds) {
    Line &line = lineOf(kind.name);
    line.weightBytes += kind.weightBytes;
    line.operations += kind.operations * rows;
    for (const CacheUse &use : kind.cache) {
      Seen seen(step, use.window);
      line.cacheBytes += use.bytes * seen.once;
      line.operations += use.operations * seen.byRows;
    }
  }
  for (size_t i = 0; i < phases.order.size(); ++i)
    lineOf(phases.kinds[phases.order[i]].name).seconds += clock.seconds(i);
}

}  // namespace gemma
