// SPDX-License-Identifier: Apache-2.0
// See Summary.h. Bytes in powers of ten, as `ls -h --si` and model pages count.
#include "compiler/tools/gemmac/Summary.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace gemmac::driver {

// Two or three digits: "9.5 kB", "292 MB".
static void printBytes(raw_ostream &out, uint64_t bytes) {
  constexpr const char *kUnits[] = {"B", "kB", "MB", "GB", "TB"};
  size_t unit = 0;
  double value = double(bytes);
  for (; value >= 999.5 && unit + 1 < std::size(kUnits); ++unit) value /= 1000;
  out << format(unit > 0 && value < 9.95 ? "%.1f " : "%.0f ", value)
      << kUnits[unit];
}

std::string summarize(const pipeline::BuildOptions &options,
                      const pipeline::Built &built, double seconds) {
  uint64_t bytes = 0;
  if (options.output == "-" || sys::fs::file_size(options.output, bytes))
    return "";
  std::string text;
  raw_string_ostream out(text);
  out << options.output << ": ";
  printBytes(out, bytes);
  SmallVector<std::pair<std::string, packaging::StoredFormat>> formats(
      built.formats.begin(), built.formats.end());
  // Largest first, as `info` lists them.
  sort(formats, [](const auto &a, const auto &b) {
    return std::tie(b.second.bytes, a.first) <
           std::tie(a.second.bytes, b.first);
  });
  for (const auto &[name, stored] : formats) {
    out << (name == formats.front().first ? " (" : ", ") << name << " ";
    printBytes(out, stored.bytes);
  }
  if (!formats.empty()) out << ")";
  out << ", " << built.target << format(", %.1f s", seconds);
  return text;
}

}  // namespace gemmac::driver
