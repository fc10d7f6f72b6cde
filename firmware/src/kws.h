// Keyword spotting: microphone (or PCM from the host) -> features -> inference -> recognizer -> events.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "audio_frontend.h"
#include "command.h"
#include "engine.h"
#include "hal.h"
#include "json_line.h"
#include "line_reader.h"
#include "model_settings.h"
#include "recognizer.h"

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
  void handle_line();
  void execute(const Command& command);
  Reject accept_pcm(const Command& command);
  Reject write_input(const Command& command);
  void run_once(uint16_t seq);
  void process_audio(const int16_t* samples, size_t count);
  void add_frame(const uint16_t* features);
  void infer();
  void report(const Detection& detection);
  void set_led(const uint8_t color[3], uint32_t time_ms);
  void update_led(uint32_t time_ms);
  uint32_t stream_ms() const;

  JsonLine event() { return JsonLine(sink_); }
  void send_ready();
  void send_ack(uint16_t seq);
  void send_nak(uint16_t seq, Reject reject);
  void send_output(uint16_t seq);
  void send_fault(const char* what);

  Hal* hal_ = nullptr;
  TextSink sink_ = {};
  LineReader reader_;
  AudioFrontend frontend_;
  Engine engine_;
  Recognizer recognizer_;

  bool engine_ready_ = false;
  bool frontend_ready_ = false;
  bool host_feeds_ = false;  // the host has sent PCM since the last reset: the microphone is not listened to
  Trace trace_ = Trace::kOff;
  uint16_t last_pcm_seq_ = 0;  // 0: none, and never a duplicate
  uint16_t last_run_seq_ = 0;
  uint64_t last_run_instructions_ = 0;

  uint64_t samples_ = 0;  // processed since the last reset
  uint32_t frames_ = 0;
  size_t next_row_ = 0;  // the oldest row of the ring, which the next frame replaces
  int8_t ring_[FEATURE_FRAMES][FEATURE_CHANNELS] = {};

  bool led_on_ = false;
  uint32_t led_since_ms_ = 0;
};
