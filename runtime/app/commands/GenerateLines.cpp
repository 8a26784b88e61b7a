// SPDX-License-Identifier: Apache-2.0
// generate --jsonl: an object a line with a prompt or messages -> an object a
// line with the answer, in order. Up to kSlots answers share each pass over the
// weights, which changes none of them. A bad line is reported and skipped. More
// lines are read as answers end, so that a program may write one, read its
// answer and write the next.
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "runtime/app/commands/Generate.h"
#include "runtime/app/commands/RequestLine.h"

namespace gemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kSlots = 8;

// Lines of a file or a pipe, without waiting where there is other work.
class LineSource {
 public:
  explicit LineSource(int file) : file(file) {}

  enum class Outcome { Line, NotYet, End };
  // `wait`: never NotYet.
  Result<Outcome> next(std::string &line, bool wait) {
    for (;;) {
      size_t end = ahead.find('\n', from);
      if (end != std::string::npos) {
        line = ahead.substr(from, end - from);
        from = end + 1;
        return Outcome::Line;
      }
      ahead.erase(0, from);
      from = 0;
      if (ended) {
        line = std::move(ahead);
        ahead.clear();
        return line.empty() ? Outcome::End : Outcome::Line;
      }
      pollfd ready{file, POLLIN, 0};
      if (!wait && poll(&ready, 1, 0) == 0) return Outcome::NotYet;
      Status status = readMore();
      if (!status.ok()) return status;
    }
  }

 private:
  Status readMore() {
    char bytes[65536];
    ssize_t count = read(file, bytes, sizeof(bytes));
    if (count < 0 && errno != EINTR)
      return Status(Code::Io,
                    std::string("cannot be read: ") + strerror(errno));
    if (count > 0) ahead.append(bytes, count);
    ended = count == 0;
    return {};
  }

  int file;
  std::string ahead;
  size_t from = 0;
  bool ended = false;
};

// One line on its way.
struct Job {
  int64_t index = 0;
  std::string error;  // empty: none
  GenerationOptions options;
  Listener listener;
  GenerationResult result;
  std::unique_ptr<Answer> answer;  // while it is made
  Session *session = nullptr;
};

class Lines {
 public:
  Lines(App &app, const GenerateRequest &request, int file,
        const std::string &name)
      : engine(app.engine), request(request), source(file), name(name) {
    size_t count = std::min(kSlots, engine.maxRows());
    for (size_t i = 0; i < count; ++i) {
      sessions.push_back(std::make_unique<Session>(engine, app.context));
      idle.push_back(sessions.back().get());
    }
  }

  Status run() {
    for (;;) {
      bool read = fill();
      if (read && !active.empty()) step();
      if (!read || !print())
        return Status(Code::Io, std::string("cannot write the output: ") +
                                    strerror(errno));
      if (ended && active.empty())
        return bad == 0 ? Status() : Status::reported(Code::InvalidInput);
    }
  }

 private:
  // Starts answers while there are lines and room. False: nobody reads what
  // comes out.
  bool fill() {
    std::string line;
    while (!ended && !idle.empty()) {
      // Nothing is left to do but to wait.
      bool wait = active.empty();
      Result<LineSource::Outcome> outcome = source.next(line, wait);
      if (!outcome.ok()) {
        ++bad;
        report(outcome.status().in(name));
      } else if (*outcome == LineSource::Outcome::NotYet) {
        return true;
      }
      ended = !outcome.ok() || *outcome == LineSource::Outcome::End;
      if (!ended) begin(line);
      if (!print()) return false;
    }
    return true;
  }

  void begin(const std::string &line) {
    jobs.push_back(std::make_unique<Job>());
    Job &job = *jobs.back();
    job.index = count++;
    std::vector<int32_t> prompt;
    Status status = read(line, job, prompt);
    if (!status.ok()) return refuse(job, status);
    job.session = idle.back();
    idle.pop_back();
    job.answer = std::make_unique<Answer>(*job.session, job.options,
                                          job.listener, job.result);
    active.push_back(&job);
    status = job.answer->begin(prompt);
    if (!status.ok() || job.answer->finished()) release(job, status);
  }

  Status read(const std::string &line, Job &job, std::vector<int32_t> &prompt) {
    GenerationOptions defaults = request.generation;
    // Without --seed, equal prompts shall give other answers.
    if (!request.seeded)
      defaults.sampling.seed +=
          static_cast<uint64_t>(job.index) * 0x9E3779B97F4A7C15u;
    Result<RequestLine> asked = readRequestLine(line, defaults);
    if (!asked.ok()) return asked.status();
    job.options = std::move(asked->options);
    if (asked->prompt)
      return makePrompt(engine.model(), request, *asked->prompt, job.options,
                        prompt);
    return makePrompt(engine.model(), request, asked->messages, job.options,
                      prompt);
  }

  void step() {
    std::vector<Answer *> answers;
    for (Job *job : active) answers.push_back(job->answer.get());
    Status status = Answer::step(engine, answers);
    std::vector<Job *> running = active;
    for (Job *job : running)
      if (!status.ok() || job->answer->finished()) release(*job, status);
  }

  void release(Job &job, const Status &status) {
    job.answer.reset();
    idle.push_back(job.session);
    std::erase(active, &job);
    if (!status.ok()) refuse(job, status);
  }

  void refuse(Job &job, const Status &status) {
    job.error = status.message();
    ++bad;
    report(status.in(name + ":" + std::to_string(job.index + 1)));
  }

  // What is done and due. False: nobody reads it.
  bool print() {
    for (; !jobs.empty() && jobs.front()->answer == nullptr; jobs.pop_front()) {
      const Job &job = *jobs.front();
      Json object = {{"index", job.index}};
      if (job.error.empty())
        object.update(describeResult(job.result));
      else
        object["error"] = job.error;
      if (!printLine(object)) return false;
    }
    return true;
  }

  Engine &engine;
  const GenerateRequest &request;
  LineSource source;
  std::string name;
  std::vector<std::unique_ptr<Session>> sessions;
  std::vector<Session *> idle;
  std::vector<Job *> active;
  std::deque<std::unique_ptr<Job>> jobs;  // those not printed yet
  int64_t count = 0, bad = 0;
  bool ended = false;
};

}  // namespace

Status generateLines(App &app, const GenerateRequest &request, int file,
                     const std::string &name) {
  return Lines(app, request, file, name == "-" ? "standard input" : name).run();
}

}  // namespace gemma
