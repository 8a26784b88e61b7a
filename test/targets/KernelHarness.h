// Runs kernel-dialect text on this machine: text -> target -> object -> JIT.
// A test writes one step function; run() calls it with a gemma_step whose
// fields the test fills. One thread; tiles in order.
#ifndef GEMMAC_TEST_TARGETS_KERNELHARNESS_H
#define GEMMAC_TEST_TARGETS_KERNELHARNESS_H

#include <memory>
#include <string>
#include <vector>

#include "runtime/include/gemma/ModelAbi.h"
#include "targets/Target.h"

namespace gemmac::test {

class CompiledKernels {
 public:
  CompiledKernels();
  ~CompiledKernels();
  CompiledKernels(CompiledKernels &&);
  // Null and a message on failure.
  const gemma_model_code *compile(const std::string &text,
                                  const targets::Target &target,
                                  std::string &error);
  // Runs the entry with scratch of the size that the code asks for.
  void run(gemma_step_function entry, gemma_step step) const;

 private:
  struct State;
  std::unique_ptr<State> state;
};

// A module with one step function of `body` (uses %step) that stands for all
// four entry points. `header` comes first: weights, tables.
std::string stepModule(const std::string &header, const std::string &body,
                       const std::string &kvLayers = "");

// Targets that this machine can run.
std::vector<const targets::Target *> runnableTargets();

// xorshift: the tests' random numbers, the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed)
      : state(seed * 2654435769u + 88172645463325252ull) {}
  uint64_t next() {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
  // Uniform in [-1, 1).
  float uniform() { return float(next() >> 40) * 0x1p-23f - 1.0f; }

 private:
  uint64_t state;
};

}  // namespace gemmac::test

#endif
