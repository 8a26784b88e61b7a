// SPDX-License-Identifier: Apache-2.0
// chat: a conversation in the terminal, or line by line from a pipe. Ctrl-C
// stops the answer, and while none is given ends the program only where there
// is no line editing. Commands start with a slash.
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <optional>

#include "runtime/app/App.h"
#include "runtime/app/SamplingFlags.h"
#include "runtime/app/terminal/LineEditor.h"
#include "runtime/app/terminal/PromptProgress.h"
#include "runtime/chat/ConversationFile.h"

namespace gemma {
namespace {

constexpr Flag kFlags[] = {
    {"--system", 0, "TEXT", "the system message"},
    {"--load", 0, "FILE", "go on from a conversation that /save wrote"},
    {"--n-predict", 'n', "N", "at most N tokens an answer (default 512)"},
    kStopFlag,
};

constexpr char kHelp[] =
    "  /help          this list\n"
    "  /system TEXT   set the system message (none: remove it) and begin anew\n"
    "  /reset         begin anew\n"
    "  /save FILE     write the conversation to a file\n"
    "  /load FILE     go on from one that /save wrote\n"
    "  /stats         speed of the last answer, use of the context\n"
    "  /exit          end (or Ctrl-D)\n"
    "  Ctrl-C stops an answer, or clears the line. Alt-Enter begins another "
    "line;\n"
    "  pasted lines stay together.\n";

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

// Ctrl-C sets `interrupted` for as long as it lives; they nest.
class CatchInterrupt {
 public:
  CatchInterrupt() {
    interrupted = false;
    struct sigaction action = {};
    action.sa_handler = [](int) { interrupted = true; };
    sigaction(SIGINT, &action, &saved);
  }
  ~CatchInterrupt() { sigaction(SIGINT, &saved, nullptr); }

 private:
  struct sigaction saved;
};

class Conversation {
 public:
  Conversation(Session &session, GenerationOptions options)
      : session(session), chat(session, std::move(options)) {}

  Status setSystem(std::string text) { return chat.setSystem(std::move(text)); }

  Status load(const std::string &path) {
    if (path.empty()) return missingFile("/load");
    Result<ChatState> state = loadConversation(path, session.engine().model());
    if (!state.ok()) return state.status();
    PromptProgress progress;
    CatchInterrupt catching;
    Status status = chat.restore(std::move(*state), listenTo(progress));
    progress.clear();
    if (!status.ok()) return status.in(path);
    printf("  %zu messages\n", chat.messages().size());
    return {};
  }

  // False: the conversation is over.
  bool handle(const std::string &line) {
    if (line.empty()) return true;
    if (line[0] != '/') {
      answer(line);
      return true;
    }
    size_t end = line.find_last_not_of(" \t\n") + 1;
    size_t space = std::min(line.find(' '), end);
    std::string command = line.substr(0, space);
    std::string rest;
    if (space < end) rest = line.substr(space + 1, end - space - 1);
    if (command == "/exit" || command == "/quit") return false;
    if (command == "/help") {
      fputs(kHelp, stdout);
    } else if (command == "/reset") {
      chat.reset();
    } else if (command == "/system") {
      report(setSystem(rest));
    } else if (command == "/save") {
      report(save(rest));
    } else if (command == "/load") {
      report(load(rest));
    } else if (command == "/stats") {
      printStats();
    } else {
      report(Status(Code::InvalidInput,
                    "unknown command " + command + " (/help lists all)"));
    }
    return true;
  }

 private:
  static Status missingFile(const char *command) {
    return Status(Code::InvalidInput,
                  std::string("expected ") + command + " FILE, found no file");
  }

  static Listener listenTo(PromptProgress &progress) {
    Listener listener;
    listener.cancel = &interrupted;
    listener.prompt = [&progress](int64_t done, int64_t total) {
      progress.show(done, total);
    };
    return listener;
  }

  Status save(const std::string &path) const {
    if (path.empty()) return missingFile("/save");
    return saveConversation(path, session.engine().model(), chat.state());
  }

  void answer(const std::string &text) {
    PromptProgress progress;
    CatchInterrupt catching;
    Listener listener = listenTo(progress);
    listener.text = [](std::string_view piece) {
      fwrite(piece.data(), 1, piece.size(), stdout);
      return fflush(stdout) == 0;
    };
    GenerationResult result;
    Status status = chat.answer(text, listener, result);
    progress.clear();
    bool stopped = result.reason == FinishReason::Cancelled;
    fputs(status.ok() && stopped ? " (stopped)\n" : "\n", stdout);
    report(status);
    if (status.ok()) last = std::move(result);
  }

  void printStats() const {
    auto rate = [](size_t count, double seconds) {
      return seconds > 0 ? static_cast<double>(count) / seconds : 0.0;
    };
    size_t decoded = last.tokens.empty() ? 0 : last.tokens.size() - 1;
    printf(
        "  prompt   %lld tokens, %lld of them cached, first token after "
        "%.3f s\n",
        static_cast<long long>(last.promptTokens),
        static_cast<long long>(last.reusedTokens), last.promptSeconds);
    printf("  answer   %zu tokens, %.1f a second\n", last.tokens.size(),
           rate(decoded, last.answerSeconds));
    printf("  context  %d of %d positions, %.1f MiB of cache\n",
           session.position(), session.context(),
           static_cast<double>(session.cacheBytes()) / (1 << 20));
  }

  Session &session;
  Chat chat;
  GenerationResult last;
};

Status readRequest(const Arguments &arguments, GenerationOptions &generation) {
  if (arguments.isSet("--system") && arguments.isSet("--load"))
    return Status(
        Code::Usage,
        "expected one of --system and --load, found both: the conversation "
        "brings its own");
  return firstFailure({
      arguments.integer("--n-predict", 1, INT32_MAX, generation.maxTokens),
      readStops(arguments, generation.stopTexts),
      checkSampling(arguments),
  });
}

// Lines until the end of the input or /exit.
void converse(Conversation &conversation, const std::string &name) {
  LineEditor editor;
  // Also between an answer's end and the next line, where Ctrl-C is no key.
  std::optional<CatchInterrupt> catching;
  if (editor.onTerminal()) {
    catching.emplace();
    printf("%s. /help lists commands, Ctrl-D ends.\n", name.c_str());
  }
  std::string line;
  while (editor.read("> ", line) && conversation.handle(line)) {
  }
}

Status run(App &app) {
  const Arguments &arguments = app.arguments;
  GenerationOptions generation;
  Status status = readRequest(arguments, generation);
  if (status.ok()) status = app.start();
  if (status.ok()) status = checkChatTemplate(app.model);
  if (!status.ok()) return status;
  generation.sampling = samplerDefaults(app.model.metadata().generation);
  status = readSampling(arguments, generation.sampling);
  if (!status.ok()) return status;
  Session session(app.engine, app.context);
  Conversation conversation(session, generation);
  status = conversation.setSystem(arguments.text("--system"));
  if (status.ok() && arguments.isSet("--load"))
    status = conversation.load(arguments.text("--load"));
  if (status.ok()) converse(conversation, app.model.metadata().name);
  return status;
}

}  // namespace

const Command kChatCommand = {"chat", "[FLAGS]", kFlags,
                              Command::Shared::Sampling, run};

}  // namespace gemma
