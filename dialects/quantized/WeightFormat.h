// SPDX-License-Identifier: Apache-2.0
// A weight format: what the bits of a stored tensor mean, and how they lie in
// the output file. Checkpoint bytes -> (decodeReference) f32, the judge of all
// else; -> (repack) the packed layout. Targets read that layout by the
// descriptor (targets/cpu/PackedEmission.h for CPUs). Does not know targets,
// files or ops. One file pair a format in formats/.
#ifndef GEMMAC_DIALECTS_QUANTIZED_WEIGHTFORMAT_H
#define GEMMAC_DIALECTS_QUANTIZED_WEIGHTFORMAT_H

#include <cstdint>
#include <string>

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace gemmac::quantized {

// How the scale of a group is stored.
enum class ScaleRule {
  F16,        // one f16 a group of 32
  F16Times6,  // f16 of the super-block x 6-bit integer a group (Q4_K, Q5_K)
  F16TimesS8  // f16 of the super-block x s8 a group of 16 (Q6_K)
};

// Every dot with the format is, in increasing g (docs/numerics.md, point 2):
//   acc = fma(float(sum q*x - zeroPoint * sum x), d*a, acc)
//   hasMinimum: acc = fma(-float(sum x), m*a, acc)
// and every weight is d * (q - zeroPoint) - m, with d and m as f32 products of
// their stored factors.
struct CodeDescriptor {
  unsigned codeBits;    // 4, 5, 6 or 8; codes are unsigned in [0, 2^codeBits)
  int zeroPoint;        // 8, 16, 32, 128 or 0
  unsigned group;       // 16 or 32 columns share a scale
  unsigned superBlock;  // 32 or 256 columns: one block of the checkpoint
  ScaleRule scaleRule;
  bool hasMinimum;
};

// One super-block of one row as integers, the form between checkpoint bytes
// and the packed layout. Nothing is rounded: packed bits are the stored bits.
struct CodeBlock {
  uint8_t codes[256];       // superBlock of them
  uint16_t scale;           // f16 bits
  uint16_t minimum;         // f16 bits (m, or the factor of the 6-bit minima)
  uint8_t subScales[16];    // 6-bit, or s8 as two's complement
  uint8_t subMinimums[16];  // 6-bit
};

class WeightFormat {
 public:
  virtual ~WeightFormat() = default;

  // "q5_0": the name in types, metadata and recipes.
  virtual llvm::StringRef name() const = 0;
  // Columns and bytes of one block as the checkpoint stores it; 1 and the
  // element's size for float formats.
  virtual unsigned blockColumns() const = 0;
  virtual unsigned blockBytes() const = 0;
  // Null for f32, f16 and bf16.
  virtual const CodeDescriptor *codes() const { return nullptr; }
  bool isFloat() const { return codes() == nullptr; }

  // `columns` values, a multiple of blockColumns(), from checkpoint bytes.
  // For code formats value = d * (q - zeroPoint) - m, every operation rounded
  // to f32 once.
  virtual void decodeReference(const uint8_t *source, int64_t columns,
                               float *values) const = 0;
  // The inverse: best codes for the values, in the checkpoint's layout. Float
  // formats round half to even. False when the format cannot be made here
  // (the K formats), or when a code format cannot hold a value: NaN, infinity,
  // or a scale beyond f16. What `source` holds then is unspecified.
  virtual bool encode(const float *values, int64_t columns,
                      uint8_t *source) const {
    return false;
  }
  // One super-block of one row as integers. Code formats only.
  virtual void parse(const uint8_t *source, CodeBlock &block) const {}

  // Bytes of `rows` x `columns` in the checkpoint's layout.
  int64_t sourceBytes(int64_t rows, int64_t columns) const {
    return rows * (columns / blockColumns()) * blockBytes();
  }
};

// The format of that name, or null.
const WeightFormat *lookupFormat(llvm::StringRef name);
// All formats, in the order of docs/reference.
llvm::ArrayRef<const WeightFormat *> allFormats();

// f16 and bf16 bits to f32 (exact) and back (round half to even).
float f16ToF32(uint16_t bits);
uint16_t f32ToF16(float value);
float bf16ToF32(uint16_t bits);
uint16_t f32ToBf16(float value);

}  // namespace gemmac::quantized

#endif
