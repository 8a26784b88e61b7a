// SPDX-License-Identifier: Apache-2.0
// A model's object file (`gemmac build --emit object`) in this process: loaded
// by LLVM's JIT linker, its runtime calls bound to the runtime that the test
// links. Does not run the object's code.
#ifndef GEMMAC_TEST_SUPPORT_LOADEDOBJECT_H
#define GEMMAC_TEST_SUPPORT_LOADEDOBJECT_H

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/include/gemma/ModelAbi.h"

namespace gemmac::test {

class LoadedObject {
 public:
  LoadedObject();
  ~LoadedObject();
  LoadedObject(LoadedObject &&);

  // What the object calls, by name.
  using Symbols = std::vector<std::pair<std::string, void *>>;
  // The code that `bytes` export as `symbol`; null and a message on failure.
  // It lives as long as this object.
  const gemma_model_code *load(std::string bytes, const std::string &symbol,
                               const Symbols &symbols, std::string &error);

 private:
  struct State;
  std::unique_ptr<State> state;
};

}  // namespace gemmac::test

#endif
