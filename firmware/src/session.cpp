#include "session.h"

#include <string.h>

#include "model_settings.h"
#include "tinyml_build.h"

namespace {

constexpr uint32_t kStatusPeriodMs = 1000;
constexpr char kMicrophone[] = "microphone";

void write_serial(void* hal, const char* text, size_t count) {
  static_cast<Hal*>(hal)->serial_write(text, count);
}

}  // namespace

void Session::begin(Hal& hal) {
  hal_ = &hal;
  sink_ = TextSink{write_serial, hal_};
  hal_->begin();
  sensor_count_ = hal_->sensor_names(sensors_, kMaxSensors);
  second_since_ms_ = hal_->clock_ms();
  if (!inference_.begin(hal)) {
    fault(inference_.error());
  }
#if defined(TINYML_MODEL_SLOTS)
  if (!slots_.begin(hal, &inference_)) {
    refuse("the model does not pass its self-test");
  }
#endif
}

bool Session::receive() {
  hal_->watchdog_feed();
  report_status();
  batch_next_ = 0;
  batch_used_ = hal_->serial_read(batch_, sizeof(batch_));
  return batch_used_ > 0;
}

bool Session::next(Request* request) {
  while (batch_next_ < batch_used_) {
    switch (reader_.push(batch_[batch_next_++])) {
      case LineReader::Event::kLine:
        if (take_line(request)) {
          return true;
        }
        break;
      case LineReader::Event::kTooLong:
        nak(0, Reject::kLength);
        break;
      case LineReader::Event::kNone:
        break;
    }
  }
  return false;
}

size_t Session::listen(int16_t* samples, size_t capacity) {
  const size_t count = hal_->microphone_read(samples, capacity);
  level_.add(samples, count);
  return count;
}

void Session::answer(const Command& command, Reject reject) {
  if (reject == Reject::kNone) {
    event().begin("ack").number("seq", command.seq).end();
  } else {
    nak(command.seq, reject);
  }
}

bool Session::infer() {
  runs_.reset();
  see_input();
  const bool done = inference_.run();
  if (!done) {
    fault(inference_.error());
  }
  return done;
}

void Session::see_input() {
  Engine& engine = inference_.engine();
  if (inference_.ready()) {
    drift_.see(static_cast<const int8_t*>(engine.input()), engine.input_bytes(0));
  }
}

#if defined(TINYML_SECOND_MODEL)

bool Session::infer_second() {
  runs_.reset();
  const bool done = inference_.run_second();
  if (!done) {
    fault("an operator of the second network refused its arguments");
  }
  return done;
}

#endif

void Session::show(const uint8_t color[3], uint32_t time_ms) {
  hal_->led(color[0], color[1], color[2]);
  event()
      .begin("led")
      .number("r", color[0])
      .number("g", color[1])
      .number("b", color[2])
      .number("t_ms", time_ms)
      .end();
}

void Session::fault(const char* what) {
  event().begin("fault").text("what", what).end();
}

void Session::refuse(const char* what) {
  inference_.refuse();
  fault(what);
}

void Session::check_model(size_t input_bytes, size_t output_bytes) {
  if (inference_.ready() &&
      (inference_.input_bytes() != input_bytes || inference_.output_bytes() != output_bytes)) {
    refuse("the model's input or output does not have the size that model_settings.h says");
  }
}

void Session::tell(const char* verb, const char* label, uint32_t score_permille, uint32_t time_ms,
                   const char* model) {
  TextLine line(sink_);
  line.text(verb)
      .text(label)
      .text(" (")
      .number((score_permille + 5) / 10)
      .text("%) @")
      .number(time_ms)
      .text("ms");
  if (model != nullptr) {
    line.text(" by ").text(model);
  }
  line.put('\n').flush();
}

void Session::send_ready() {
  sensor_count_ = hal_->sensor_names(sensors_, kMaxSensors);  // a camera is found after the others
  JsonLine line(sink_);
  line.begin("ready")
      .number("protocol", kProtocolVersion)
      .text("tinyml", TINYML_VERSION)
      .text("app", TINYML_APP_NAME)
      .text("board", TINYML_BOARD_NAME)
      .text("engine", inference_.engine().name())
      .text("model", TINYML_MODEL_SHA256)
      .number("arena_used", inference_.ready() ? inference_.engine().arena_used() : 0)
      .number("arena_bytes", inference_.engine().arena_bytes())
      .number("input_bytes", inference_.ready() ? inference_.input_bytes() : 0)
      .number("output_bytes", inference_.ready() ? inference_.output_bytes() : 0)
      .text("input_type", INPUT_TYPE)
      .text("output_type", OUTPUT_TYPE)
      .texts("sensors", sensors_, sensor_count_);
  if (hal_->complaint()[0] != '\0') {
    line.text("complaint", hal_->complaint());
  }
#if defined(SAMPLE_RATE_HZ)
  line.number("sample_rate_hz", SAMPLE_RATE_HZ);
#endif
#if LABEL_COUNT > 0
  line.texts("labels", kLabels, LABEL_COUNT);
#else
  line.texts("labels", nullptr, 0);
#endif
  line.end();
}

