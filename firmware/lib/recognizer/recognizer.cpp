#include "recognizer.h"

#include <string.h>

bool Recognizer::begin(const RecognizerConfig& config) {
  if (config.labels == 0 || config.labels > kMaxLabels || config.minimum_count > kMaxHistory ||
      config.thresholds_permille == nullptr) {
    return false;
  }
  config_ = config;
  reset();
  return true;
}

void Recognizer::reset() {
  oldest_ = 0;
  count_ = 0;
  reported_ = false;
  waiting_ = false;
  memset(sums_, 0, sizeof(sums_));
}

bool Recognizer::push(uint32_t time_ms, const int8_t* scores, Detection* detection) {
  const size_t best = add(time_ms, scores);
  Detection candidate = {best, 0, time_ms};
  const bool passed = passes(best, time_ms, &candidate);
  if (waiting_ && passed && begins(held_.label, best)) {
    waiting_ = false;
  }
  if (waiting_) {
    return release(best, passed, candidate, detection);
  }
  if (passed && config_.longer_words != nullptr && config_.longer_words[best] != 0) {
    hold(candidate);
    return false;
  }
  return passed && report(candidate, time_ms, detection);
}

size_t Recognizer::add(uint32_t time_ms, const int8_t* scores) {
  while (count_ > 0 && (count_ == kMaxHistory || time_ms - times_ms_[oldest_] >= config_.average_window_ms)) {
    drop_oldest();
  }
  const size_t slot = (oldest_ + count_++) % kMaxHistory;
  times_ms_[slot] = time_ms;
  memcpy(scores_[slot], scores, config_.labels);
  size_t best = 0;
  for (size_t label = 0; label < config_.labels; ++label) {
    sums_[label] += scores[label];
    best = sums_[label] > sums_[best] ? label : best;
  }
  return best;
}

bool Recognizer::passes(size_t best, uint32_t time_ms, Detection* candidate) const {
  if (count_ < config_.minimum_count || best < config_.first_word || is_suppressed(best, time_ms)) {
    return false;
  }
  candidate->score_permille = average_permille(best);
  return candidate->score_permille >= config_.thresholds_permille[best];
}

// Ends the wait when it is over, or when another word follows, which then waits for the next inference.
bool Recognizer::release(size_t best, bool passed, const Detection& candidate, Detection* detection) {
  if (!passed && candidate.time_ms - held_.time_ms < wait_ms_) {
    return false;
  }
  const Detection found = held_;
  waiting_ = false;
  if (begins(found.label, best)) {
    return false;
  }
  if (passed) {
    hold(candidate);
  }
  return report(found, candidate.time_ms, detection);
}

bool Recognizer::report(const Detection& found, uint32_t time_ms, Detection* detection) {
  reported_ = true;
  reported_label_ = found.label;
  reported_ms_ = time_ms;
  *detection = Detection{found.label, found.score_permille, time_ms};
  return true;
}

void Recognizer::hold(const Detection& candidate) {
  waiting_ = true;
  held_ = candidate;
  const bool is_prefix = config_.longer_words != nullptr && config_.longer_words[candidate.label] != 0;
  wait_ms_ = is_prefix ? config_.prefix_wait_ms : 0;
}

bool Recognizer::begins(size_t label, size_t longer) const {
  return config_.longer_words != nullptr && ((config_.longer_words[label] >> longer) & 1u) != 0;
}

void Recognizer::drop_oldest() {
  for (size_t label = 0; label < config_.labels; ++label) {
    sums_[label] -= scores_[oldest_][label];
  }
  oldest_ = (oldest_ + 1) % kMaxHistory;
  --count_;
}

bool Recognizer::is_suppressed(size_t label, uint32_t time_ms) const {
  if (waiting_ && label == held_.label) {
    return true;
  }
  return reported_ && (label == reported_label_ || begins(label, reported_label_)) &&
         time_ms - reported_ms_ < config_.suppression_ms;
}

uint32_t Recognizer::average_permille(size_t label) const {
  const int32_t steps = sums_[label] - static_cast<int32_t>(count_) * config_.score_zero_point;
  if (steps <= 0) {
    return 0;
  }
  const uint64_t scaled = static_cast<uint64_t>(steps) * config_.permille_per_step_q16 / count_;
  const uint32_t permille = static_cast<uint32_t>((scaled + 32768u) >> 16);
  return permille < 1000 ? permille : 1000;
}
