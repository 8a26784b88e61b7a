// SPDX-License-Identifier: Apache-2.0
// RowSource: all that an engine needs of a sequence whose rows it runs: where
// they stand, and where their keys and values lie. A Session is one. It owns no
// engine and decides no token.
#ifndef GEMMA_RUNTIME_MODEL_ROW_SOURCE_H
#define GEMMA_RUNTIME_MODEL_ROW_SOURCE_H

#include <cstdint>

#include "runtime/include/gemma/ModelAbi.h"
#include "runtime/model/Status.h"

namespace gemma {

class RowSource {
 public:
  // Sets all of `row` but its token, for the row that stands behind `ahead`
  // others of the same call, and makes the memory exist that it writes to.
  // Nothing has moved: a call that is not made after all leaves no trace.
  virtual Status placeRow(int32_t ahead, gemma_row &row) = 0;

  // A call ran the next row, with this token. One for each row, in order.
  virtual void advance(int32_t token) = 0;

 protected:
  ~RowSource() = default;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_ROW_SOURCE_H
