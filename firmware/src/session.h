// The host communication of every application: reads commands, executes those that need no application
// (info, in, run, trace, sensors), answers, and reports events.
//
//   session.begin(hal);                   starts hal and engine
//   session.serve(execute);               answers the commands that have arrived; execute() those left to the
//                                         application
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "audio_level.h"
#include "command.h"
#include "drift_watch.h"
#include "hal.h"
#include "host_feed.h"
#include "inference.h"
#include "json_line.h"
#include "line_reader.h"
#include "sequence_check.h"
#include "text_line.h"
#if defined(TINYML_MODEL_SLOTS)
#include "slot_service.h"
#endif

constexpr uint8_t kLightOff[3] = {0, 0, 0};

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

  // Disables the model for good, with a `fault` event that says why.
  void refuse(const char* what);

  // Refuses a model whose input or output has another size than its settings say.
  void check_model(size_t input_bytes, size_t output_bytes);

  // Takes one batch of bytes, and answers each command left to the application with what `execute(command)`
  // returns. Returns false if no byte has arrived.
  template <class Execute>
  bool serve(Execute execute) {
    const bool received = receive();
    Request request;
    while (next(&request)) {
      answer(request.command, execute(request.command));
    }
    return received;
  }

  // The two halves of serve(), for an application that takes more than commands: it must answer() each.
  //
  // Takes one batch of bytes, reports the status if it is due, and feeds the watchdog. Returns false if
  // no byte has arrived.
  bool receive();

  // The next request of that batch; false: none is left.
  bool next(Request* request);

  // Copies the microphone samples that have arrived, and measures their level. Returns how many.
  size_t listen(int16_t* samples, size_t capacity);

  // What the status says of noise: the mean of the front end's estimate over its channels.
  void note_noise(uint32_t noise) {
    noise_ = noise;
    has_noise_ = true;
  }

  // The answer to a command: ack, or nak with the reason.
  void answer(const Command& command, Reject reject);

  // One inference; a `fault` event if it fails. Afterwards, a repeated `run` is executed again.
  bool infer();

  // What the last infer() made of the application's own input, to be watched for drift: the scores of labels,
  // or one score in 1/256 of a step.
  void watch_labels(const int8_t* scores, size_t count) { drift_.judge_labels(scores, count, sink_); }
  void watch_score(int32_t score) { drift_.judge(score, sink_); }

  // The same for the second model, if the board has one.
  bool infer_second();

  // Shows a colour on the board and to the host.
  void show(const uint8_t color[3], uint32_t time_ms);

  void fault(const char* what);

  // A line for people: `Heard yes (94%) @4056ms`, with ` by MODEL` unless it is nullptr.
  void tell(const char* verb, const char* label, uint32_t score_permille, uint32_t time_ms,
            const char* model = nullptr);

  JsonLine event() { return JsonLine(sink_); }
  TextSink sink() const { return sink_; }
  Hal& hal() { return *hal_; }
  Inference& inference() { return inference_; }

  // Whether the host sends data or writes inputs: the application's own would overwrite them.
  bool is_host_in_charge(const HostFeed& host) { return host.is_active() || inference_.is_host_writing(); }
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
  void see_input();

  Hal* hal_ = nullptr;
  TextSink sink_ = {};
  LineReader reader_;
  Inference inference_;
  DriftWatch drift_;
  AudioLevel level_;
  const char* sensors_[kMaxSensors] = {};
  size_t sensor_count_ = 0;

  char batch_[kBatchBytes];
  size_t batch_used_ = 0;
  size_t batch_next_ = 0;

#if defined(TINYML_MODEL_SLOTS)
  SlotService slots_;
#endif

  uint8_t trace_ = 0;
  SequenceCheck runs_;
  uint32_t audio_rms_ = 0;  // of the last second
  uint32_t noise_ = 0;
  bool has_noise_ = false;
  uint32_t second_since_ms_ = 0;
};
