// SPDX-License-Identifier: Apache-2.0
// PhaseProfile: where the time of an engine's calls goes, by kind of phase, and
// what each kind read and computed there. What a phase is and reads comes from
// the metadata (the compiler knows), its time from the thread pool. Costs a
// clock reading a phase while an engine has one, nothing otherwise.
#ifndef GEMMA_RUNTIME_MODEL_PHASE_PROFILE_H
#define GEMMA_RUNTIME_MODEL_PHASE_PROFILE_H

#include <deque>
#include <string>
#include <vector>

#include "runtime/model/Metadata.h"
#include "runtime/model/PhaseClock.h"
#include "runtime/model/Status.h"
#include "runtime/model/ThreadPool.h"

namespace gemma {

class PhaseProfile {
 public:
  // Sums over all calls; phases of one name in several entry points are one.
  struct Line {
    std::string name;
    double seconds = 0;
    int64_t weightBytes = 0;  // each weight once a call
    int64_t cacheBytes = 0;   // each cached position once a call and session
    int64_t operations = 0;   // of matrix products and attention
  };

  // `metadata` must outlive the profile.
  explicit PhaseProfile(const Metadata &metadata);

  // Runs `function`, which is that entry point, and adds what it did.
  void run(EntryPoint entry, gemma_step_function function, gemma_step &step,
           ThreadPool &pool);

  // An error if the metadata does not describe the phases that ran.
  const Status &status() const { return problem; }
  const std::vector<Line> &lines() const { return sums; }

 private:
  Line &lineOf(const std::string &name);

  const Metadata &metadata;
  std::deque<PhaseClock> clocks;  // by entry point; they cannot move
  std::vector<Line> sums;
  Status problem;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_PHASE_PROFILE_H
