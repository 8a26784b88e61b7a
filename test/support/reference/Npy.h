// SPDX-License-Identifier: Apache-2.0
// NumPy's .npy files of little-endian float32 in C order, version 1.0: all
// that the fixtures and `eval --logits` use. File <-> Tensor.
// Source: numpy.lib.format, "Format Version 1.0".
#ifndef GEMMAC_TEST_SUPPORT_REFERENCE_NPY_H
#define GEMMAC_TEST_SUPPORT_REFERENCE_NPY_H

#include <optional>
#include <string>

#include "test/support/reference/Tensor.h"

namespace gemmac::reference {

// Empty, with the reason in `error`, for any other kind of file.
std::optional<Tensor> readNpy(const std::string &path, std::string &error);
bool writeNpy(const std::string &path, const Tensor &tensor);

}  // namespace gemmac::reference

#endif
