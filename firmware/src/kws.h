// Keyword spotting: microphone (or PCM from the host) -> features -> inference -> recognizer -> events. See
// kws_parts.h for what the applications multi_tenant and cascade add.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "audio_frontend.h"
#include "hal.h"
#include "host_feed.h"
#include "kws_parts.h"
#include "light.h"
#include "listener.h"
#include "model_settings.h"
#include "session.h"

class KwsApp {
 public:
  // Starts everything and sends the `ready` banner. Any failure is reported as a `fault` event; the serial
  // protocol still answers.
  void setup(Hal& hal);

  // Does pending work: one batch of serial bytes, one batch of microphone samples; sleeps if there is
  // none.
  void step();

 private:
  static constexpr uint32_t kLightMs = 600;

  void reset_stream();
  Reject execute(const Command& command);
  Reject accept_pcm(const Command& command);
  Reject obey(const Command& command);
  void use_words();
  void process_audio(const int16_t* samples, size_t count);
  void report_audio(const int16_t* samples, size_t count);
  void add_frame(const uint16_t* features);
  void hear(const uint16_t* features);
  uint32_t stream_ms() const;

  Session session_;
  AudioFrontend frontend_;
  Listener listener_;
  HostFeed host_;
  Light light_{session_, kLightMs};
  SecondListener second_listener_{session_, light_};
  Gate gate_{session_, light_};
  Pupil pupil_{session_};

  bool frontend_ready_ = false;
  uint64_t samples_ = 0;  // processed since the last reset
  uint32_t frames_ = 0;
  int8_t window_[INPUT_FRAMES * FEATURE_CHANNELS] = {};
  static_assert(INPUT_FRAMES == FEATURE_FRAMES || INPUT_FRAMES == INFERENCE_STRIDE_FRAMES,
                "a streaming model takes the frames from one inference to the next");
};
