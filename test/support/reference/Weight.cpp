// SPDX-License-Identifier: Apache-2.0
// Reading weights for the reference interpreter; see Weight.h.
#include "test/support/reference/Weight.h"

using namespace mlir;
using namespace gemmac;
using namespace gemmac::reference;

const uint8_t *Weight::readRow(int64_t row,
                               std::vector<uint8_t> &storage) const {
  const uint8_t *stored = bytes + row * source->sourceBytes(1, columnCount);
  if (source == target) return stored;
  std::vector<float> values(columnCount);
  source->decodeReference(stored, columnCount, values.data());
  storage.resize(target->sourceBytes(1, columnCount));
  // WeightFiles::open made sure that the format can be encoded.
  target->encode(values.data(), columnCount, storage.data());
  return storage.data();
}

void Weight::decodeRow(int64_t row, std::vector<float> &values) const {
  std::vector<uint8_t> storage;
  values.resize(columnCount);
  target->decodeReference(readRow(row, storage), columnCount, values.data());
}

// The bytes of the file that `op` names.
FailureOr<StringRef> WeightFiles::contents(quantized::WeightOp op) {
  auto sources = module->getAttrOfType<ArrayAttr>("gemma.sources");
  uint64_t index = op.getSource().getFile();
  if (!sources || index >= sources.size())
    return op.emitError("expected a file index below ")
           << (sources ? sources.size() : 0)
           << ", the length of gemma.sources, found " << index;
  auto path = dyn_cast<StringAttr>(sources[index]);
  if (!path)
    return op.emitError("expected a path in gemma.sources, found ")
           << sources[index];
  files.resize(sources.size());
  if (!files[index]) {
    auto file = llvm::MemoryBuffer::getFile(path.getValue(), /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
    if (!file)
      return op.emitError("cannot read ")
             << path << ": " << file.getError().message();
    files[index] = std::move(*file);
  }
  return files[index]->getBuffer();
}

FailureOr<Weight> WeightFiles::open(quantized::WeightOp op) {
  FailureOr<StringRef> file = contents(op);
  if (failed(file)) return failure();
  uint64_t begin = op.getSource().getOffset(), size = op.getSource().getBytes();
  if (begin > file->size() || size > file->size() - begin)
    return op.emitError("expected ") << size << " bytes at " << begin
                                     << ", found a file of " << file->size();
  quantized::TensorType type = op.getTensorType();
  Weight weight;
  weight.bytes = file->bytes_begin() + begin;
  weight.rowCount = type.isVector() ? 1 : type.rows();
  weight.columnCount = type.columns();
  weight.source = quantized::lookupFormat(op.getSource().getFormat());
  weight.target = quantized::lookupFormat(type.getFormat());
  if (weight.source != weight.target) {
    std::vector<float> zeros(weight.columnCount);
    std::vector<uint8_t> row(weight.target->sourceBytes(1, zeros.size()));
    if (!weight.target->encode(zeros.data(), zeros.size(), row.data()))
      return op.emitError("cannot encode ") << type.getFormat();
  }
  return weight;
}
