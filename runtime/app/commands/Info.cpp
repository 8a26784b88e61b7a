// SPDX-License-Identifier: Apache-2.0
// info: what a compiled model is, whether its bytes are what was written
// (--verify), and its licence. Runs no step.
#include <stdio.h>

#define JSON_NO_IO
#include <nlohmann/json.hpp>

#include "runtime/app/App.h"

namespace gemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr Flag kFlags[] = {
    {"--json", 0, nullptr, "print a JSON object"},
    {"--verify", 0, nullptr, "read every byte and compare with the hashes"},
    {"--print-license", 0, nullptr, "print the model's licence"},
};

Json describe(const Model &model) {
  const gemma_model_code &code = model.code();
  const gemma_trailer &trailer = model.container().trailer();
  // It was parsed when the model was loaded.
  Json object = Json::parse(model.metadata().text, nullptr, false);
  object.erase("licence");
  object["code"] = {
      {"target", code.target},         {"vocabulary", code.vocabulary},
      {"width", code.width},           {"context", code.context},
      {"batch_rows", code.batch_rows}, {"prefill_rows", code.prefill_rows},
      {"head_rows", code.head_rows},   {"arg_max", code.arg_max != nullptr},
  };
  object["memory"] = {
      {"file_bytes", model.container().fileSize()},
      {"code_bytes", trailer.container_offset},
      {"tokenizer_bytes", trailer.sections[GEMMA_SECTION_TOKENIZER].size},
      {"weight_bytes", code.weight_bytes},
      {"arena_bytes", code.arena_bytes},
      {"scratch_bytes_per_thread", code.scratch_bytes},
      {"cache_bytes_at_context", model.cacheBytes(code.context)},
  };
  return object;
}

// "9.5 kB", "292 MB": powers of ten, as the build says it.
std::string bytesText(int64_t bytes) {
  constexpr const char *kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  auto value = static_cast<double>(bytes);
  for (; value >= 999.5 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  char text[32];
  snprintf(text, sizeof(text), unit > 0 && value < 9.95 ? "%.1f %s" : "%.0f %s",
           value, kUnits[unit]);
  return text;
}

// "q4_0: 12 tensors, 1.2 MB; f32: 5 tensors, 40 kB".
std::string formatsText(const std::vector<StoredFormat> &formats) {
  std::string text;
  for (const StoredFormat &format : formats) {
    text += (text.empty() ? "" : "; ") + format.name + ": ";
    if (format.tensors > 0)
      text += std::to_string(format.tensors) +
              (format.tensors == 1 ? " tensor, " : " tensors, ");
    text += bytesText(format.bytes);
  }
  return text;
}

void printText(const Model &model) {
  const Metadata &metadata = model.metadata();
  const gemma_model_code &code = model.code();
  auto mebibytes = [](uint64_t bytes) {
    return static_cast<double>(bytes) / (1 << 20);
  };
  const gemma_trailer &trailer = model.container().trailer();
  printf("%s (%s)\n", metadata.name.c_str(), metadata.architecture.c_str());
  printf("  target        %s\n", code.target);
  printf("  weights       %s, cache %s\n", metadata.quantization.c_str(),
         metadata.cache.c_str());
  if (!metadata.formats.empty())
    printf("  stored        %s\n", formatsText(metadata.formats).c_str());
  printf("  vocabulary    %d, width %d, context %d\n", code.vocabulary,
         code.width, code.context);
  printf("  chat template %s\n", metadata.chatTemplate.c_str());
  printf("  file          %.1f MiB: code %.1f, tokenizer %.1f, weights %.1f\n",
         mebibytes(model.container().fileSize()),
         mebibytes(trailer.container_offset),
         mebibytes(trailer.sections[GEMMA_SECTION_TOKENIZER].size),
         mebibytes(code.weight_bytes));
  printf(
      "  memory        arena %.1f MiB, a thread %.2f MiB, cache at the full "
      "context %.1f MiB\n",
      mebibytes(code.arena_bytes), mebibytes(code.scratch_bytes),
      mebibytes(model.cacheBytes(code.context)));
}

Status run(App &app) {
  const Arguments &arguments = app.arguments;
  const Model &model = app.model;
  Status status = app.openModel(/*prefault=*/false);
  if (status.ok() && arguments.isSet("--verify"))
    status = model.container().verifyAll();
  if (!status.ok()) return status;
  if (arguments.isSet("--print-license")) {
    const std::string &licence = model.metadata().licence;
    if (licence.empty())
      return Status(Code::Unsupported, "the checkpoint came without a licence");
    printf("%s\n", licence.c_str());
  } else if (arguments.isSet("--json")) {
    Json object = describe(model);
    if (arguments.isSet("--verify")) object["verified"] = true;
    printf("%s\n",
           object.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  } else if (arguments.isSet("--verify")) {
    printf("all %llu bytes are as they were written\n",
           static_cast<unsigned long long>(model.container().fileSize()));
  } else {
    printText(model);
  }
  return {};
}

}  // namespace

const Command kInfoCommand = {"info", "[--json] [--verify] [--print-license]",
                              kFlags, Command::Shared::None, run};

}  // namespace gemma
