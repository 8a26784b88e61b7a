// SPDX-License-Identifier: Apache-2.0
// See JsonText.h.
#include "runtime/model/JsonText.h"

#define JSON_NO_IO
#include <nlohmann/json.hpp>

namespace gemma {

std::string shown(const nlohmann::ordered_json &value) {
  constexpr size_t kMost = 80;
  std::string text =
      value.dump(-1, ' ', /*ensure_ascii=*/true,
                 nlohmann::ordered_json::error_handler_t::replace);
  return text.size() > kMost ? text.substr(0, kMost) + "…" : text;
}

}  // namespace gemma
