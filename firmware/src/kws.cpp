#include "kws.h"

#include <string.h>

#include "audio_frontend_tables.h"
#include "tinyml_build.h"

namespace {

constexpr size_t kLabelCount = sizeof(kLabels) / sizeof(kLabels[0]);
constexpr size_t kFirstWord = 2;  // labels start with silence, unknown
constexpr size_t kRowBytes = FEATURE_CHANNELS;
constexpr uint32_t kLedHoldMs = 600;
constexpr size_t kSerialBatchBytes = 256;
constexpr size_t kMicrophoneBatchSamples = 160;
constexpr uint8_t kLedOff[3] = {0, 0, 0};

// Folded by the compiler: no floating point runs.
constexpr uint32_t kPermillePerStepQ16 = static_cast<uint32_t>(OUTPUT_SCALE * 1000.0 * 65536.0 + 0.5);

constexpr RecognizerConfig kRecognizerConfig = {
    kLabelCount,   kFirstWord,        DETECTION_THRESHOLD_PERMILLE, AVERAGE_WINDOW_MS, SUPPRESSION_MS,
    MINIMUM_COUNT, OUTPUT_ZERO_POINT, kPermillePerStepQ16,
};

void write_serial(void* hal, const char* text, size_t count) {
  static_cast<Hal*>(hal)->serial_write(text, count);
}

}  // namespace

void KwsApp::setup(Hal& hal) {
  hal_ = &hal;
  sink_ = TextSink{write_serial, hal_};
  hal_->begin();
  engine_ready_ = engine_.begin();
  if (!engine_ready_) {
    send_fault(engine_.error());
  } else if (engine_.input_bytes() != sizeof(ring_) || engine_.output_bytes() != kLabelCount) {
    engine_ready_ = false;
    send_fault("the model's input or output does not have the size that model_settings.h says");
  }
  frontend_ready_ = audio_frontend_init(&frontend_, &kAudioFrontendConfig);
  if (!frontend_ready_ || kAudioFrontendConfig.channels != FEATURE_CHANNELS) {
    frontend_ready_ = false;
    send_fault("the audio front end cannot hold these settings");
  }
  if (!recognizer_.begin(kRecognizerConfig)) {
    engine_ready_ = false;
    send_fault("the recognizer cannot hold this many labels or inferences");
  }
  reset_stream();
  send_ready();
}

void KwsApp::step() {
  char bytes[kSerialBatchBytes];
  const size_t byte_count = hal_->serial_read(bytes, sizeof(bytes));
  for (size_t i = 0; i < byte_count; ++i) {
    const LineReader::Event line = reader_.push(bytes[i]);
    if (line == LineReader::Event::kLine && reader_.length() > 0) {
      handle_line();
    } else if (line == LineReader::Event::kTooLong) {
      send_nak(0, Reject::kLength);
    }
  }
  int16_t samples[kMicrophoneBatchSamples];
  const size_t sample_count = hal_->microphone_read(samples, kMicrophoneBatchSamples);
  if (sample_count > 0 && !host_feeds_ && frontend_ready_) {
    process_audio(samples, sample_count);
  }
  if (byte_count == 0 && sample_count == 0) {
    hal_->idle();
  }
}

void KwsApp::reset_stream() {
  if (frontend_ready_) {
    audio_frontend_reset(&frontend_);
  }
  recognizer_.reset();
  host_feeds_ = false;
  last_pcm_seq_ = 0;
  last_run_seq_ = 0;
  samples_ = 0;
  frames_ = 0;
  next_row_ = 0;
  if (led_on_) {
    set_led(kLedOff, 0);
  }
}

void KwsApp::handle_line() {
  Command command;
  const Reject reject = parse_command(reader_.line(), reader_.length(), &command);
  if (reject == Reject::kNone) {
    execute(command);
  } else {
    send_nak(command.seq, reject);
  }
}

void KwsApp::execute(const Command& command) {
  Reject reject = Reject::kNone;
  switch (command.verb) {
    case Verb::kInfo:
      send_ready();
      break;
    case Verb::kReset:
      reset_stream();
      break;
    case Verb::kTrace:
      trace_ = command.trace;
      break;
    case Verb::kPcm:
      reject = accept_pcm(command);
      break;
    case Verb::kIn:
      reject = write_input(command);
      break;
    case Verb::kRun:
      run_once(command.seq);
      return;
  }
  if (reject == Reject::kNone) {
    send_ack(command.seq);
  } else {
    send_nak(command.seq, reject);
  }
}

Reject KwsApp::accept_pcm(const Command& command) {
  if (!frontend_ready_) {
    return Reject::kCommand;
  }
  // A repeated number means that our answer was lost: these samples have been heard already.
  const bool duplicate = command.seq != 0 && command.seq == last_pcm_seq_;
  if (!duplicate) {
    last_pcm_seq_ = command.seq;
    host_feeds_ = true;
    process_audio(reinterpret_cast<const int16_t*>(command.data), command.bytes / sizeof(int16_t));
  }
  return Reject::kNone;
}

Reject KwsApp::write_input(const Command& command) {
  if (!engine_ready_) {
    return Reject::kCommand;
  }
  const size_t size = engine_.input_bytes();
  if (command.offset > size || command.bytes > size - command.offset) {
    return Reject::kRange;
  }
  memcpy(engine_.input() + command.offset, command.data, command.bytes);
  last_run_seq_ = 0;
  return Reject::kNone;
}

