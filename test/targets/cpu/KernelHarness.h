// SPDX-License-Identifier: Apache-2.0
// Runs kernel-dialect text on this machine: text -> target -> object -> JIT.
// A test writes one step function, as text or with a StepProgram, and runs it
// with one thread, tiles in order. Judges nothing but writes out of bounds.
#ifndef GEMMAC_TEST_TARGETS_CPU_KERNELHARNESS_H
#define GEMMAC_TEST_TARGETS_CPU_KERNELHARNESS_H

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dialects/quantized/WeightFormat.h"
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

// One step function under construction: buffers of the arena, weights and
// phases by name. Guard bytes between the buffers show a kernel that writes
// past its row.
class StepProgram {
 public:
  explicit StepProgram(int64_t rows) : rows(rows) {}
  // %name, a buffer of `columns` floats a row that starts as `values`, or as
  // NaN where there are none.
  void floats(const std::string &name, int64_t columns,
              const std::vector<float> &values = {});
  // %name, a buffer of `columns` bytes a row.
  void bytes(const std::string &name, int64_t columns);
  // %name, a weight matrix, in the packed layout; and a vector of floats.
  void weight(const std::string &name, int64_t rows, int64_t columns,
              const quantized::WeightFormat &format,
              const std::vector<uint8_t> &packed);
  void gain(const std::string &name, const std::vector<float> &values);
  // A phase of `tiles` (an index value, "%n" for the rows): in `body`, %t is
  // the tile.
  void phase(const std::string &tiles, const std::string &body);
  // Any other operation, outside phases.
  void operation(const std::string &text) { body += text + "\n"; }
  // The type of a buffer or weight.
  std::string type(const std::string &name) const;

  // Compiles for the target and runs once. Buffers start anew with each run.
  // An empty string, or what went wrong.
  std::string run(const targets::Target &target);
  // What the last run left in the buffer.
  std::vector<float> floatsOf(const std::string &name) const;
  std::vector<uint8_t> bytesOf(const std::string &name) const;

  std::vector<gemma_row> rows;  // of the call
  std::string kvLayers;         // "{first_slot = …}, {…", one a layer

 private:
  struct Buffer {
    std::string type;
    int64_t offset = 0, size = 0;  // bytes of the arena
  };
  void buffer(const std::string &name, const std::string &type, int64_t size);
  void weight(const std::string &name, const std::string &shape,
              const quantized::WeightFormat &format, int64_t sourceBytes,
              llvm::ArrayRef<uint8_t> packed);

  std::map<std::string, Buffer> buffers;
  std::vector<uint8_t> start, arena, weights;
  std::string header, body;
};

// Empty when the floats have the same bits (any NaN equals any other), else
// the first difference.
std::string firstDifference(const std::vector<float> &expected,
                            const std::vector<float> &found);

// A target's name for a test's: letters, digits and underscores.
std::string targetTestName(const targets::Target &target);

inline constexpr char kCannotRun[] = "this processor lacks what it needs";

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
