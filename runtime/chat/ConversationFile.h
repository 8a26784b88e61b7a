// SPDX-License-Identifier: Apache-2.0
// A conversation as a file: ChatState <-> JSON, the messages as the OpenAI API
// writes them, with the ids of the answers and what the next answer's seed
// needs. A file belongs to one model's weights and is refused by others. It
// neither renders nor runs anything.
//   {"format": "gemmac-conversation", "version": 1,
//    "model": {"name": …, "id": …}, "seed": …, "answers": …,
//    "messages": [{"role": …, "content": …, "tokens": […]}, …]}
#ifndef GEMMA_RUNTIME_CHAT_CONVERSATION_FILE_H
#define GEMMA_RUNTIME_CHAT_CONVERSATION_FILE_H

#include <string>

#include "runtime/chat/Chat.h"

namespace gemma {

// XXH3-64 of the weights as 16 hex digits: the same for every target and
// setting that the model was compiled for.
std::string modelId(const Model &model);

// Replaces `path` in one step; after an error it is as it was. A file there
// that is no conversation is not overwritten.
Status saveConversation(const std::string &path, const Model &model,
                        const ChatState &state);

Result<ChatState> loadConversation(const std::string &path, const Model &model);

}  // namespace gemma

#endif  // GEMMA_RUNTIME_CHAT_CONVERSATION_FILE_H
