#include "anomaly_alarm.h"

enum { kLevelBits = 8, kPermille = 1000, kMillion = 1000000 };

bool anomaly_alarm_push(AnomalyAlarm* alarm, const AnomalyAlarmConfig* config, uint32_t score,
                        uint32_t threshold) {
  const uint32_t release = (uint32_t)((uint64_t)threshold * config->release_permille / kPermille);
  const bool against = alarm->on ? score < release : score >= threshold;
  alarm->run = against ? alarm->run + 1 : 0;
  alarm->held += alarm->on ? 1u : 0u;
  const bool due = alarm->on ? alarm->run >= config->clear_windows && alarm->held >= config->hold_windows
                             : alarm->run >= config->raise_windows;
  if (due) {
    alarm->on = !alarm->on;
    alarm->run = 0;
    alarm->held = 0;
  }
  return due;
}

void anomaly_level_reset(AnomalyLevel* level, uint32_t trained) {
  level->level_q8 = (uint64_t)trained << kLevelBits;
  level->drifting = false;
}

bool anomaly_level_push(AnomalyLevel* level, uint32_t score, uint32_t trained, uint32_t threshold,
                        unsigned shift) {
  /* A single outlier must not look like drift: it counts as at most twice the threshold. */
  const uint64_t most = 2u * (uint64_t)threshold;
  const uint64_t value = (score < most ? score : most) << kLevelBits;
  level->level_q8 = level->level_q8 - (level->level_q8 >> shift) + (value >> shift);
  const uint64_t span = threshold > trained ? threshold - trained : 0;
  const uint64_t limit = trained + (level->drifting ? span / 4 : span / 2);
  const bool above = level->level_q8 >> kLevelBits > limit;
  const bool changed = above != level->drifting;
  level->drifting = above;
  return changed;
}

uint32_t anomaly_level(const AnomalyLevel* level) {
  const uint64_t value = level->level_q8 >> kLevelBits;
  return value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
}

void anomaly_calibration_start(AnomalyCalibration* calibration) {
  calibration->windows = 0;
  calibration->sum = 0;
}

void anomaly_calibration_push(AnomalyCalibration* calibration, uint32_t score) {
  const size_t kept =
      calibration->windows < ANOMALY_CALIBRATION_SCORES ? calibration->windows : ANOMALY_CALIBRATION_SCORES;
  calibration->windows += 1;
  calibration->sum += score;
  size_t place = kept;
  while (place > 0 && calibration->highest[place - 1] < score) {
    if (place < ANOMALY_CALIBRATION_SCORES) {
      calibration->highest[place] = calibration->highest[place - 1];
    }
    --place;
  }
  if (place < ANOMALY_CALIBRATION_SCORES) {
    calibration->highest[place] = score;
  }
}

uint32_t anomaly_calibration_needs(uint32_t share_ppm) {
  return share_ppm == 0 ? UINT32_MAX : (kMillion + share_ppm - 1) / share_ppm;
}

uint32_t anomaly_calibration_limit(uint32_t share_ppm) {
  return share_ppm == 0 ? UINT32_MAX
                        : (uint32_t)((uint64_t)ANOMALY_CALIBRATION_SCORES * kMillion / share_ppm) - 1;
}

bool anomaly_calibration_threshold(const AnomalyCalibration* calibration, uint32_t share_ppm,
                                   uint32_t* threshold) {
  if (calibration->windows < anomaly_calibration_needs(share_ppm)) {
    return false;
  }
  const uint64_t allowed = (uint64_t)calibration->windows * share_ppm / kMillion;
  if (allowed >= ANOMALY_CALIBRATION_SCORES) {
    return false;
  }
  const uint32_t next = calibration->highest[allowed];
  *threshold = next < UINT32_MAX ? next + 1 : next;
  return true;
}

uint32_t anomaly_calibration_level(const AnomalyCalibration* calibration) {
  return calibration->windows == 0 ? 0 : (uint32_t)(calibration->sum / calibration->windows);
}
