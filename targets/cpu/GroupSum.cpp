// SPDX-License-Identifier: Apache-2.0
// See GroupSum.h.
#include "targets/cpu/GroupSum.h"

#include <cassert>

#include "dialects/kernel/Kernel.h"
#include "targets/cpu/MatmulPanel.h"

using namespace mlir;

namespace gemmac::targets {

GroupSum::GroupSum(Emitter &e, const CpuKernels &cpu,
                   const quantized::CodeDescriptor &descriptor, int64_t columns)
    : parts(PanelLayout(descriptor).scales),
      e(e),
      cpu(cpu),
      d(descriptor),
      columns(columns) {}

SmallVector<Value> GroupSum::accumulate(ValueRange accumulators,
                                        ArrayRef<Value> rows, Value column,
                                        const PackedGroup &group) {
  assert(accumulators.size() == rows.size() && "an accumulator a row");
  SmallVector<Value> result(accumulators), scales, sums32;
  Value index = e.shr(column, 5);
  if (d.zeroPoint || d.hasMinimum)
    for (Value row : rows) sums32.push_back(sum32(row, index));
  for (int64_t part = 0; part < parts; ++part) {
    SmallVector<Value> sums = sums32;
    if (parts == 2) sums = sums16(rows, index, part);
    if (sums.empty()) sums.assign(rows.size(), e.c32(0));
    SmallVector<Value> tokens;
    for (Value row : rows) tokens.push_back(e.at(e.at(row, column), 16 * part));
    auto codes = [&](int64_t j) { return group.codes(4 * part + j); };
    GroupDot dot{codes, parts == 2 ? 4 : 8, tokens,
                 sums,  d.codeBits,         d.zeroPoint};
    assert(dot.isWhole() && "a group's parts fit each other");
    SmallVector<Value> products = cpu.groupDot(e, dot);
    assert(products.size() == rows.size() &&
           llvm::all_of(products,
                        [&](Value product) {
                          return product.getType() == e.vec(e.i32());
                        }) &&
           "a target's groupDot gives 16 sums in i32 a row");
    Value weightScale = group.scale(part);
    for (auto [m, product] : llvm::enumerate(products)) {
      if (part == 0) scales.push_back(scale(rows[m], index));
      result[m] = withProduct(result[m], product, weightScale, scales[m]);
    }
  }
  if (d.hasMinimum) {
    Value minimum = group.minimum();
    for (size_t m = 0; m < rows.size(); ++m)
      result[m] = withMinimum(result[m], sums32[m], minimum, scales[m]);
  }
  return result;
}

SmallVector<Value> GroupSum::accumulateStored(ValueRange accumulators,
                                              ArrayRef<Value> rows,
                                              Value column,
                                              const PackedGroup &group,
                                              Value products) {
  assert(accumulators.size() == rows.size() && "an accumulator a row");
  SmallVector<Value> result(accumulators), weightScales;
  Value index = e.shr(column, 5);
  for (int64_t part = 0; part < parts; ++part)
    weightScales.push_back(group.scale(part));
  Value minimum = d.hasMinimum ? group.minimum() : Value();
  for (auto [m, row] : llvm::enumerate(rows)) {
    Value rowScale = scale(row, index);
    for (int64_t part = 0; part < parts; ++part) {
      int64_t at = (part * rows.size() + m) * 64;
      Value product = e.load(e.vec(e.i32()), products, at);
      result[m] = withProduct(result[m], product, weightScales[part], rowScale);
    }
    if (minimum)
      result[m] = withMinimum(result[m], sum32(row, index), minimum, rowScale);
  }
  return result;
}

Value GroupSum::withProduct(Value acc, Value product, Value weightScale,
                            Value scale) {
  return e.fma(e.toF32(product), e.mul(weightScale, scale), acc);
}
Value GroupSum::withMinimum(Value acc, Value sum32, Value minimum,
                            Value scale) {
  Value sum = e.splat(e.negate(e.toF32(sum32)));
  return e.fma(sum, e.mul(minimum, scale), acc);
}

// Entry `index` of one of a row's tables of four bytes each.
Value GroupSum::field(Value row, int64_t offset, Value index) {
  return e.at(e.at(row, offset), e.shl(index, 2));
}
Value GroupSum::scale(Value row, Value index) {
  return e.splat(
      e.load(e.f32(),
             field(row, quantized::ActivationLayout(columns).scales(), index)));
}
Value GroupSum::sum32(Value row, Value index) {
  return e.load(
      e.i32(),
      field(row, quantized::ActivationLayout(columns).sums32(), index));
}
SmallVector<Value> GroupSum::sums16(ArrayRef<Value> rows, Value index,
                                    int64_t part) {
  SmallVector<Value> sums;
  for (Value row : rows)
    sums.push_back(e.load(
        e.i32(), e.at(field(row, quantized::ActivationLayout(columns).sums16(),
                            e.shl(index, 1)),
                      4 * part)));
  return sums;
}

}  // namespace gemmac::targets
