// SPDX-License-Identifier: Apache-2.0
// What formats with integer codes share: decodeReference by way of parse(), and
// the value of one code. A format file adds only its block's layout.
// Does not know the packed layout.
#ifndef GEMMAC_DIALECTS_QUANTIZED_FORMATS_CODEFORMAT_H
#define GEMMAC_DIALECTS_QUANTIZED_FORMATS_CODEFORMAT_H

#include "dialects/quantized/WeightFormat.h"

namespace gemmac::quantized {

class CodeFormat : public WeightFormat {
 public:
  llvm::StringRef name() const final { return formatName; }
  unsigned blockColumns() const final { return descriptor.superBlock; }
  unsigned blockBytes() const final { return bytes; }
  const CodeDescriptor *codes() const final { return &descriptor; }
  void decodeReference(const uint8_t *source, int64_t columns,
                       float *values) const final;

 protected:
  CodeFormat(llvm::StringRef name, unsigned blockBytes,
             const CodeDescriptor &descriptor)
      : formatName(name), bytes(blockBytes), descriptor(descriptor) {}

 private:
  llvm::StringRef formatName;
  unsigned bytes;
  CodeDescriptor descriptor;
};

// d * (q - zeroPoint) - m of one column of the block, each operation rounded
// to f32 once. (d and m are exact: 11 bits by 6 or 7.)
float codeValue(const CodeDescriptor &descriptor, const CodeBlock &block,
                unsigned column);

// GGUF is little-endian whatever the host is.
inline uint16_t loadU16(const uint8_t *bytes) {
  return uint16_t(bytes[0] | bytes[1] << 8);
}
inline void storeU16(uint8_t *bytes, uint16_t value) {
  bytes[0] = uint8_t(value);
  bytes[1] = uint8_t(value >> 8);
}

// Blocks of 32 columns in 16 bytes: column i in the low nibble of byte i,
// column i + 16 in its high nibble.
void unpackNibbles(const uint8_t *nibbles, uint8_t *codes);
void packNibbles(const uint8_t *codes, uint8_t *nibbles);
// Bit i of the little-endian 32-bit word is bit 4 of the code of column i.
void unpackFifthBits(const uint8_t *word, uint8_t *codes);
void packFifthBits(const uint8_t *codes, uint8_t *word);

// Q4_K and Q5_K: 12 bytes hold eight 6-bit scales and eight 6-bit minimums.
void unpackSixBitScales(const uint8_t *packed, CodeBlock &block);

}  // namespace gemmac::quantized

#endif
