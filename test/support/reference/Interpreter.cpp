// SPDX-License-Identifier: Apache-2.0
// The reference interpreter: walks @forward op by op and hands each to its
// function in FloatOps or CodeOps. See Interpreter.h.
#include "test/support/reference/Interpreter.h"

#include <map>
#include <variant>

#include "dialects/gemma/Gemma.h"
#include "dialects/kernel/Kernel.h"
#include "llvm/ADT/TypeSwitch.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "test/support/reference/CodeOps.h"
#include "test/support/reference/FloatOps.h"

using namespace mlir;
using namespace gemmac;
using namespace gemmac::reference;

namespace {

using Ids = std::vector<int32_t>;
// What an SSA value holds: rows, ids, codes, a weight, or an index.
template <typename T>
using Shared = std::shared_ptr<const T>;
using Datum = std::variant<Shared<Tensor>, Shared<Ids>, Shared<Activations>,
                           Weight, int64_t>;

int64_t lastDimension(Value value) {
  return cast<RankedTensorType>(value.getType()).getShape().back();
}

class Interpreter {
 public:
  Interpreter(ModuleOp module, const Options &options)
      : module(module),
        options(options),
        floats(floatOps(options.order)),
        files(module) {}

  // The results of `function` for `inputs`.
  FailureOr<SmallVector<Datum>> call(func::FuncOp function,
                                     ArrayRef<Datum> inputs) {
    return runBlock(function.getBody().front(), inputs);
  }

 private:
  FailureOr<SmallVector<Datum>> runBlock(Block &block, ArrayRef<Datum> inputs);
  LogicalResult run(Operation *op);
  FailureOr<Tensor> compute(Operation *op);
  FailureOr<Tensor> compute(gemma::EmbedOp op);
  Tensor compute(gemma::AttentionOp op);
  LogicalResult runLoop(scf::ForOp op);
  LogicalResult runCall(func::CallOp op);
  LogicalResult runLayer(kernel::CallLayerOp op);
  LogicalResult bindResults(Operation *op, FailureOr<SmallVector<Datum>> data);
  FailureOr<Weight> reference(quantized::ReferenceOp op);

  SmallVector<Datum> dataOf(OperandRange values) {
    return llvm::map_to_vector(values, [&](Value v) { return at(v); });
  }
  const Datum &at(Value value) { return data.find(value)->second; }
  const Tensor &rows(Value value) {
    return *std::get<Shared<Tensor>>(at(value));
  }
  const Ids &ids(Value value) { return *std::get<Shared<Ids>>(at(value)); }
  const Weight &weight(Value value) { return std::get<Weight>(at(value)); }
  int64_t index(Value value) { return std::get<int64_t>(at(value)); }

  // Keys or values as the cache would give them back.
  Tensor stored(const Tensor &tensor) {
    return options.keyValueFormat == "bf16" ? roundToBf16(tensor) : tensor;
  }

  template <typename Op>
  Tensor normalised(const Tensor &tensor, Value gain, Op op) {
    // Optional in some ops, always there where there is a gain.
    quantized::NormAttr norm = op.getNormAttr();
    return floats.rmsNorm(tensor, weight(gain), norm.epsValue(),
                          norm.gainOffsetValue());
  }
  // The rows that an op reads, after the norm that it may carry.
  template <typename Op>
  Tensor input(Op op) {
    const Tensor &tensor = rows(op.getInput());
    return op.getGain() ? normalised(tensor, op.getGain(), op) : tensor;
  }
  // `multiply` with each weight, and what follows the products.
  template <typename Op>
  SmallVector<Datum> products(
      Op op, llvm::function_ref<Tensor(const Weight &)> multiply) {
    SmallVector<Tensor> results;
    for (Value value : op.getWeights())
      results.push_back(multiply(weight(value)));
    if (op.getGeglu()) results = {floats.geglu(results[0], results[1])};
    SmallVector<Datum> made;
    for (Tensor &result : results) {
      if (op.getSoftcap())
        result = floats.softcap(result, op.getSoftcap()->convertToFloat());
      made.push_back(std::make_shared<const Tensor>(std::move(result)));
    }
    if (op.getArgMax())
      made.push_back(std::make_shared<const Tensor>(
          argMax(*std::get<Shared<Tensor>>(made[0]))));
    return made;
  }

