// SPDX-License-Identifier: Apache-2.0
// The sampler against a slow one that sorts everything and copies Hugging
// Face's steps word for word, and against known random numbers.
#include "runtime/generation/Sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <random>

#include "runtime/generation/Exp.h"
#include "runtime/generation/Random.h"

namespace gemma {
namespace {

std::vector<float> randomLogits(size_t count, uint32_t seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0, 3);
  std::vector<float> logits(count);
  for (float &logit : logits) logit = normal(generator);
  return logits;
}

using Distribution = std::map<int32_t, double>;

std::vector<double> softmax(const std::vector<double> &scores) {
  double largest = *std::max_element(scores.begin(), scores.end()), sum = 0;
  std::vector<double> p(scores.size());
  for (size_t i = 0; i < p.size(); ++i)
    sum += p[i] = std::exp(scores[i] - largest);
  for (double &value : p) value /= sum;
  return p;
}

constexpr double kNever = -INFINITY;

void slowPenalties(std::vector<double> &scores, const SamplerOptions &o,
                   std::vector<int32_t> history) {
  if (o.repeatLastN >= 0 && history.size() > size_t(o.repeatLastN))
    history.erase(history.begin(), history.end() - o.repeatLastN);
  std::map<int32_t, int> counts;
  for (int32_t id : history) ++counts[id];
  for (auto [id, count] : counts) {
    scores[id] *=
        scores[id] < 0 ? o.repetitionPenalty : 1 / o.repetitionPenalty;
    scores[id] -= o.presencePenalty + o.frequencyPenalty * count;
  }
}

// The distribution that is drawn from: TopKLogitsWarper, TopPLogitsWarper (in
// ascending order, as there) and MinPLogitsWarper, each over the whole row.
Distribution slowDistribution(const std::vector<float> &logits,
                              const SamplerOptions &o,
                              const std::vector<int32_t> &history) {
  std::vector<double> scores(logits.begin(), logits.end());
  for (int32_t id : o.suppressed) scores[id] = kNever;
  slowPenalties(scores, o, history);
  for (double &score : scores) score /= o.temperature;
  if (o.topK > 0 && size_t(o.topK) < scores.size()) {
    std::vector<double> sorted = scores;
    std::sort(sorted.rbegin(), sorted.rend());
    for (double &score : scores)
      if (score < sorted[o.topK - 1]) score = kNever;
  }
  std::vector<int32_t> ascending(scores.size());
  std::iota(ascending.begin(), ascending.end(), 0);
  std::sort(ascending.begin(), ascending.end(), [&](int a, int b) {
    return scores[a] != scores[b] ? scores[a] < scores[b] : a < b;
  });
  if (o.topP < 1) {
    std::vector<double> p = softmax(scores);
    double cumulative = 0;
    for (size_t i = 0; i + 1 < ascending.size(); ++i) {
      cumulative += p[ascending[i]];
      if (cumulative <= 1 - o.topP) scores[ascending[i]] = kNever;
    }
  }
  if (o.minP > 0) {
    std::vector<double> p = softmax(scores);
    double least = o.minP * *std::max_element(p.begin(), p.end());
    for (size_t i = 0; i < p.size(); ++i)
      if (p[i] < least) scores[i] = kNever;
  }
  std::vector<double> p = softmax(scores);
  Distribution result;
  for (size_t i = 0; i < p.size(); ++i)
    if (p[i] > 0) result[static_cast<int32_t>(i)] = p[i];
  return result;
}

void expectDistribution(const SamplerOptions &options, uint32_t seed,
                        size_t vocabulary = 500) {
  std::vector<float> logits = randomLogits(vocabulary, seed);
  std::vector<int32_t> history = {3, 3, 3, 17, 250, 17, 9};
  history.push_back(static_cast<int32_t>(
      std::max_element(logits.begin(), logits.end()) - logits.begin()));
  Distribution expected = slowDistribution(logits, options, history);
  Sampler sampler(options);
  Distribution found;
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i)
    found[sampler.sample(logits, history, i)] += 1.0 / kDraws;
  for (auto [id, share] : found)
    EXPECT_TRUE(expected.count(id)) << "drew " << id << ", which is excluded";
  // Five standard deviations of a binomial share.
  for (auto [id, p] : expected)
    EXPECT_NEAR(found[id], p, 5 * std::sqrt(p * (1 - p) / kDraws) + 1e-3) << id;
}

SamplerOptions plain() {
  SamplerOptions options;
  options.temperature = 1;
  options.topP = 1;
  options.repetitionPenalty = 1;
  return options;
}

TEST(Sampler, GreedyTakesTheLowestIdOfTheLargest) {
  SamplerOptions options;
  options.doSample = false;
  options.repetitionPenalty = 1;
  Sampler plain(options);
  options.suppressed = {1000};  // out of range: the slow way, the same choice
  Sampler slow(options);
  for (size_t count : {1, 5, 16, 33, 1000})
    for (uint32_t seed = 0; seed < 20; ++seed) {
      std::vector<float> logits = randomLogits(count, seed);
      for (size_t i = seed; i < count; i += 7) logits[i] = NAN;
      if (seed % 3 == 0)
        for (float &logit : logits) logit = std::round(logit);
      if (seed == 19) logits.assign(count, -INFINITY);
      EXPECT_EQ(plain.sample(logits, {}, 0), slow.sample(logits, {}, 0))
          << count << " logits, seed " << seed;
    }
}

