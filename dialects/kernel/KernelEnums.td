// SPDX-License-Identifier: Apache-2.0
// The enumerations of the kernel dialect; see QuantizedEnums.td for why apart.
#ifndef GEMMAC_DIALECTS_KERNEL_KERNELENUMS_TD
#define GEMMAC_DIALECTS_KERNEL_KERNELENUMS_TD

include "mlir/IR/EnumAttr.td"

def Kernel_KvFormat : I32EnumAttr<"KvFormat", "elements of the KV cache", [
    I32EnumAttrCase<"F32", 0, "f32">, I32EnumAttrCase<"Bf16", 1, "bf16">]> {
  let cppNamespace = "::gemmac::kernel";
  let genSpecializedAttr = 0;
}

#endif
