// SPDX-License-Identifier: Apache-2.0
// The plan, and the threads that follow it. See WeightStream.h.
#include "compiler/packaging/WeightStream.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "compiler/packaging/OrderedHash.h"
#include "compiler/packaging/SourceFiles.h"
#include "compiler/packaging/WeightPieces.h"
#include "dialects/kernel/Kernel.h"
#include "dialects/quantized/Quantized.h"

using namespace llvm;
using gemmac::quantized::WeightFormat;

namespace gemmac::packaging {

static Expected<WeightJob> planWeight(quantized::WeightOp weight,
                                      size_t sourceCount) {
  auto fail = [&](const Twine &message) {
    return createStringError("tensor '" + weight.getSymName() +
                             "': " + message);
  };
  quantized::TensorType type = weight.getTensorType();
  WeightJob job;
  job.name = weight.getSymName().str();
  quantized::SourceAttr source = weight.getSource();
  job.source = quantized::lookupFormat(source.getFormat());
  job.format = quantized::lookupFormat(type.getFormat());
  job.layout = weight.getLayout();
  for (auto transform :
       weight.getTransforms().getAsRange<quantized::TransformAttr>())
    job.transforms.push_back(transform.getValue());
  job.rows = type.isVector() ? 1 : type.rows();
  job.columns = type.columns();
  job.file = size_t(source.getFile());
  job.sourceOffset = uint64_t(source.getOffset());
  job.packedOffset = uint64_t(*weight.getPackedOffset());
  if (job.file >= sourceCount)
    return fail("expected a file index below " + Twine(sourceCount) +
                ", found " + Twine(source.getFile()));
  if (type.isVector() && job.format->name() != "f32")
    return fail("expected a vector to be kept as f32, found " +
                job.format->name());
  job.packedBytes = uint64_t(quantized::packedBytes(type));
  return job;
}

Expected<WeightPlan> planWeights(mlir::ModuleOp module) {
  WeightPlan plan;
  if (auto sources = module->getAttrOfType<mlir::ArrayAttr>("gemma.sources"))
    for (mlir::Attribute source : sources) {
      auto path = dyn_cast<mlir::StringAttr>(source);
      if (!path)
        return createStringError("gemma.sources: expected paths as strings");
      plan.sources.push_back(path.str());
    }
  for (auto weight : module.getOps<quantized::WeightOp>()) {
    if (!weight.getPackedOffset()) continue;
    Expected<WeightJob> job = planWeight(weight, plan.sources.size());
    if (!job) return job.takeError();
    plan.jobs.push_back(std::move(*job));
  }
  sort(plan.jobs, [](const WeightJob &a, const WeightJob &b) {
    return a.packedOffset < b.packedOffset;
  });
  uint64_t end = 0;
  for (const WeightJob &job : plan.jobs) {
    if (job.packedOffset < end)
      return createStringError(
          "tensor '" + job.name + "': expected a packed offset of at least " +
          Twine(end) + ", found " + Twine(job.packedOffset));
    end = job.packedOffset + job.packedBytes;
  }
  plan.sectionBytes = end;
  for (auto model : module.getOps<kernel::ModelOp>()) {
    plan.modelSymbol = model.getSymName().str();
    uint64_t bytes = uint64_t(model.getWeightBytes().value_or(int64_t(end)));
    if (bytes < end)
      return createStringError(
          "kernel.model: expected weight_bytes of at "
          "least " +
          Twine(end) + ", found " + Twine(bytes));
    plan.sectionBytes = bytes;
  }
  return plan;
}

namespace {

class Stream {
 public:
  Stream(const WeightPlan &plan, output::AtomicFile &output,
         uint64_t fileOffset, unsigned threads, output::Progress &progress)
      : plan(plan),
        output(output),
        fileOffset(fileOffset),
        progress(progress),
        pieces(cutPieces(plan)),
        threads(threads),
        hash(2 * size_t(threads)) {}

  Expected<uint64_t> run() {
    if (Error error = files.open(plan.sources)) return std::move(error);
    std::vector<std::thread> workers;
    for (unsigned i = 1; i < threads; ++i)
      workers.emplace_back([this] { work(); });
    work();
    for (std::thread &worker : workers) worker.join();
    if (failure) return std::move(*failure);
    return hash.digest(plan.sectionBytes);
  }

 private:
  void work() {
    PieceBuffers buffers;
    for (;;) {
      size_t index = nextPiece.fetch_add(1);
      if (index >= pieces.size() || !hash.begin(index)) return;
      if (Error error = process(index, buffers)) {
        std::lock_guard<std::mutex> lock(failureMutex);
        // The first failure is told; what follows from it is not.
        if (failure)
          consumeError(std::move(error));
        else
          failure.emplace(std::move(error));
        hash.stop();
        return;
      }
    }
  }

  Error process(size_t index, PieceBuffers &buffers) {
    const WeightPiece &piece = pieces[index];
    const WeightJob &job = plan.jobs[piece.job];
    buffers.source.resize(size_t(piece.sourceBytes));
    if (Error error = files.read(
            plan, job, job.sourceOffset + piece.sourceStart, buffers.source))
      return error;
    if (Error error = packPiece(job, piece, buffers)) return error;
    uint64_t offset = job.packedOffset + piece.packedStart;
    if (Error error = output.write(buffers.packed, fileOffset + offset))
      return error;
    uint64_t bytes = doneBytes += buffers.packed.size();
    size_t tensors = doneTensors += piece.isLast;
    progress.weights(tensors, plan.jobs.size(), bytes, plan.sectionBytes);
    hash.finish(index, offset, buffers.packed);
    return Error::success();
  }

  const WeightPlan &plan;
  output::AtomicFile &output;
  uint64_t fileOffset;
  output::Progress &progress;
  std::vector<WeightPiece> pieces;
  unsigned threads;
  OrderedHash hash;
  SourceFiles files;
  std::atomic<size_t> nextPiece = 0;
  std::atomic<uint64_t> doneBytes = 0;
  std::atomic<size_t> doneTensors = 0;
  std::mutex failureMutex;
  std::optional<Error> failure;
};

}  // namespace

Expected<uint64_t> streamWeights(const WeightPlan &plan,
                                 output::AtomicFile &output,
                                 uint64_t fileOffset, unsigned threads,
                                 output::Progress &progress) {
  if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
  return Stream(plan, output, fileOffset, threads, progress).run();
}

}  // namespace gemmac::packaging
