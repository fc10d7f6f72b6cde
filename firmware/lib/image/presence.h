// Presence of the camera's subject: hysteresis over frames, in thresholds and in time.
//
// A label other than the background appears after `frames_on` consecutive frames in which it scores best and
// at least `on_permille`, and disappears after `frames_off` consecutive frames in which it scores below
// `off_permille` or another label has taken its place. One frame without it changes nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct PresenceConfig {
  size_t labels;
  size_t background;  // the label that means that nothing is there; `labels` if there is none
  uint16_t on_permille;
  uint16_t off_permille;  // not above on_permille
  uint8_t frames_on;      // at least 1
  uint8_t frames_off;     // at least 1
  int32_t zero_point;     // of the scores
  uint32_t permille_per_step_q16;
};

class Presence {
 public:
  // Returns false if the settings are invalid.
  bool begin(const PresenceConfig& config);

  // Forgets every frame.
  void reset();

  // Takes the scores of one frame, int8[labels]; returns whether the label has changed.
  bool push(const int8_t* scores);

  // Whether a label other than the background is present.
  bool is_present() const { return label_ != config_.background; }

  // The present label, or the background; and its score in the last frame, 0 where no label is the
  // background.
  size_t label() const { return label_; }
  uint16_t score_permille() const { return score_permille_; }

 private:
  uint16_t permille(int8_t score) const;
  bool become(size_t label);

  PresenceConfig config_ = {};
  size_t label_ = 0;
  size_t candidate_ = 0;  // the background: none
  uint8_t in_a_row_ = 0;  // frames for the candidate
  uint8_t missing_ = 0;   // frames without the label
  uint16_t score_permille_ = 0;
};
