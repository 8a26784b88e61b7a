// SPDX-License-Identifier: Apache-2.0
// The record of a build. See BuildRecord.h.
#include "compiler/pipeline/BuildRecord.h"

#include "compiler/packaging/Package.h"
#include "compiler/pipeline/PhaseRecord.h"
#include "compiler/pipeline/Stages.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/xxhash.h"

#include <nlohmann/json.hpp>

using namespace llvm;
using Json = nlohmann::ordered_json;

namespace gemmac::pipeline {

// Hashing 1 GiB costs about 0.1 s from the page cache; above that the hash of
// the sources would be felt, and the weights section has its own.
static constexpr uint64_t kHashedSourceBytes = uint64_t(1) << 30;

static Expected<Json> describeSources(const packaging::WeightPlan &plan) {
  std::vector<uint64_t> sizes;
  uint64_t total = 0;
  for (const std::string &path : plan.sources) {
    uint64_t size = 0;
    if (std::error_code code = sys::fs::file_size(path, size))
      return output::systemError("cannot read '" + path + "'", code.value());
    sizes.push_back(size);
    total += size;
  }
  Json list = Json::array();
  for (auto [path, size] : zip(plan.sources, sizes)) {
    Json entry{{"name", sys::path::filename(path).str()}, {"bytes", size}};
    if (total <= kHashedSourceBytes) {
      auto file = MemoryBuffer::getFile(path, /*IsText=*/false,
                                        /*RequiresNullTerminator=*/false);
      if (!file)
        return output::systemError("cannot read '" + path + "'",
                                   file.getError().value());
      StringRef bytes = (*file)->getBuffer();
      entry["xxh3"] =
          utohexstr(xxh3_64bits(ArrayRef(bytes.bytes_begin(), bytes.size())),
                    /*LowerCase=*/true, /*Width=*/16);
    }
    list.push_back(std::move(entry));
  }
  return list;
}

Expected<std::string> extendMetadata(const std::string &metadata,
                                     const BuildOptions &options,
                                     StringRef target,
                                     const packaging::WeightPlan &plan,
                                     const Json &phases) {
  Json root = Json::parse(metadata, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object())
    return createStringError("metadata: expected a JSON object");
  root["gemmac"] = GEMMAC_VERSION;
  Json chosen{{"target", target.str()},
              {"quant", name(options.quant)},
              {"kv", name(kvFormat(options))},
              {"prefill_rows", options.prefillRows}};
  if (options.contextSize > 0) chosen["ctx_size"] = options.contextSize;
  if (!options.cpu.empty()) chosen["cpu"] = options.cpu;
  if (!options.mattr.empty()) chosen["mattr"] = options.mattr;
  if (!options.disabledPasses.empty())
    chosen["disabled_passes"] = options.disabledPasses;
  root["options"] = std::move(chosen);
  root["weight_bytes"] = plan.sectionBytes;
  root["weight_bytes_per_token"] = weightBytesPerToken(phases);
  Json bytes = Json::object(), tensors = Json::object();
  for (const auto &[format, stored] : packaging::storedFormats(plan)) {
    bytes[format] = stored.bytes;
    tensors[format] = stored.tensors;
  }
  root["weight_bytes_by_format"] = std::move(bytes);
  root["tensors_by_format"] = std::move(tensors);
  root["phases"] = phases;
  Expected<Json> sources = describeSources(plan);
  if (!sources) return sources.takeError();
  root["sources"] = std::move(*sources);
  // Bytes that are no UTF-8 come from the checkpoint: replaced, not refused.
  return root.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gemmac::pipeline
