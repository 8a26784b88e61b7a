// SPDX-License-Identifier: Apache-2.0
// Status: the outcome of anything in the runtime that can fail; nothing here
// throws through an interface. An error is one line, lower-case and without a
// full stop, that names what was expected and what was found.
#ifndef GEMMA_RUNTIME_MODEL_STATUS_H
#define GEMMA_RUNTIME_MODEL_STATUS_H

#include <string>
#include <utility>

namespace gemma {

class [[nodiscard]] Status {
 public:
  Status() = default;
  static Status error(std::string message) {
    Status status;
    status.text = std::move(message);
    if (status.text.empty()) status.text = "unknown error";
    return status;
  }

  bool ok() const { return text.empty(); }
  const std::string &message() const { return text; }

 private:
  std::string text;
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_STATUS_H
