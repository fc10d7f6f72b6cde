// Everything of one sound model: its window of quantised features, when it is due, and the meaning of its
// scores. A streaming model keeps the window itself: it takes the frames since the last inference.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "light.h"
#include "recognizer.h"
#include "session.h"

constexpr size_t kFirstWord = 2;  // labels start with silence, unknown

struct ListenerConfig {
  const char* model;  // its name; nullptr: it is the only one on the board
  const char* const* labels;
  const uint8_t (*colors)[3];  // one per label
  size_t frames;               // of the window
  size_t input_frames;         // of the model's input: `frames`, or `stride_frames` of a streaming model
  size_t channels;
  uint32_t stride_frames;  // from one inference to the next
  uint32_t multiplier;     // this, shift and zero point turn features into the model's int8
  uint32_t shift;
  int32_t zero_point;
  RecognizerConfig recognizer;
};

class Listener {
 public:
  // `window` is memory of input_frames * channels bytes; it and everything that `config` points to must
  // outlive the listener. False if the recognizer cannot hold the settings.
  bool begin(const ListenerConfig& config, int8_t* window);

  // Forgets all frames and detections.
  void reset();

  // Takes one frame of features. True if the model is due.
  bool add(const uint16_t* features);

  // Copies the model's input, the oldest frame first.
  void copy_window(int8_t* input) const;

  // Whether the sound since the last reset fills a window: before that, a streaming model's scores are
  // meaningless.
  bool window_is_full() const { return frames_ >= config_.frames; }

  // Takes the scores of one inference; reports them, and a detected word, whose colour it shows. Returns the
  // word, or nullptr.
  const char* judge(Session* session, Light* light, uint32_t now_ms, const int8_t* scores);

 private:
  void report(Session* session, const Detection& detection) const;
  size_t window_bytes() const { return config_.input_frames * config_.channels; }

  ListenerConfig config_ = {};
  Recognizer recognizer_;
  int8_t* window_ = nullptr;
  size_t oldest_ = 0;  // the row that the next frame replaces
  uint32_t frames_ = 0;
};
