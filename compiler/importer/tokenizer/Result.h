// SPDX-License-Identifier: Apache-2.0
// A value, or why there is none: what a function returns that may fail, in code
// that is plain C++ (no LLVM, no exceptions). Example:
//   Result<TokenizerModel> model = readSentencePieceModel(bytes);
//   if (!model) return model.failure();
//   use(*model);
// A Result<void> has no value: it is success, `return {}`, or a failure.
#ifndef GEMMAC_COMPILER_IMPORTER_TOKENIZER_RESULT_H
#define GEMMAC_COMPILER_IMPORTER_TOKENIZER_RESULT_H

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace gemmac::importer {

// One line for people: what was expected and what was found.
struct Failure {
  std::string message;
};

// A caller asks first: the value of a failure and the message of a success do
// not exist. Both constructors convert, so that either is returned as it is.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state(std::in_place_index<0>, std::move(value)) {}
  Result(Failure failure) : state(std::in_place_index<1>, std::move(failure)) {}

  explicit operator bool() const { return state.index() == 0; }

  T &operator*() & { return value(); }
  T &&operator*() && { return std::move(value()); }
  const T &operator*() const & {
    assert(*this && "expected a value, found a failure");
    return *std::get_if<0>(&state);
  }
  T *operator->() { return &value(); }
  const T *operator->() const { return &**this; }

  const Failure &failure() const {
    assert(!*this && "expected a failure, found a value");
    return *std::get_if<1>(&state);
  }
  const std::string &message() const { return failure().message; }

 private:
  T &value() {
    assert(*this && "expected a value, found a failure");
    return *std::get_if<0>(&state);
  }

  std::variant<T, Failure> state;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Failure failure) : reason(std::move(failure)) {}

  explicit operator bool() const { return !reason; }

  const Failure &failure() const {
    assert(reason && "expected a failure, found success");
    return *reason;
  }
  const std::string &message() const { return failure().message; }

 private:
  std::optional<Failure> reason;
};

}  // namespace gemmac::importer

#endif  // GEMMAC_COMPILER_IMPORTER_TOKENIZER_RESULT_H
