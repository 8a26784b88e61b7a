// SPDX-License-Identifier: Apache-2.0
// Recognises the chat templates whose families the runtime speaks natively.
// Input: the Jinja text of a checkpoint. Output: a family. The text is searched
// and never run: a template is a program from a stranger.
// Source: the chat_template of google/gemma-2b-it and google/gemma-3-1b-it.
#include "compiler/importer/Checkpoint.h"

namespace gemmac::importer {

llvm::StringRef chatTemplateName(ChatTemplate kind) {
  switch (kind) {
    case ChatTemplate::None:
      return "none";
    case ChatTemplate::Gemma:
      return "gemma";
    case ChatTemplate::Gemma3:
      return "gemma3";
    case ChatTemplate::FunctionGemma:
      return "functiongemma";
    case ChatTemplate::ShieldGemma:
      return "shieldgemma";
    case ChatTemplate::Unknown:
      return "unknown";
  }
  return "unknown";
}

ChatTemplate recogniseChatTemplate(llvm::StringRef text) {
  if (text.trim().empty()) return ChatTemplate::None;
  // What only one family writes, and what only others write: Gemma 4 has other
  // turn marks.
  if (text.contains("<start_function")) return ChatTemplate::FunctionGemma;
  if (text.contains("policy expert")) return ChatTemplate::ShieldGemma;
  for (const char *mark : {"<|turn>", "developer", "<tool"})
    if (text.contains(mark)) return ChatTemplate::Unknown;
  for (const char *mark :
       {"<start_of_turn>", "<end_of_turn>", "raise_exception"})
    if (!text.contains(mark)) return ChatTemplate::Unknown;
  if (!text.contains("'model'") && !text.contains("\"model\""))
    return ChatTemplate::Unknown;
  // Gemma 1 and 2 have the turns of Gemma 3, without a system message.
  return text.contains("System role not supported") ? ChatTemplate::Gemma
                                                    : ChatTemplate::Gemma3;
}

}  // namespace gemmac::importer
