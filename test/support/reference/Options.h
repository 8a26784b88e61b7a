// SPDX-License-Identifier: Apache-2.0
// How the reference interpreter computes; see Interpreter.h. No MLIR.
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_OPTIONS_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_OPTIONS_H

#include <string>

namespace gemmac::reference {

// The arithmetic of float ops (FloatOps.h).
enum class Order {
  Double,  // the formulas in double, with libm: judges what a model means
  Exact,   // docs/numerics.md to the bit: judges what compiled code gives
};

struct Options {
  // Format in which attention reads keys and values: "f32" or "bf16".
  std::string keyValueFormat = "f32";
  Order order = Order::Double;
};

}  // namespace gemmac::reference

#endif
