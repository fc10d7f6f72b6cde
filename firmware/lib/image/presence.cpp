#include "presence.h"

namespace {

constexpr int32_t kPermille = 1000;

}  // namespace

bool Presence::begin(const PresenceConfig& config) {
  config_ = config;
  reset();
  return config.labels > 1 && config.background <= config.labels &&
         config.off_permille <= config.on_permille && config.on_permille <= kPermille &&
         config.frames_on > 0 && config.frames_off > 0;
}

void Presence::reset() {
  label_ = config_.background;
  candidate_ = config_.background;
  in_a_row_ = 0;
  missing_ = 0;
  score_permille_ = 0;
}

bool Presence::push(const int8_t* scores) {
  size_t best = 0;
  for (size_t i = 1; i < config_.labels; ++i) {
    best = scores[i] > scores[best] ? i : best;
  }
  const bool sure = best != config_.background && permille(scores[best]) >= config_.on_permille;
  const size_t candidate = sure ? best : config_.background;
  in_a_row_ = candidate != candidate_ ? 0 : in_a_row_;
  candidate_ = candidate;
  in_a_row_ = in_a_row_ < UINT8_MAX ? static_cast<uint8_t>(in_a_row_ + 1) : in_a_row_;

  const bool kept = is_present() && permille(scores[label_]) >= config_.off_permille;
  missing_ = kept ? 0 : missing_ < UINT8_MAX ? static_cast<uint8_t>(missing_ + 1) : missing_;
  bool changed = false;
  if (candidate_ != config_.background && candidate_ != label_ && in_a_row_ >= config_.frames_on) {
    changed = become(candidate_);
  } else if (is_present() && missing_ >= config_.frames_off) {
    changed = become(config_.background);
  }
  score_permille_ = label_ < config_.labels ? permille(scores[label_]) : 0;
  return changed;
}

uint16_t Presence::permille(int8_t score) const {
  const int32_t steps = score - config_.zero_point;
  if (steps <= 0) {
    return 0;
  }
  const uint64_t value = (static_cast<uint64_t>(steps) * config_.permille_per_step_q16 + (1u << 15)) >> 16;
  return static_cast<uint16_t>(value > kPermille ? kPermille : value);
}

bool Presence::become(size_t label) {
  label_ = label;
  missing_ = 0;
  return true;
}
