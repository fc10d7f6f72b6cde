// The frames of features that a sound model takes, and when it is due. A streaming model keeps the window
// itself: it takes the frames since the last inference.
#pragma once

#include <stddef.h>
#include <stdint.h>

struct FeatureWindowConfig {
  size_t frames;        // of the window
  size_t input_frames;  // of the model's input: `frames`, or `stride_frames` of a streaming model
  size_t channels;
  uint32_t stride_frames;  // from one inference to the next
  uint32_t multiplier;     // this, shift and zero point turn features into the model's int8
  uint32_t shift;
  int32_t zero_point;
};

class FeatureWindow {
 public:
  // `memory` of input_frames * channels bytes must outlive the window.
  void begin(const FeatureWindowConfig& config, int8_t* memory);

  // Forgets all frames.
  void reset();

  // Takes one frame of features. True if the model is due.
  bool add(const uint16_t* features);

  // The last frame as the model takes it.
  const int8_t* newest() const {
    return memory_ + (oldest_ + config_.input_frames - 1) % config_.input_frames * config_.channels;
  }

  // Copies the model's input, the oldest frame first.
  void copy(int8_t* input) const;

  // Whether the sound since the last reset fills a window: before that, a streaming model's scores are
  // meaningless.
  bool is_full() const { return frames_ >= config_.frames; }

 private:
  size_t bytes() const { return config_.input_frames * config_.channels; }

  FeatureWindowConfig config_ = {};
  int8_t* memory_ = nullptr;
  size_t oldest_ = 0;  // the row that the next frame replaces
  uint32_t frames_ = 0;
};
