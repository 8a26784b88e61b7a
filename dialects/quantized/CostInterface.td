// SPDX-License-Identifier: Apache-2.0
// What an op reads and computes, for reports: --pass-report asks the gemma
// dialect's ops, `bench --profile` the kernel dialect's. A model of the cost,
// not a measurement, and nothing that is compiled depends on it.
#ifndef GEMMAC_DIALECTS_QUANTIZED_COSTINTERFACE_TD
#define GEMMAC_DIALECTS_QUANTIZED_COSTINTERFACE_TD

include "mlir/IR/OpBase.td"

def CostOpInterface : OpInterface<"CostOpInterface"> {
  let description = [{
    Numbers are of one row, weights of a whole call; a multiply-add is two
    operations. Each method has a default, so that an op says only what is
    particular about it.
  }];
  let cppNamespace = "::gemmac::quantized";
  let methods = [
    InterfaceMethod<"What a phase is called whose work this is; empty: after "
                    "the roles of its weights.",
      "::llvm::StringRef", "getCostLabel", (ins), [{}], [{ return "rows"; }]>,
    InterfaceMethod<"Of several ops in a phase the one of the highest rank "
                    "names it.",
      "int", "getCostRank", (ins), [{}], [{ return -1; }]>,
    InterfaceMethod<"The weights it reads, a whole one or a row.",
      "::llvm::SmallVector<::gemmac::quantized::WeightUse>", "getWeightUses",
      (ins), [{}], [{ return wholeWeights($_op); }]>,
    InterfaceMethod<"Operations beside those on the cache.",
      "int64_t", "getRowOperations", (ins), [{}],
      [{ return elementsOfFirstResult($_op); }]>,
    InterfaceMethod<"What it does with each position of the KV cache that a "
                    "row sees.",
      "::std::optional<::gemmac::quantized::CacheUse>", "getCacheUse", (ins),
      [{}], [{ return useOfScores($_op); }]>,
    InterfaceMethod<"How many of its first results need not be written.",
      "unsigned", "getUnwrittenResults", (ins), [{}], [{ return 0; }]>,
  ];
}

#endif
