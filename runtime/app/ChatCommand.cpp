// chat: a conversation in the terminal, or line by line from a pipe. Ctrl-C
// stops the answer, and while none is given ends the program only where there
// is no line editing. Commands start with a slash.
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "runtime/app/App.h"
#include "runtime/app/LineEditor.h"
#include "runtime/chat/Chat.h"

namespace gemma {
namespace {

constexpr Flag kFlags[] = {
    {"--system", 0, "TEXT", "the system message"},
    {"--n-predict", 'n', "N", "at most N tokens an answer (default 512)"},
};

constexpr char kHelp[] =
    "  /help          this list\n"
    "  /system TEXT   set the system message (none: remove it) and begin anew\n"
    "  /reset         begin anew\n"
    "  /stats         speed of the last answer, use of the context\n"
    "  /exit          end (or Ctrl-D)\n"
    "  Ctrl-C stops an answer.\n";

std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free);

// Ctrl-C sets `interrupted` for as long as it lives.
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

  void setSystem(std::string text) { chat.setSystem(std::move(text)); }

  // False: the conversation is over.
  bool handle(const std::string &line) {
    if (line.empty()) return true;
    if (line[0] != '/') {
      answer(line);
      return true;
    }
    size_t space = std::min(line.find(' '), line.size());
    std::string command = line.substr(0, space);
    if (command == "/exit" || command == "/quit") return false;
    if (command == "/help") {
      fputs(kHelp, stdout);
    } else if (command == "/reset") {
      chat.reset();
    } else if (command == "/system") {
      chat.setSystem(line.substr(std::min(space + 1, line.size())));
    } else if (command == "/stats") {
      printStats();
    } else {
      fprintf(stderr, "unknown command %s (/help lists all)\n",
              command.c_str());
    }
    return true;
  }

 private:
  void answer(const std::string &text) {
    CatchInterrupt catching;
    auto stream = [](std::string_view piece) {
      fwrite(piece.data(), 1, piece.size(), stdout);
      return fflush(stdout) == 0;
    };
    GenerationResult result;
    Status status = chat.answer(text, stream, &interrupted, result);
    fputs("\n", stdout);
    if (status.ok())
      last = std::move(result);
    else
      fprintf(stderr, "error: %s\n", status.message().c_str());
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

}  // namespace

int runChat(const Program &program, Words words) {
  std::vector<Flag> flags = withSamplingFlags(kFlags);
  Arguments arguments;
  int code = kDone;
  if (!parseWords("chat", "[FLAGS]", words, flags, arguments, code))
    return code;
  EngineOptions engineOptions;
  GenerationOptions generation;
  SamplerOptions unused;
  Status status = readEngineOptions(arguments, engineOptions);
  if (status.ok())
    status =
        arguments.integer("--n-predict", 1, INT32_MAX, generation.maxTokens);
  if (status.ok()) status = readSampling(arguments, unused);
  if (!status.ok()) return wrongUsage(status);
  Model model;
  Engine engine;
  status = startModel(program, engineOptions, model, engine);
  if (status.ok()) status = checkChatTemplate(model);
  if (!status.ok()) return failed(status);
  generation.sampling = samplerDefaults(model.metadata().generation);
  status = readSampling(arguments, generation.sampling);
  if (!status.ok()) return wrongUsage(status);
  Session session(engine, static_cast<int32_t>(engineOptions.context));
  Conversation conversation(session, generation);
  conversation.setSystem(arguments.text("--system"));
  LineEditor editor;
  if (editor.onTerminal())
    printf("%s. /help lists commands, Ctrl-D ends.\n",
           model.metadata().name.c_str());
  std::string line;
  while (editor.read("> ", line) && conversation.handle(line)) {
  }
  return kDone;
}

}  // namespace gemma
