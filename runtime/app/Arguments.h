// SPDX-License-Identifier: Apache-2.0
// Arguments: a command's flags from its command line and from GEMMAC_*
// variables ("--top-k" is also GEMMAC_TOP_K; the command line wins). Table
// driven; a flag may be written --flag value or --flag=value, a letter -n 5 or
// -n5. It uses no iostream, which would double a static executable's runtime.
#ifndef GEMMA_RUNTIME_APP_ARGUMENTS_H
#define GEMMA_RUNTIME_APP_ARGUMENTS_H

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "runtime/model/Status.h"

namespace gemma {

struct Flag {
  const char *name;   // "--top-k"
  char letter;        // 'k', or 0
  const char *value;  // what help calls its value; nullptr: a switch
  const char *help;
};

class Arguments {
 public:
  // Every error is one of usage.
  Status parse(std::span<const char *const> words, std::span<const Flag> flags);

  // `name` as in the table, "--top-k".
  bool isSet(const char *name) const { return values.count(name) != 0; }
  // Empty if it is not set; the last one if it is set more than once.
  std::string text(const char *name) const;
  // Each value of a flag that may be given more than once, in order.
  std::vector<std::string> texts(const char *name) const;

  // Leave `to` as it is where the flag is not set; a value that is no number or
  // out of range is an error that names the flag and the range.
  Status integer(const char *name, int64_t least, int64_t most,
                 int64_t &to) const;
  Status number(const char *name, double least, double most, double &to) const;
  // A comma-separated list.
  Status integers(const char *name, int64_t least, int64_t most,
                  std::vector<int64_t> &to) const;

 private:
  std::map<std::string, std::vector<std::string>> values;
};

// Help text of a table, one flag a line.
std::string describeFlags(std::span<const Flag> flags);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_APP_ARGUMENTS_H
