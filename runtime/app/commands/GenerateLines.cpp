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
#include <cmath>
#include <deque>
#include <exception>
#include <memory>

#include "runtime/app/commands/Generate.h"

namespace gemma {
namespace {

using Json = nlohmann::ordered_json;

constexpr size_t kSlots = 8;

void expect(bool good, const std::string &message) {
  if (!good) throw std::invalid_argument(message);
}

// A value in a message.
std::string shown(const Json &value) {
  std::string text = value.dump(-1, ' ', true);
  return text.size() > 60 ? text.substr(0, 60) + "…" : text;
}

// Lines of a file or a pipe, without waiting where there is other work.
class LineSource {
 public:
  explicit LineSource(int file) : file(file) {}

  enum class Outcome { Line, NotYet, End };
  // Throws where reading fails. `wait`: never NotYet.
  Outcome next(std::string &line, bool wait) {
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
      readMore();
    }
  }

 private:
  void readMore() {
    char bytes[65536];
    ssize_t count = read(file, bytes, sizeof(bytes));
    expect(count >= 0 || errno == EINTR,
           std::string("cannot be read: ") + strerror(errno));
    if (count > 0) ahead.append(bytes, count);
    ended = count == 0;
  }

  int file;
  std::string ahead;
  size_t from = 0;
  bool ended = false;
};

double numberOf(const Json &value, const std::string &key, double least,
                double most) {
  double number = value.is_number() ? value.get<double>() : NAN;
  // Written so that a NaN fails.
  if (!(number >= least && number <= most)) {
    char range[80];
    snprintf(range, sizeof(range), "expected a number from %g to %g for \"",
             least, most);
    throw std::invalid_argument(range + key + "\", found " + shown(value));
  }
  return number;
}

int64_t integerOf(const Json &value, const std::string &key, int64_t most) {
  bool good = value.is_number_unsigned() &&
              value.get<uint64_t>() <= static_cast<uint64_t>(most);
  expect(good, "expected an integer from 0 to " + std::to_string(most) +
                   " for \"" + key + "\", found " + shown(value));
  return value.get<int64_t>();
}

std::string textOf(const Json &value, const std::string &key) {
  expect(value.is_string(),
         "expected a text for \"" + key + "\", found " + shown(value));
  return value.get<std::string>();
}

std::vector<std::string> stopsOf(const Json &value) {
  std::vector<std::string> stops;
  if (value.is_array())
    for (const Json &entry : value) stops.push_back(textOf(entry, "stop"));
  else if (!value.is_null())
    stops.push_back(textOf(value, "stop"));
  for (const std::string &stop : stops)
    expect(!stop.empty(), "expected a text for \"stop\", found an empty one");
  return stops;
}

std::vector<Message> messagesOf(const Json &value) {
  expect(value.is_array(),
         "expected an array for \"messages\", found " + shown(value));
  std::vector<Message> messages;
  for (const Json &entry : value) {
    expect(entry.is_object() && entry.size() == 2 && entry.contains("role") &&
               entry.contains("content"),
           "expected messages with \"role\" and \"content\", found " +
               shown(entry));
    messages.push_back({textOf(entry["role"], "role"),
                        textOf(entry["content"], "content"),
                        {}});
  }
  return messages;
}

// True: `key` is one of the sampler's and now in `options`.
bool readSamplingField(const std::string &key, const Json &value,
                       SamplerOptions &options) {
  bool known = key == "top_k" || key == "seed";
  if (key == "top_k") options.topK = integerOf(value, key, INT32_MAX);
  if (key == "seed") options.seed = integerOf(value, key, INT64_MAX);
  for (const SamplingNumber &number : samplingNumbers())
    if (key == number.field) {
      options.*number.to = numberOf(value, key, number.least, number.most);
      known = true;
    }
  // As a flag would: who sets them wants to sample.
  if (key == "temperature" || key == "top_k" || key == "top_p" ||
      key == "min_p")
    options.doSample = true;
  return known;
}

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
  Lines(Engine &engine, const GenerateRequest &request, int file,
        const std::string &name)
      : engine(engine), request(request), source(file), name(name) {
    size_t count = std::min(kSlots, engine.maxRows());
    for (size_t i = 0; i < count; ++i) {
      sessions.push_back(std::make_unique<Session>(
          engine, static_cast<int32_t>(request.engine.context)));
      idle.push_back(sessions.back().get());
    }
  }

  int run() {
    for (;;) {
      bool read = fill();
      if (read && !active.empty()) step();
      if (!read || !print())
        return report(
            Status(Code::Io,
                   std::string("cannot write the output: ") + strerror(errno)));
      if (ended && active.empty())
        return report(bad == 0 ? Status()
                               : Status::reported(Code::InvalidInput));
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
      LineSource::Outcome outcome;
      try {
        outcome = source.next(line, wait);
      } catch (const std::exception &error) {
        ++bad;
        report(Status(Code::Io, name + ": " + error.what()));
        outcome = LineSource::Outcome::End;
      }
      if (outcome == LineSource::Outcome::NotYet) return true;
      ended = outcome == LineSource::Outcome::End;
      if (!ended) begin(line);
      if (!print()) return false;
    }
    return true;
  }

  void begin(const std::string &line) {
    jobs.push_back(std::make_unique<Job>());
    Job &job = *jobs.back();
    job.index = count++;
    job.options = request.generation;
    // Without --seed, equal prompts shall give other answers.
    if (!request.seeded)
      job.options.sampling.seed +=
          static_cast<uint64_t>(job.index) * 0x9E3779B97F4A7C15u;
    std::vector<int32_t> prompt;
    Status status;
    try {
      status = readLine(line, job.options, prompt);
    } catch (const std::exception &error) {
      status = Status(Code::InvalidInput, error.what());
    }
    if (!status.ok()) return refuse(job, status);
    job.session = idle.back();
    idle.pop_back();
    job.answer = std::make_unique<Answer>(*job.session, job.options,
                                          job.listener, job.result);
    active.push_back(&job);
    status = job.answer->begin(prompt);
    if (!status.ok() || job.answer->finished()) release(job, status);
  }

  // Throws what is wrong with the line; the status is of the prompt.
  Status readLine(const std::string &line, GenerationOptions &options,
                  std::vector<int32_t> &prompt) {
    Json object = Json::parse(line, nullptr, false);
    expect(object.is_object(),
           "expected a JSON object, found " +
               std::string(object.is_discarded() ? "no JSON"
                                                 : object.type_name()));
    for (const auto &[key, value] : object.items()) {
      if (key == "prompt" || key == "messages") continue;
      if (key == "max_tokens")
        options.maxTokens = integerOf(value, key, INT32_MAX);
      else if (key == "stop")
        options.stopTexts = stopsOf(value);
      else
        expect(readSamplingField(key, value, options.sampling),
               "unknown field " + shown(key));
    }
    bool text = object.contains("prompt"), chat = object.contains("messages");
    expect(text != chat, "expected one of \"prompt\" and \"messages\", found " +
                             std::string(text ? "both" : "none"));
    const Model &model = engine.model();
    if (text)
      return makePrompt(model, request, textOf(object["prompt"], "prompt"),
                        options, prompt);
    std::vector<Message> messages = messagesOf(object["messages"]);
    return makePrompt(model, request, messages, options, prompt);
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

int generateLines(Engine &engine, const GenerateRequest &request, int file,
                  const std::string &name) {
  return Lines(engine, request, file, name == "-" ? "standard input" : name)
      .run();
}

}  // namespace gemma
