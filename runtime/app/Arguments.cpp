// SPDX-License-Identifier: Apache-2.0
// Parsing of flags. Numbers are read with from_chars: no locale can change
// what "0.7" means.
#include "runtime/app/Arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <charconv>
#include <set>
#include <string_view>

namespace gemma {
namespace {

const Flag *findFlag(std::span<const Flag> flags, std::string_view name) {
  for (const Flag &flag : flags)
    if (name == flag.name) return &flag;
  return nullptr;
}

const Flag *findLetter(std::span<const Flag> flags, char letter) {
  for (const Flag &flag : flags)
    if (flag.letter != 0 && flag.letter == letter) return &flag;
  return nullptr;
}

std::string variableName(const char *flag) {
  std::string name = "GEMMAC_";
  for (const char *at = flag + 2; *at != '\0'; ++at) {
    bool lower = *at >= 'a' && *at <= 'z';
    name += *at == '-' ? '_' : static_cast<char>(lower ? *at - 32 : *at);
  }
  return name;
}

template <typename Number>
bool readNumber(std::string_view text, Number &to) {
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  auto result = std::from_chars(text.data(), text.data() + text.size(), to);
  return result.ec == std::errc() && !text.empty() &&
         result.ptr == text.data() + text.size();
}

std::string shortNumber(double value) {
  char buffer[32];
  snprintf(buffer, sizeof(buffer), "%g", value);
  return buffer;
}

Status outOfRange(const char *name, const std::string &least,
                  const std::string &most, const std::string &found) {
  return Status(Code::Usage, std::string(name) + ": expected a number from " +
                                 least + " to " + most + ", found \"" + found +
                                 "\"");
}

}  // namespace

Status Arguments::parse(std::span<const char *const> words,
                        std::span<const Flag> flags) {
  values.clear();
  for (const Flag &flag : flags) {
    const char *value = getenv(variableName(flag.name).c_str());
    if (value == nullptr) continue;
    // A switch is off when its variable is empty or 0.
    bool off =
        flag.value == nullptr && (*value == '\0' || strcmp(value, "0") == 0);
    if (!off) values[flag.name] = {flag.value == nullptr ? "" : value};
  }
  std::set<std::string> given;
  for (size_t i = 0; i < words.size(); ++i) {
    std::string_view word = words[i];
    if (word.size() < 2 || word[0] != '-')
      return Status(Code::Usage,
                    "expected a flag, found \"" + std::string(word) + "\"");
    const Flag *flag = nullptr;
    std::string_view attached;
    bool hasAttached = false;
    if (word[1] == '-') {
      size_t equals = word.find('=');
      flag = findFlag(flags, word.substr(0, equals));
      hasAttached = equals != std::string_view::npos;
      if (hasAttached) attached = word.substr(equals + 1);
    } else {
      flag = findLetter(flags, word[1]);
      hasAttached = word.size() > 2;
      if (hasAttached) attached = word.substr(2);
    }
    if (flag == nullptr || (flag->value == nullptr && hasAttached))
      return Status(Code::Usage, "unknown flag \"" + std::string(word) +
                                     "\" (--help lists all)");
    std::vector<std::string> &list = values[flag->name];
    // The first on the command line replaces the environment's.
    if (given.insert(flag->name).second) list.clear();
    if (flag->value == nullptr) {
      list.emplace_back();
    } else if (hasAttached) {
      list.emplace_back(attached);
    } else if (++i < words.size()) {
      list.emplace_back(words[i]);
    } else {
      return Status(Code::Usage,
                    std::string(word) + ": expected a value, found none");
    }
  }
  return {};
}

std::string Arguments::text(const char *name) const {
  auto found = values.find(name);
  return found == values.end() ? std::string() : found->second.back();
}

std::vector<std::string> Arguments::texts(const char *name) const {
  auto found = values.find(name);
  return found == values.end() ? std::vector<std::string>() : found->second;
}

Status Arguments::integer(const char *name, int64_t least, int64_t most,
                          int64_t &to) const {
  if (!isSet(name)) return {};
  std::string given = text(name);
  int64_t value = 0;
  if (!readNumber(given, value) || value < least || value > most)
    return outOfRange(name, std::to_string(least), std::to_string(most), given);
  to = value;
  return {};
}

Status Arguments::number(const char *name, double least, double most,
                         double &to) const {
  if (!isSet(name)) return {};
  std::string given = text(name);
  double value = 0;
  // Written so that a NaN fails.
  if (!readNumber(given, value) || !(value >= least && value <= most))
    return outOfRange(name, shortNumber(least), shortNumber(most), given);
  to = value;
  return {};
}

Status Arguments::integers(const char *name, int64_t least, int64_t most,
                           std::vector<int64_t> &to) const {
  if (!isSet(name)) return {};
  std::string given = text(name);
  std::vector<int64_t> list;
  for (size_t from = 0; from <= given.size();) {
    size_t comma = std::min(given.find(',', from), given.size());
    int64_t value = 0;
    std::string_view part = std::string_view(given).substr(from, comma - from);
    if (!readNumber(part, value) || value < least || value > most)
      return outOfRange(name, std::to_string(least), std::to_string(most),
                        std::string(part));
    list.push_back(value);
    from = comma + 1;
  }
  to = std::move(list);
  return {};
}

std::string describeFlags(std::span<const Flag> flags) {
  std::string text;
  for (const Flag &flag : flags) {
    std::string line = "  ";
    if (flag.letter != 0) line += std::string("-") + flag.letter + ", ";
    line += flag.name;
    if (flag.value != nullptr) line += std::string(" ") + flag.value;
    line.resize(std::max<size_t>(line.size() + 2, 30), ' ');
    text += line + flag.help + "\n";
  }
  return text;
}

}  // namespace gemma
