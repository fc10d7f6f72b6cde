// The host communication of every application: reads commands, executes those that need no application
// (info, in, run, trace, sensors), answers, and reports events.
//
//   session.begin(hal);                   starts hal and engine
//   session.receive();                    takes the bytes that have arrived
//   while (session.next(&request)) {...}  commands left to the application: it must answer() each
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "audio_level.h"
#include "command.h"
#include "hal.h"
#include "inference.h"
#include "json_line.h"
#include "line_reader.h"
#include "text_line.h"

// A request to the application: one command, or one text that ended with '%'.
struct Request {
  bool percent;
  Command command;  // pcm, reset, led: unless percent
  char* text;       // if percent: `length` characters, any characters
  size_t length;
};

class Session {
 public:
  // With `percent_ends`, '%' ends a line too, and such lines are for the application.
  explicit Session(bool percent_ends = false) : reader_(percent_ends) {}

  // Starts hal and model. A failure is a `fault` event; the protocol still answers. Call
  // send_ready() when the application is set up too.
  void begin(Hal& hal);
  void send_ready();

  // Takes one batch of bytes, reports the status if it is due, and feeds the watchdog. Returns false if
  // no byte has arrived.
  bool receive();

  // The next request of that batch; false: none is left.
  bool next(Request* request);

  // Copies the microphone samples that have arrived, and measures their level. Returns how many.
  size_t listen(int16_t* samples, size_t capacity);

  // The answer to a command: ack, or nak with the reason.
  void answer(const Command& command, Reject reject);

  // One inference; a `fault` event if it fails. Afterwards, a repeated `run` is executed again.
  bool infer();

  // The same for the second model, if the board has one.
  bool infer_second();

  // Shows a colour on the board and to the host.
  void show(const uint8_t color[3], uint32_t time_ms);

  void fault(const char* what);

  JsonLine event() { return JsonLine(sink_); }
  TextSink sink() const { return sink_; }
  Hal& hal() { return *hal_; }
  Inference& inference() { return inference_; }
  bool traces(uint8_t mode) const { return (trace_ & mode) != 0; }

 private:
  static constexpr size_t kBatchBytes = 256;
  static constexpr size_t kMaxSensors = 4;

  bool take_line(Request* request);
  bool execute(const Command& command);
  void run_once(const Command& command);
  void send_output(uint16_t seq);
  void send_sensors(uint16_t seq);
  void report_status();
  void nak(uint16_t seq, Reject reject);
  bool has_microphone() const;

  Hal* hal_ = nullptr;
  TextSink sink_ = {};
  LineReader reader_;
  Inference inference_;
  AudioLevel level_;
  const char* sensors_[kMaxSensors] = {};
  size_t sensor_count_ = 0;

  char batch_[kBatchBytes];
  size_t batch_used_ = 0;
  size_t batch_next_ = 0;

  uint8_t trace_ = 0;
  uint16_t last_run_seq_ = 0;  // 0: none, and never a duplicate
  uint32_t audio_rms_ = 0;     // of the last second
  uint32_t second_since_ms_ = 0;
};
