// SPDX-License-Identifier: Apache-2.0
// Status and Result: the outcome of anything in the runtime that can fail;
// nothing here throws through an interface. A failure has a code, for who acts
// on it, and a message for people: one line, lower-case and without a full
// stop, that names what was expected and what was found.
#ifndef GEMMA_RUNTIME_MODEL_STATUS_H
#define GEMMA_RUNTIME_MODEL_STATUS_H

#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

namespace gemma {

enum class Code : uint8_t {
  Ok,
  InvalidInput,  // a file, a text or an argument is not what it has to be
  Unsupported,   // it is, but this model cannot do what is asked
  ContextFull,   // more tokens than there are positions
  OutOfMemory,   // the system gives no more of it, or no more threads
  Io,            // the system could not open, read or write
  Usage,         // the command line is wrong
  WrongMachine,  // the processor lacks what the code needs
};

// What a process ends with: the one place that says so.
constexpr int exitCode(Code code) {
  switch (code) {
    case Code::Ok:
      return 0;
    case Code::Usage:
      return 2;
    case Code::WrongMachine:
      return 3;
    default:
      return 1;
  }
}

class [[nodiscard]] Status {
 public:
  Status() = default;
  // A failure; `code` is not Ok.
  Status(Code code, std::string message)
      : kind(code), text(std::move(message)) {
    assert(code != Code::Ok);
  }
  // A failure whose messages were told on the way: it has none.
  static Status reported(Code code) { return {code, {}}; }

  bool ok() const { return kind == Code::Ok; }
  Code code() const { return kind; }
  const std::string &message() const { return text; }

  // The same failure, told with the place where it is: "place: message".
  Status in(const std::string &place) const {
    return ok() ? *this : Status(kind, place + ": " + text);
  }

 private:
  Code kind = Code::Ok;
  std::string text;
};

// The first failure of what was tried in this order, if any.
inline Status firstFailure(std::initializer_list<Status> outcomes) {
  for (const Status &outcome : outcomes)
    if (!outcome.ok()) return outcome;
  return {};
}

// A value, or why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : held(std::move(value)) {}
  Result(Status failure) : failure(std::move(failure)) {
    assert(!this->failure.ok());
  }

  bool ok() const { return failure.ok(); }
  const Status &status() const { return failure; }
  // Only where ok().
  T &operator*() {
    assert(ok());
    return held;
  }
  T *operator->() { return &**this; }

 private:
  Status failure;
  T held{};
};

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_STATUS_H
