// SPDX-License-Identifier: Apache-2.0
// The packaging stage. See Package.h.
#include "compiler/packaging/Package.h"

#include "compiler/packaging/Container.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace gemmac::packaging {

Error packageProgram(const Program &program, const WeightPlan &plan,
                     output::AtomicFile &output, output::Progress &progress) {
  // A checkpoint's file must not be what we write over, whatever its name.
  if (Error error = output::checkOutputPath(output.path(), plan.sources))
    return error;

  progress.phase("linking");
  Expected<LinkCommand> command = linkCommand(program.link);
  if (!command) return command.takeError();
  auto code = linkProgram(*command, program.object, output);
  if (!code) return code.takeError();

  ContainerParts parts;
  parts.code = *code;
  parts.metadata = arrayRefFromStringRef(program.metadata);
  parts.tokenizer = program.tokenizer;
  parts.weightBytes = plan.sectionBytes;
  ContainerWriter container(output, parts);
  if (Error error = output.reserve(container.fileBytes())) return error;
  if (Error error = container.writeParts()) return error;

  progress.phase("writing weights");
  Expected<uint64_t> hash = streamWeights(
      plan, output, container.weightsOffset(), program.threads, progress);
  if (!hash) return hash.takeError();
  if (Error error = container.finish(*hash)) return error;

  progress.phase("finishing");
  return output.commit();
}

Error writeWhole(output::AtomicFile &output, ArrayRef<char> bytes) {
  StringRef text(bytes.data(), bytes.size());
  if (Error error = output.write(arrayRefFromStringRef(text), 0)) return error;
  return output.commit();
}

std::map<std::string, StoredFormat> storedFormats(const WeightPlan &plan) {
  std::map<std::string, StoredFormat> formats;
  for (const WeightJob &job : plan.jobs) {
    StoredFormat &format = formats[job.format->name().str()];
    ++format.tensors;
    format.bytes += job.packedBytes;
  }
  return formats;
}

}  // namespace gemmac::packaging
