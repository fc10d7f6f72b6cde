// Posteriors over time -> detected words, in integer arithmetic.
//
// Each inference gives one score per label. The scores of the last `average_window_ms` are averaged; a word
// is detected if its average is the highest of all labels and reaches its threshold, the window holds at
// least `minimum_count` inferences, and the same word was not reported within `suppression_ms`. (Posterior
// smoothing after Chen, Parada, Heigold: "Small-footprint keyword spotting using deep neural networks",
// ICASSP 2014, section 2.3.)
//
// A word that is the beginning of a longer one ("no", "nora") waits `prefix_wait_ms` after it met the
// conditions. It is dropped if the longer one is detected meanwhile, or leads at the end; otherwise it is
// reported then.
#pragma once

#include <stddef.h>
#include <stdint.h>

constexpr size_t kFirstWord = 2;  // labels start with silence, unknown

struct RecognizerConfig {
  size_t labels;
  size_t first_word;                    // labels before this one (silence, unknown) are never reported
  const uint16_t* thresholds_permille;  // one per label
  uint32_t average_window_ms;
  uint32_t suppression_ms;
  uint32_t minimum_count;
  int32_t score_zero_point;  // a score q stands for (q - zero_point) * permille_per_step_q16 / 65536 ‰
  uint32_t permille_per_step_q16;
  const uint32_t* longer_words;  // one per label: bit n is set where label n begins with it; null: none do
  uint32_t prefix_wait_ms;
};

struct Detection {
  size_t label;
  uint32_t score_permille;
  uint32_t time_ms;
};

class Recognizer {
 public:
  static constexpr size_t kMaxLabels = 32;
  static constexpr size_t kMaxHistory = 64;

  // Keeps a copy of `config`; everything it points to must outlive the recognizer. False if the configuration
  // does not fit.
  bool begin(const RecognizerConfig& config);

  // Forgets all scores and detections.
  void reset();

  // Takes the scores of one inference at `time_ms`, which never decreases. True if a word was detected.
  bool push(uint32_t time_ms, const int8_t* scores, Detection* detection);

 private:
  size_t add(uint32_t time_ms, const int8_t* scores);
  void drop_oldest();
  bool passes(size_t best, uint32_t time_ms, Detection* candidate) const;
  bool release(size_t best, bool passed, const Detection& candidate, Detection* detection);
  bool report(const Detection& found, uint32_t time_ms, Detection* detection);
  void hold(const Detection& candidate);
  bool begins(size_t label, size_t longer) const;
  bool is_suppressed(size_t label, uint32_t time_ms) const;
  uint32_t average_permille(size_t label) const;

  RecognizerConfig config_ = {};
  size_t oldest_ = 0;
  size_t count_ = 0;
  bool reported_ = false;
  size_t reported_label_ = 0;
  uint32_t reported_ms_ = 0;
  bool waiting_ = false;
  uint32_t wait_ms_ = 0;
  Detection held_ = {};  // what waits, with the time since when
  int32_t sums_[kMaxLabels] = {};
  uint32_t times_ms_[kMaxHistory] = {};
  int8_t scores_[kMaxHistory][kMaxLabels] = {};
};