// Returns whether the line is for the application.
bool Session::take_line(Request* request) {
  if (reader_.terminator() == '%') {
    request->percent = true;
    request->text = reader_.line();
    request->length = reader_.length();
    return true;
  }
  if (reader_.length() == 0) {
    return false;
  }
  request->percent = false;
  const Reject reject = parse_command(reader_.line(), reader_.length(), &request->command);
  if (reject != Reject::kNone) {
    nak(request->command.seq, reject);
    return false;
  }
  return !execute(request->command);
}

// Returns false if the command is for the application.
bool Session::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kInfo:
      send_ready();
      break;
    case Verb::kTrace:
      trace_ = command.trace;
      break;
    case Verb::kIn:
      runs_.reset();
      answer(command, inference_.write(command.offset, command.data, command.bytes));
      return true;
    case Verb::kRun:
      run_once(command);
      return true;
    case Verb::kSensors:
      send_sensors(command.seq);
      return true;
    case Verb::kReset:
      runs_.reset();
      inference_.reset();
      return false;
#if defined(TINYML_MODEL_SLOTS)
    case Verb::kSlots:
      slots_.report(JsonLine(sink_), command.seq);
      return true;
    case Verb::kUpdate:
    case Verb::kPacked:
      answer(command, slots_.update(command));
      return true;
    case Verb::kRestart:
      answer(command, Reject::kNone);
      hal_->restart();
      return true;
#endif
    case Verb::kPcm:
    case Verb::kLed:
    case Verb::kImu:
    case Verb::kCalibrate:
    case Verb::kFrame:
    case Verb::kLearn:
    case Verb::kTrain:
    case Verb::kForget:
    case Verb::kList:
    case Verb::kAdvance:
      return false;
  }
  answer(command, Reject::kNone);
  return true;
}

void Session::run_once(const Command& command) {
  // An inference may overwrite its input, so a repeated request gets the same answer, not another inference.
  if (!runs_.is_repeated(command.seq)) {
    if (!inference_.ready() || !infer()) {
      nak(command.seq, Reject::kCommand);
      return;
    }
    runs_.remember(command.seq);
  }
  send_output(command.seq);
}

void Session::send_output(uint16_t seq) {
  JsonLine line(sink_);
  line.begin("output").number("seq", seq);
  inference_.report_outputs(&line, "data");
  line.number("instructions", inference_.instructions())
      .number("inference_us", inference_.microseconds())
      .end();
}

void Session::send_sensors(uint16_t seq) {
  JsonLine line(sink_);
  line.begin("sensors").number("seq", seq);
  if (has_microphone()) {
    line.number("microphone_rms", audio_rms_);
  }
  line.text("imu", hal_->imu_name());
  ImuSample sample;
  if (hal_->imu_read(&sample)) {
    line.signed_number("ax_mg", sample.ax_mg)
        .signed_number("ay_mg", sample.ay_mg)
        .signed_number("az_mg", sample.az_mg);
  }
  line.end();
}

void Session::report_status() {
  const uint32_t now_ms = hal_->clock_ms();
  if (now_ms - second_since_ms_ < kStatusPeriodMs) {
    return;
  }
  second_since_ms_ = now_ms;
  audio_rms_ = level_.take();
  if (traces(kTraceStatus)) {
    JsonLine line(sink_);
    line.begin("status")
        .number("uptime_ms", now_ms)
        .number("inference_us", inference_.microseconds())
        .number("audio_rms", audio_rms_)
        .number("clipped", level_.clipped())
        .number("overruns", hal_->microphone_overruns());
    if (has_noise_) {
      line.number("noise", noise_);
    }
    line.end();
  }
}

void Session::nak(uint16_t seq, Reject reject) {
  event().begin("nak").number("seq", seq).text("reason", reject_name(reject)).end();
}

bool Session::has_microphone() const {
  for (size_t i = 0; i < sensor_count_; ++i) {
    if (strcmp(sensors_[i], kMicrophone) == 0) {
      return true;
    }
  }
  return false;
}
