// SPDX-License-Identifier: Apache-2.0
// A JSON value as a message shows it, whoever wrote it: ASCII, so that nothing
// reaches a terminal as a control sequence, and cut where it is long.
#ifndef GEMMA_RUNTIME_MODEL_JSON_TEXT_H
#define GEMMA_RUNTIME_MODEL_JSON_TEXT_H

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace gemma {

std::string shown(const nlohmann::ordered_json &value);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_MODEL_JSON_TEXT_H
