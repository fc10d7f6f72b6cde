// Keyword spotting: microphone (or PCM from the host) -> features -> inference -> recognizer -> events.
//
// In the application multi_tenant, two models process the same features one after the other; both use the
// arena of the larger one, so neither may keep anything in it from one inference to the next. In the
// application cascade, the second model uses the camera for a while after a word was detected.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "audio_frontend.h"
#include "hal.h"
#include "listener.h"
#include "model_settings.h"
#include "session.h"
#include "tinyml_build.h"

#if defined(TINYML_APP_MULTI_TENANT) || defined(TINYML_APP_CASCADE)
#include "second_model_settings.h"
#endif
#if defined(TINYML_APP_CASCADE)
#include "looker.h"
#endif

class KwsApp {
 public:
  // Starts everything and sends the `ready` banner. Any failure is reported as a `fault` event; the serial
  // protocol still answers.
  void setup(Hal& hal);

  // Does pending work: one batch of serial bytes, one batch of microphone samples; sleeps if there is
  // none.
  void step();

 private:
  void reset_stream();
  Reject execute(const Command& command);
  Reject accept_pcm(const Command& command);
  void process_audio(const int16_t* samples, size_t count);
  void report_audio(const int16_t* samples, size_t count);
  void add_frame(const uint16_t* features);
  void infer();
  void judge(Listener* listener, const int8_t* scores);
  void report(const Listener& listener, const Detection& detection);
  static void name_model(const Listener& listener, JsonLine* line);
  void set_led(const uint8_t color[3]);
  void update_led();
  uint32_t stream_ms() const;

  Session session_;
  AudioFrontend frontend_;
  Listener listener_;

  bool frontend_ready_ = false;
  bool host_feeds_ = false;  // the host has sent PCM since the last reset: the microphone is not listened to
  uint16_t last_pcm_seq_ = 0;  // 0: none, and never a duplicate

  uint64_t samples_ = 0;  // processed since the last reset
  uint32_t frames_ = 0;
  int8_t window_[INPUT_FRAMES * FEATURE_CHANNELS] = {};
  static_assert(INPUT_FRAMES == FEATURE_FRAMES || INPUT_FRAMES == INFERENCE_STRIDE_FRAMES,
                "a streaming model takes the frames from one inference to the next");

#if defined(TINYML_APP_MULTI_TENANT)
  void infer_second();

  static_assert(SECOND_NETWORK_INPUT_COUNT == 1 && SECOND_NETWORK_OUTPUT_COUNT == 1 &&
                    SECOND_NETWORK_INPUT_BYTES == SECOND_INPUT_FRAMES * SECOND_FEATURE_CHANNELS &&
                    SECOND_NETWORK_OUTPUT_BYTES == SECOND_LABEL_COUNT,
                "the second model's input or output does not have the size that its settings say");

  Listener second_;
  int8_t second_window_[SECOND_INPUT_FRAMES * SECOND_FEATURE_CHANNELS] = {};
#endif

#if defined(TINYML_APP_CASCADE)
  void open_gate(const char* label);
  void close_gate();
  void look();
  Reject accept_frame(const Command& command);

  Looker looker_;
  bool gate_open_ = false;
  uint32_t gate_since_ms_ = 0;
  uint8_t frame_[SECOND_FRAME_BYTES] = {};
#endif

  bool led_held_ = false;  // a detection's colour is shown, and will be put out
  uint32_t led_since_ms_ = 0;
};
