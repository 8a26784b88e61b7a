// Recognises the chat templates whose families the runtime speaks natively.
// Input: the Jinja text of a checkpoint. Output: a family. The text is searched
// and never run: a template is a program from a stranger.
// Source: the chat_template of google/gemma-3-1b-it.
#include "compiler/importer/Checkpoint.h"

namespace gemmac::importer {

llvm::StringRef chatTemplateName(ChatTemplate kind) {
  switch (kind) {
    case ChatTemplate::None:
      return "none";
    case ChatTemplate::Gemma3:
      return "gemma3";
    case ChatTemplate::Unknown:
      return "unknown";
  }
  return "unknown";
}

ChatTemplate recogniseChatTemplate(llvm::StringRef text) {
  if (text.trim().empty()) return ChatTemplate::None;
  // What the family writes, and what only its relatives write: Gemma 1 and 2
  // refuse a system message, FunctionGemma declares tools, Gemma 4 has other
  // turn marks.
  constexpr const char *kRequired[] = {"<start_of_turn>", "<end_of_turn>",
                                       "raise_exception", "'model'"};
  constexpr const char *kForeign[] = {"System role not supported",
                                      "<start_function", "<|turn>", "developer",
                                      "<tool"};
  for (const char *mark : kRequired)
    if (!text.contains(mark)) {
      // The same word in the other quotes.
      if (llvm::StringRef(mark) == "'model'" && text.contains("\"model\""))
        continue;
      return ChatTemplate::Unknown;
    }
  for (const char *mark : kForeign)
    if (text.contains(mark)) return ChatTemplate::Unknown;
  return ChatTemplate::Gemma3;
}

}  // namespace gemmac::importer