  ModuleOp module;
  Options options;
  const FloatOps &floats;
  WeightFiles files;
  llvm::DenseMap<Value, Datum> data;
};

FailureOr<SmallVector<Datum>> Interpreter::runBlock(Block &block,
                                                    ArrayRef<Datum> inputs) {
  for (auto [argument, input] : llvm::zip_equal(block.getArguments(), inputs))
    data.insert_or_assign(argument, input);
  for (Operation &op : block.without_terminator())
    if (failed(run(&op))) return failure();
  SmallVector<Datum> results = dataOf(block.getTerminator()->getOperands());
  for (Operation &op : block)
    for (Value value : op.getResults()) data.erase(value);
  return results;
}

LogicalResult Interpreter::bindResults(Operation *op,
                                       FailureOr<SmallVector<Datum>> results) {
  if (failed(results)) return failure();
  for (auto [value, datum] : llvm::zip_equal(op->getResults(), *results))
    data.insert_or_assign(value, datum);
  return success();
}

LogicalResult Interpreter::runCall(func::CallOp op) {
  auto callee = module.lookupSymbol<func::FuncOp>(op.getCallee());
  if (!callee || callee.isDeclaration())
    return op.emitError("expected a function with a body, found @")
           << op.getCallee();
  return bindResults(op, call(callee, dataOf(op.getOperands())));
}

LogicalResult Interpreter::runLayer(kernel::CallLayerOp op) {
  func::FuncOp callee = kernel::lookupLayer(op);
  if (!callee) return op.emitError("expected a layer with a body");
  SmallVector<Datum> inputs = dataOf(op.getInputs());
  inputs.append({at(op.getIndex()), at(op.getCache())});
  return bindResults(op, call(callee, inputs));
}

LogicalResult Interpreter::runLoop(scf::ForOp op) {
  SmallVector<Datum> carried = dataOf(op.getInitArgs());
  int64_t end = index(op.getUpperBound()), step = index(op.getStep());
  for (int64_t i = index(op.getLowerBound()); i < end; i += step) {
    SmallVector<Datum> inputs = {i};
    inputs.append(carried);
    FailureOr<SmallVector<Datum>> next = runBlock(*op.getBody(), inputs);
    if (failed(next)) return failure();
    carried = std::move(*next);
  }
  return bindResults(op, std::move(carried));
}

FailureOr<Weight> Interpreter::reference(quantized::ReferenceOp op) {
  StringRef symbol = op.getSymbol();
  if (op.getIndex()) {
    auto table = module.lookupSymbol<quantized::WeightTableOp>(symbol);
    int64_t entry = index(op.getIndex());
    if (entry < 0 || entry >= int64_t(table.getWeights().size()))
      return op.emitError("expected an index below ")
             << table.getWeights().size() << ", found " << entry;
    symbol = cast<FlatSymbolRefAttr>(table.getWeights()[entry]).getValue();
  }
  return files.open(module.lookupSymbol<quantized::WeightOp>(symbol));
}

// Ops whose results are not f32 tensors, and control flow; the rest computes.
LogicalResult Interpreter::run(Operation *op) {
  if (auto call = dyn_cast<func::CallOp>(op)) return runCall(call);
  if (auto layer = dyn_cast<kernel::CallLayerOp>(op)) return runLayer(layer);
  if (auto loop = dyn_cast<scf::ForOp>(op)) return runLoop(loop);
  if (auto layer = dyn_cast<gemma::LayerOp>(op))
    return bindResults(
        op, runBlock(layer.getBody().front(), dataOf(layer.getInputs())));
  if (auto constant = dyn_cast<arith::ConstantIndexOp>(op)) {
    data.insert_or_assign(constant, constant.value());
    return success();
  }
  if (auto use = dyn_cast<quantized::ReferenceOp>(op)) {
    FailureOr<Weight> found = reference(use);
    if (failed(found)) return failure();
    data.insert_or_assign(use, *found);
    return success();
  }
  if (auto quantize = dyn_cast<quantized::QuantizeActivationOp>(op)) {
    data.insert_or_assign(quantize, std::make_shared<const Activations>(
                                        quantizeActivation(input(quantize))));
    return success();
  }
  if (auto linear = dyn_cast<gemma::LinearOp>(op)) {
    Tensor x = input(linear);
    return bindResults(op, products(linear, [&](const Weight &weight) {
                         return floats.linear(x, weight);
                       }));
  }
  if (auto product = dyn_cast<quantized::MatmulOp>(op)) {
    const auto &x = std::get<Shared<Activations>>(at(product.getInput()));
    return bindResults(op, products(product, [&](const Weight &weight) {
                         return matmul(*x, weight);
                       }));
  }
  FailureOr<Tensor> result = compute(op);
  if (failed(result)) return failure();
  data.insert_or_assign(op->getResult(0),
                        std::make_shared<const Tensor>(std::move(*result)));
  return success();
}

FailureOr<Tensor> Interpreter::compute(gemma::EmbedOp op) {
  const Weight &table = weight(op.getWeight());
  for (int32_t token : ids(op.getTokens()))
    if (token < 0 || token >= table.rows())
      return op.emitError("expected token ids below ")
             << table.rows() << ", found " << token;
  return embed(ids(op.getTokens()), table, op.getScale().convertToFloat());
}

Tensor Interpreter::compute(gemma::AttentionOp op) {
  AttentionShape shape{int64_t(op.getHeadDim()), op.getScale().convertToFloat(),
                       op.getSoftcap().convertToFloat(),
                       int64_t(op.getWindow())};
  Tensor query = rows(op.getQuery()), key = rows(op.getKey());
  if (op.getQueryGain()) {
    query = normalised(query, op.getQueryGain(), op);
    key = normalised(key, op.getKeyGain(), op);
  }
  if (op.getAngles()) {
    query = floats.rope(query, rows(op.getAngles()));
    key = floats.rope(key, rows(op.getAngles()));
  }
  return floats.attention(query, stored(key), stored(rows(op.getValue())),
                          ids(op.getPositions()), shape);
}

FailureOr<Tensor> Interpreter::compute(Operation *op) {
  using Result = FailureOr<Tensor>;
  if (options.order == Order::Exact &&
      isa<gemma::AttentionScoresOp, gemma::SoftmaxOp, gemma::AttentionValuesOp>(
          op))
    return op->emitError("expected a module after FuseAttention for the exact ")
           << "order, found " << op->getName();
  return TypeSwitch<Operation *, Result>(op)
      .Case<gemma::EmbedOp, gemma::AttentionOp>(
          [&](auto o) { return Result(compute(o)); })
      .Case([&](gemma::RmsNormOp o) {
        Tensor normal = normalised(rows(o.getInput()), o.getGain(), o);
        return o.getResidual() ? add(rows(o.getResidual()), normal) : normal;
      })
      .Case([&](gemma::RopeAnglesOp o) {
        return floats.ropeAngles(
            ids(o.getPositions()), lastDimension(o.getResult()),
            o.getTheta().convertToDouble(), o.getFactor().convertToDouble());
      })
      .Case([&](gemma::RopeOp o) {
        return floats.rope(rows(o.getInput()), rows(o.getAngles()));
      })
      .Case([&](gemma::AttentionScoresOp o) {
        return attentionScores(rows(o.getQuery()), stored(rows(o.getKey())),
                               o.getHeadDim(), o.getScale().convertToFloat());
      })
      .Case([&](gemma::SoftcapOp o) {
        return floats.softcap(rows(o.getInput()), o.getCap().convertToFloat());
      })
      .Case([&](gemma::MaskOp o) {
        return mask(rows(o.getScores()), ids(o.getPositions()), o.getWindow());
      })
      .Case([&](gemma::SoftmaxOp o) { return softmax(rows(o.getInput())); })
      .Case([&](gemma::AttentionValuesOp o) {
        const Tensor &p = rows(o.getProbabilities());
        return attentionValues(p, stored(rows(o.getValue())),
                               lastDimension(o.getResult()) / p.shape[1]);
      })
      .Case([&](gemma::GegluOp o) {
        return floats.geglu(rows(o.getGate()), rows(o.getUp()));
      })
      .Case([&](gemma::AddOp o) {
        return add(rows(o.getLhs()), rows(o.getRhs()));
      })
      // All rows are wanted here: their logits are what is compared.
      .Case([&](gemma::WantedRowsOp o) { return rows(o.getInput()); })
      .Default([](Operation *o) -> Result {
        return o->emitError("the reference interpreter has no formula for ")
               << o->getName();
      });
}

}  // namespace

FailureOr<Tensor> reference::evaluate(ModuleOp module, ArrayRef<int32_t> tokens,
                                      const Options &options) {
  auto forward = module.lookupSymbol<func::FuncOp>("forward");
  if (!forward || forward.isDeclaration() || forward.getNumArguments() != 2 ||
      forward.getNumResults() < 1)
    return module.emitError(
        "expected func @forward(%tokens, %positions) with a result");
  auto positions = std::make_shared<Ids>(tokens.size());
  std::iota(positions->begin(), positions->end(), 0);
  Datum inputs[] = {std::make_shared<const Ids>(tokens.begin(), tokens.end()),
                    Shared<Ids>(positions)};
  Interpreter interpreter(module, options);
  FailureOr<SmallVector<Datum>> results = interpreter.call(forward, inputs);
  if (failed(results)) return failure();
  return *std::get<Shared<Tensor>>(results->front());
}