TEST(Sampler, EqualsTheSlowOne) {
  uint32_t seed = 1;
  for (double temperature : {0.5, 1.0, 1.7})
    for (int64_t topK : {0, 1, 5, 64})
      for (double topP : {1.0, 0.9, 0.3})
        for (double minP : {0.0, 0.1}) {
          SamplerOptions options = plain();
          options.temperature = temperature;
          options.topK = topK;
          options.topP = topP;
          options.minP = minP;
          options.seed = seed;
          expectDistribution(options, seed++);
        }
}

// Enough blocks that their maxima narrow the candidates down.
TEST(Sampler, EqualsTheSlowOneInALargeVocabulary) {
  for (int64_t topK : {0, 1, 50})
    for (double topP : {1.0, 0.9, 0.3}) {
      SamplerOptions options = plain();
      options.temperature = 0.6;
      options.topK = topK;
      options.topP = topP;
      options.repetitionPenalty = 1.1;
      options.suppressed = {7, 64, 9998};
      expectDistribution(options, 31, 9999);
    }
}

TEST(Sampler, AppliesPenaltiesAndSuppression) {
  for (int64_t last : {-1, 0, 2, 100}) {
    SamplerOptions options = plain();
    options.topK = 20;
    options.repetitionPenalty = 1.3;
    options.presencePenalty = 0.5;
    options.frequencyPenalty = 0.4;
    options.repeatLastN = last;
    options.suppressed = {1, 2, 3};
    expectDistribution(options, 77);
  }
}

TEST(Sampler, GreedyTakesTheFirstLargest) {
  SamplerOptions options = plain();
  options.doSample = false;
  std::vector<float> logits = {1, 5, NAN, 5, 4};
  EXPECT_EQ(Sampler(options).sample(logits, {}, 0), 1);
  options.suppressed = {1};
  EXPECT_EQ(Sampler(options).sample(logits, {}, 0), 3);
  options.suppressed = {};
  options.repetitionPenalty = 2;
  std::vector<int32_t> history = {1, 3};
  EXPECT_EQ(Sampler(options).sample(logits, history, 0), 4);
}

TEST(Sampler, KeepsTiesWithTheKth) {
  SamplerOptions options = plain();
  options.topK = 2;
  std::vector<float> logits = {1, 3, 3, 3, 0};
  Sampler sampler(options);
  std::map<int32_t, int> found;
  for (int i = 0; i < 300; ++i) ++found[sampler.sample(logits, {}, i)];
  EXPECT_EQ(found.size(), 3u);
}

TEST(Sampler, DependsOnSeedAndDrawOnly) {
  SamplerOptions options = plain();
  options.seed = 5;
  std::vector<float> logits = randomLogits(1000, 3);
  Sampler first(options), second(options);
  std::vector<int32_t> a, b;
  for (int i = 0; i < 50; ++i) a.push_back(first.sample(logits, {}, i));
  for (int i = 49; i >= 0; --i) b.push_back(second.sample(logits, {}, i));
  std::reverse(b.begin(), b.end());
  EXPECT_EQ(a, b);
  options.seed = 6;
  Sampler third(options);
  std::vector<int32_t> c;
  for (int i = 0; i < 50; ++i) c.push_back(third.sample(logits, {}, i));
  EXPECT_NE(a, c);
}

// The known answers that the paper's authors publish (Random123, kat_vectors).
TEST(Random, PhiloxGivesItsKnownAnswers) {
  std::array<uint32_t, 4> zero = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c,
                                  0x9b00dbd8};
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), zero);
  std::array<uint32_t, 4> ones = {0x408f276d, 0x41c83b0e, 0xa20bc7c6,
                                  0x6d5451fd};
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), ones);
}

TEST(Exp, IsWithinItsErrorInFloat) {
  for (float x = -86.99f; x <= 0; x += 0.00137f) {
    double expected = std::exp(static_cast<double>(x));
    ASSERT_NEAR(exactExpf(x) / expected, 1.0, 3e-7) << x;
  }
  EXPECT_EQ(exactExpf(0), 1.0f);
  EXPECT_EQ(exactExpf(-INFINITY), 0.0f);
  EXPECT_EQ(exactExpf(NAN), 0.0f);
}

TEST(Exp, IsWithinItsError) {
  for (double x = -707.9; x <= 0; x += 0.0137) {
    double expected = std::exp(x);
    ASSERT_NEAR(exactExp(x) / expected, 1.0, 4e-16) << x;
  }
  EXPECT_EQ(exactExp(0), 1.0);
  EXPECT_EQ(exactExp(-INFINITY), 0.0);
  EXPECT_EQ(exactExp(-1000), 0.0);
}

}  // namespace
}  // namespace gemma
