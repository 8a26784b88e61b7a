// SPDX-License-Identifier: Apache-2.0
// Tensor look-up, checks and declaration; see the header.
#include "compiler/importer/models/WeightSymbols.h"

#include "compiler/importer/CheckpointFile.h"
#include "compiler/importer/TensorNames.h"
#include "dialects/quantized/Quantized.h"
#include "dialects/quantized/WeightFormat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Path.h"

using namespace llvm;
using namespace mlir;

namespace gemmac::importer {
namespace {

std::string describe(ArrayRef<int64_t> shape) {
  return "[" +
         join(map_range(shape, [](int64_t n) { return std::to_string(n); }),
              ", ") +
         "]";
}

quantized::Role roleOf(StringRef path) {
  using quantized::Role;
  path.consume_back(".weight");
  StringRef part = path.substr(path.rfind('.') + 1);
  if (part.ends_with("norm")) return Role::Norm;
  return llvm::StringSwitch<Role>(part)
      .Case("embed_tokens", Role::Embedding)
      .Case("lm_head", Role::Head)
      .Case("q_proj", Role::Query)
      .Case("k_proj", Role::Key)
      .Case("v_proj", Role::Value)
      .Case("o_proj", Role::AttentionOutput)
      .Case("gate_proj", Role::Gate)
      .Case("up_proj", Role::Up)
      .Case("down_proj", Role::Down)
      .Default(Role::Other);
}

bool isIgnorable(const CheckpointTensor &tensor, bool tied) {
  StringRef path = tensor.path;
  return path.ends_with("rotary_emb.inv_freq") ||
         (tied && path == "lm_head.weight");
}

}  // namespace

WeightSymbols::WeightSymbols(const Checkpoint &checkpoint, ModuleOp module)
    : checkpoint(checkpoint),
      declarations(OpBuilder::atBlockBegin(module.getBody())) {
  for (const CheckpointTensor &tensor : checkpoint.tensors) {
    auto [entry, fresh] = tensors.emplace(tensor.path, &tensor);
    if (!fresh)
      fail(&tensor, "expected one tensor for " + tensor.path + ", found also " +
                        printable(entry->second->name));
    if (tensor.path == "embed_tokens.weight" && !checkpoint.isGguf)
      prefix = StringRef(tensor.name).drop_back(tensor.path.size()).str();
  }
}

std::string WeightSymbols::fileName(StringRef path) const {
  return checkpoint.isGguf ? pathToGgufName(path) : prefix + path.str();
}

void WeightSymbols::fail(const CheckpointTensor *tensor, const Twine &message) {
  if (!refusal.empty()) return;
  StringRef file = checkpoint.files[tensor ? tensor->file : 0];
  refusal = file.str() + ": " +
            (tensor ? "tensor " + printable(tensor->name) + ": " : "") +
            message.str();
}

const CheckpointTensor *WeightSymbols::lookup(StringRef path,
                                              ArrayRef<int64_t> shape) {
  auto found = tensors.find(path);
  if (found == tensors.end()) {
    std::string name = fileName(path);
    // Of the names that mean nothing here: a neighbour's name helps nobody.
    std::vector<std::string> names;
    for (const CheckpointTensor &tensor : checkpoint.tensors)
      if (pathToGgufName(tensor.path) == tensor.path)
        names.push_back(tensor.name);
    std::string nearest = nearestName(name, names);
    fail(nullptr,
         "missing tensor " + name + " of shape " + describe(shape) +
             (nearest.empty() ? ""
                              : "; did you mean " + printable(nearest) + "?"));
    return nullptr;
  }
  const CheckpointTensor &tensor = *found->second;
  const quantized::WeightFormat *format =
      quantized::lookupFormat(tensor.format);
  if (!format || (shape.size() == 1 && !format->isFloat())) {
    std::string known;
    for (const quantized::WeightFormat *one : quantized::allFormats())
      if (shape.size() > 1 || one->isFloat())
        known += (known.empty() ? "" : ", ") + one->name().str();
    fail(&tensor,
         "unsupported format " + tensor.format + ", expected " + known);
  } else if (shape.back() % format->blockColumns()) {
    fail(&tensor, "expected columns in multiples of " +
                      Twine(format->blockColumns()) + " for " + tensor.format +
                      ", found " + Twine(shape.back()));
  }
  if (ArrayRef(tensor.shape) != shape)
    fail(&tensor, "expected shape " + describe(shape) + ", found " +
                      describe(tensor.shape));
  return &tensor;
}

mlir::Location WeightSymbols::location(const Twine &path) {
  MLIRContext *context = declarations.getContext();
  std::string weight = (path + ".weight").str();
  auto found = tensors.find(weight);
  std::string name =
      found == tensors.end() ? fileName(weight) : found->second->name;
  StringRef short_ = name;
  short_.consume_back(".weight");
  // A part without a tensor of its own, in the words of a GGUF file.
  std::string text = short_.str();
  if (checkpoint.isGguf && StringRef(text).starts_with("layers."))
    text = "blk." + text.substr(7);
  return NameLoc::get(StringAttr::get(context, text));
}

Value WeightSymbols::reference(OpBuilder &builder, const Twine &twine,
                               ArrayRef<int64_t> shape) {
  std::string path = twine.str();
  const CheckpointTensor *tensor = lookup(path, shape);
  // A stand-in keeps the graph's building simple; takeError() discards it.
  bool good = tensor && refusal.empty();
  std::string name = good ? tensor->name : fileName(path);
  std::string format = good ? tensor->format : "f32";
  auto type = quantized::TensorType::get(builder.getContext(), shape, format);
  Location loc =
      location(StringRef(path).drop_back(StringRef(".weight").size()));
  if (declared.insert(name).second)
    quantized::WeightOp::create(
        declarations, loc, name, type,
        quantized::SourceAttr::get(
            builder.getContext(), good ? tensor->file : 0,
            good ? tensor->offset : 0, good ? tensor->bytes : 0, format),
        roleOf(path));
  return quantized::ReferenceOp::create(
      builder, loc, type, FlatSymbolRefAttr::get(builder.getContext(), name),
      /*index=*/Value());
}

Error WeightSymbols::takeError() const {
  if (!refusal.empty()) return importError(refusal);
  for (const CheckpointTensor &tensor : checkpoint.tensors) {
    StringRef path = tensor.path;
    // Other parts (towers, projectors) are none of the language model's.
    bool ours = path.starts_with("layers.") || path.starts_with("blk.") ||
                path == "lm_head.weight" || path.starts_with("rope_") ||
                path.starts_with("embed_tokens");
    if (!ours || declared.count(tensor.name) ||
        isIgnorable(tensor, checkpoint.config.tied))
      continue;
    return importError(checkpoint.files[tensor.file] + ": tensor " +
                       printable(tensor.name) +
                       ": expected no such tensor in "
                       "a model of architecture " +
                       checkpoint.config.architecture);
  }
  return Error::success();
}

}  // namespace gemmac::importer
