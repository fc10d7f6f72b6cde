// Keyword spotting: microphone (or PCM from the host) -> features -> inference -> recognizer -> events.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "audio_frontend.h"
#include "hal.h"
#include "model_settings.h"
#include "recognizer.h"
#include "session.h"

class KwsApp {
 public:
  // Starts everything and sends the `ready` banner. Whatever fails is reported as a `fault` event; the serial
  // protocol answers all the same.
  void setup(Hal& hal);

  // Does what is due: one batch of serial bytes, one batch of microphone samples; sleeps when there is
  // neither.
  void step();

 private:
  void reset_stream();
  Reject execute(const Command& command);
  Reject accept_pcm(const Command& command);
  void process_audio(const int16_t* samples, size_t count);
  void add_frame(const uint16_t* features);
  void infer();
  void report(const Detection& detection);
  void set_led(const uint8_t color[3]);
  void update_led();
  uint32_t stream_ms() const;

  Session session_;
  AudioFrontend frontend_;
  Recognizer recognizer_;

  bool frontend_ready_ = false;
  bool host_feeds_ = false;  // the host has sent PCM since the last reset: the microphone is not listened to
  uint16_t last_pcm_seq_ = 0;  // 0: none, and never a duplicate

  uint64_t samples_ = 0;  // processed since the last reset
  uint32_t frames_ = 0;
  size_t next_row_ = 0;  // the oldest row of the ring, which the next frame replaces
  int8_t ring_[FEATURE_FRAMES][FEATURE_CHANNELS] = {};

  bool led_held_ = false;  // a detection's colour is shown, and will be put out
  uint32_t led_since_ms_ = 0;
};