void KwsApp::run_once(uint16_t seq) {
  if (!engine_ready_) {
    send_nak(seq, Reject::kCommand);
    return;
  }
  // An inference may overwrite its input, so a repeated request gets the same answer, not another inference.
  if (seq == 0 || seq != last_run_seq_) {
    const uint64_t start = hal_->instruction_count();
    if (!engine_.invoke()) {
      send_fault(engine_.error());
      send_nak(seq, Reject::kCommand);
      return;
    }
    last_run_instructions_ = hal_->instruction_count() - start;
    last_run_seq_ = seq;
  }
  send_output(seq);
}

void KwsApp::process_audio(const int16_t* samples, size_t count) {
  uint16_t features[FEATURE_CHANNELS];
  while (count > 0) {
    size_t consumed = 0;
    const bool frame_ready = audio_frontend_process(&frontend_, samples, count, &consumed, features);
    samples += consumed;
    count -= consumed;
    samples_ += consumed;
    if (frame_ready) {
      add_frame(features);
    }
  }
  update_led(stream_ms());
}

void KwsApp::add_frame(const uint16_t* features) {
  if (trace_ == Trace::kFeatures) {
    event().begin("features").number("frame", frames_).hex("data", features, 2 * FEATURE_CHANNELS).end();
  }
  audio_frontend_quantize(features, FEATURE_CHANNELS, FEATURE_MULTIPLIER, FEATURE_SHIFT, FEATURE_ZERO_POINT,
                          ring_[next_row_]);
  next_row_ = (next_row_ + 1) % FEATURE_FRAMES;
  ++frames_;
  if (frames_ >= FEATURE_FRAMES && (frames_ - FEATURE_FRAMES) % INFERENCE_STRIDE_FRAMES == 0) {
    infer();
  }
}

void KwsApp::infer() {
  if (!engine_ready_) {
    return;
  }
  const size_t old_rows = FEATURE_FRAMES - next_row_;
  memcpy(engine_.input(), ring_[next_row_], old_rows * kRowBytes);
  memcpy(engine_.input() + old_rows * kRowBytes, ring_[0], next_row_ * kRowBytes);
  last_run_seq_ = 0;
  if (!engine_.invoke()) {
    send_fault(engine_.error());
    return;
  }
  const uint32_t now_ms = stream_ms();
  if (trace_ == Trace::kScores) {
    event().begin("scores").number("t_ms", now_ms).numbers("q", engine_.output(), kLabelCount).end();
  }
  Detection detection;
  if (recognizer_.push(now_ms, engine_.output(), &detection)) {
    report(detection);
  }
}

void KwsApp::report(const Detection& detection) {
  const char* label = kLabels[detection.label];
  TextLine(sink_)
      .text("Heard ")
      .text(label)
      .text(" (")
      .number((detection.score_permille + 5) / 10)
      .text("%) @")
      .number(detection.time_ms)
      .text("ms\n")
      .flush();
  event()
      .begin("detection")
      .text("label", label)
      .permille("score", detection.score_permille)
      .number("t_ms", detection.time_ms)
      .end();
  set_led(kLabelColors[detection.label], detection.time_ms);
}

void KwsApp::set_led(const uint8_t color[3], uint32_t time_ms) {
  led_on_ = (color[0] | color[1] | color[2]) != 0;
  led_since_ms_ = time_ms;
  hal_->led(color[0], color[1], color[2]);
  event()
      .begin("led")
      .number("r", color[0])
      .number("g", color[1])
      .number("b", color[2])
      .number("t_ms", time_ms)
      .end();
}

void KwsApp::update_led(uint32_t time_ms) {
  if (led_on_ && time_ms - led_since_ms_ >= kLedHoldMs) {
    set_led(kLedOff, time_ms);
  }
}

uint32_t KwsApp::stream_ms() const {
  return static_cast<uint32_t>(samples_ * 1000u / SAMPLE_RATE_HZ);
}

void KwsApp::send_ready() {
  event()
      .begin("ready")
      .number("protocol", kProtocolVersion)
      .text("tinyml", TINYML_VERSION)
      .text("app", TINYML_TASK)
      .text("board", TINYML_BOARD_NAME)
      .text("engine", engine_.name())
      .text("model", TINYML_MODEL_SHA256)
      .number("arena_used", engine_ready_ ? engine_.arena_used() : 0)
      .number("arena_bytes", engine_.arena_bytes())
      .number("input_bytes", engine_ready_ ? engine_.input_bytes() : 0)
      .number("output_bytes", engine_ready_ ? engine_.output_bytes() : 0)
      .number("sample_rate_hz", SAMPLE_RATE_HZ)
      .texts("labels", kLabels, kLabelCount)
      .end();
}

void KwsApp::send_ack(uint16_t seq) {
  event().begin("ack").number("seq", seq).end();
}

void KwsApp::send_nak(uint16_t seq, Reject reject) {
  event().begin("nak").number("seq", seq).text("reason", reject_name(reject)).end();
}

void KwsApp::send_output(uint16_t seq) {
  event()
      .begin("output")
      .number("seq", seq)
      .hex("data", engine_.output(), engine_.output_bytes())
      .number("instructions", last_run_instructions_)
      .end();
}

void KwsApp::send_fault(const char* what) {
  event().begin("fault").text("what", what).end();
}
