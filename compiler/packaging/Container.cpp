// SPDX-License-Identifier: Apache-2.0
// Layout and hashes of the container. See Container.h.
#include "compiler/packaging/Container.h"

#include <cstddef>
#include <cstring>

#include <xxhash.h>

#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace gemmac::packaging {

// The trailer is written as it lies in memory.
static_assert(endianness::native == endianness::little);

static uint64_t hashPadded(ArrayRef<uint8_t> bytes, uint64_t paddedSize) {
  std::vector<uint8_t> padding(paddedSize - bytes.size());
  XXH3_state_t *state = XXH3_createState();
  XXH3_64bits_reset(state);
  if (!bytes.empty()) XXH3_64bits_update(state, bytes.data(), bytes.size());
  if (!padding.empty())
    XXH3_64bits_update(state, padding.data(), padding.size());
  uint64_t hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  return hash;
}

ContainerWriter::ContainerWriter(output::AtomicFile &file,
                                 const ContainerParts &parts)
    : file(file), parts(parts) {
  trailer.container_offset = alignTo(parts.code.size(), GEMMA_CONTAINER_ALIGN);
  uint64_t sizes[GEMMA_SECTION_COUNT];
  sizes[GEMMA_SECTION_METADATA] = parts.metadata.size();
  sizes[GEMMA_SECTION_TOKENIZER] = parts.tokenizer.size();
  sizes[GEMMA_SECTION_WEIGHTS] = parts.weightBytes;
  uint64_t offset = 0;
  for (int i = 0; i < GEMMA_SECTION_COUNT; ++i) {
    offset = alignTo(offset, GEMMA_SECTION_ALIGN);
    trailer.sections[i].offset = offset;
    trailer.sections[i].size = sizes[i];
    offset += sizes[i];
  }
  trailerOffset = trailer.container_offset + alignTo(offset, 8);
  trailer.version = 1;
  trailer.trailer_bytes = sizeof(trailer);
  std::memcpy(trailer.magic, GEMMA_CONTAINER_MAGIC, sizeof(trailer.magic));
}

uint64_t ContainerWriter::weightsOffset() const {
  return trailer.container_offset +
         trailer.sections[GEMMA_SECTION_WEIGHTS].offset;
}

Error ContainerWriter::writeParts() {
  if (Error error = file.write(parts.code, 0)) return error;
  trailer.code_hash = hashPadded(parts.code, trailer.container_offset);
  auto section = [&](int index, ArrayRef<uint8_t> bytes) {
    gemma_section &entry = trailer.sections[index];
    entry.hash = hashPadded(bytes, bytes.size());
    return file.write(bytes, trailer.container_offset + entry.offset);
  };
  if (Error error = section(GEMMA_SECTION_METADATA, parts.metadata))
    return error;
  return section(GEMMA_SECTION_TOKENIZER, parts.tokenizer);
}

Error ContainerWriter::finish(uint64_t weightsHash) {
  trailer.sections[GEMMA_SECTION_WEIGHTS].hash = weightsHash;
  trailer.trailer_hash =
      XXH3_64bits(&trailer, offsetof(gemma_trailer, trailer_hash));
  ArrayRef<uint8_t> bytes(reinterpret_cast<const uint8_t *>(&trailer),
                          sizeof(trailer));
  return file.write(bytes, trailerOffset);
}

}  // namespace gemmac::packaging
