// SPDX-License-Identifier: Apache-2.0
// Stands before flatbuffers' own vector.h and adds Vector::empty(), which
// flatbuffers 2.0 lacks and SentencePiece's LITE runtime calls. Used only when
// CMake finds that the installed header has no such member.
//
// A member cannot be added to a class from outside, so the deprecated accessor
// Length() is expanded, for the length of this inclusion, into the declaration
// of empty() followed by its own.
#ifndef GEMMAC_FLATBUFFERS_COMPAT_VECTOR_H
#define GEMMAC_FLATBUFFERS_COMPAT_VECTOR_H

// What vector.h includes itself must not see the macro.
#include "flatbuffers/base.h"
#include "flatbuffers/buffer.h"
#include "flatbuffers/stl_emulation.h"

#define Length()               \
  empty() const {              \
    return size() == 0;        \
  }                            \
  uoffset_t Length()

#include_next "flatbuffers/vector.h"

#undef Length

#endif  // GEMMAC_FLATBUFFERS_COMPAT_VECTOR_H
