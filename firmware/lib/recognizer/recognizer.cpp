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
  memset(sums_, 0, sizeof(sums_));
}

bool Recognizer::push(uint32_t time_ms, const int8_t* scores, Detection* detection) {
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
  if (count_ < config_.minimum_count || best < config_.first_word || is_suppressed(best, time_ms)) {
    return false;
  }
  const uint32_t score_permille = average_permille(best);
  if (score_permille < config_.thresholds_permille[best]) {
    return false;
  }
  reported_ = true;
  reported_label_ = best;
  reported_ms_ = time_ms;
  *detection = Detection{best, score_permille, time_ms};
  return true;
}

void Recognizer::drop_oldest() {
  for (size_t label = 0; label < config_.labels; ++label) {
    sums_[label] -= scores_[oldest_][label];
  }
  oldest_ = (oldest_ + 1) % kMaxHistory;
  --count_;
}

bool Recognizer::is_suppressed(size_t label, uint32_t time_ms) const {
  return reported_ && label == reported_label_ && time_ms - reported_ms_ < config_.suppression_ms;
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
