#include "tinyml_build.h"

#if defined(TINYML_APP_KWS)

#include <string.h>

#include "audio_frontend_tables.h"
#include "kws.h"

namespace {

constexpr size_t kLabelCount = sizeof(kLabels) / sizeof(kLabels[0]);
constexpr size_t kFirstWord = 2;  // labels start with silence, unknown
constexpr size_t kRowBytes = FEATURE_CHANNELS;
constexpr uint32_t kLedHoldMs = 600;
constexpr size_t kMicrophoneBatchSamples = 160;
constexpr uint8_t kLedOff[3] = {0, 0, 0};

// Folded by the compiler: no floating point runs.
constexpr uint32_t kPermillePerStepQ16 = static_cast<uint32_t>(OUTPUT_SCALE * 1000.0 * 65536.0 + 0.5);

constexpr RecognizerConfig kRecognizerConfig = {
    kLabelCount,   kFirstWord,        DETECTION_THRESHOLD_PERMILLE, AVERAGE_WINDOW_MS, SUPPRESSION_MS,
    MINIMUM_COUNT, OUTPUT_ZERO_POINT, kPermillePerStepQ16,          LONGER_WORDS,      PREFIX_WAIT_MS,
};

}  // namespace

void KwsApp::setup(Hal& hal) {
  session_.begin(hal);
  Inference& inference = session_.inference();
  if (inference.ready() &&
      (inference.input_bytes() != sizeof(ring_) || inference.output_bytes() != kLabelCount)) {
    inference.refuse();
    session_.fault("the model's input or output does not have the size that model_settings.h says");
  }
  frontend_ready_ = audio_frontend_init(&frontend_, &kAudioFrontendConfig);
  if (!frontend_ready_ || kAudioFrontendConfig.channels != FEATURE_CHANNELS) {
    frontend_ready_ = false;
    session_.fault("the audio front end cannot hold these settings");
  }
  if (!recognizer_.begin(kRecognizerConfig)) {
    inference.refuse();
    session_.fault("the recognizer cannot hold this many labels or inferences");
  }
  reset_stream();
  session_.send_ready();
}

void KwsApp::step() {
  const bool received = session_.receive();
  Request request;
  while (session_.next(&request)) {
    session_.answer(request.command, execute(request.command));
  }
  int16_t samples[kMicrophoneBatchSamples];
  const size_t sample_count = session_.listen(samples, kMicrophoneBatchSamples);
  if (sample_count > 0 && !host_feeds_ && frontend_ready_) {
    process_audio(samples, sample_count);
  }
  if (!received && sample_count == 0) {
    session_.hal().idle();
  }
}

void KwsApp::reset_stream() {
  if (frontend_ready_) {
    audio_frontend_reset(&frontend_);
  }
  recognizer_.reset();
  host_feeds_ = false;
  last_pcm_seq_ = 0;
  samples_ = 0;
  frames_ = 0;
  next_row_ = 0;
  if (led_held_) {
    set_led(kLedOff);
  }
}

Reject KwsApp::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kReset:
      reset_stream();
      return Reject::kNone;
    case Verb::kPcm:
      return accept_pcm(command);
    case Verb::kLed:
      set_led(command.color);
      led_held_ = false;
      return Reject::kNone;
    default:
      return Reject::kCommand;
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
  update_led();
}

void KwsApp::add_frame(const uint16_t* features) {
  if (session_.traces(kTraceFeatures)) {
    session_.event()
        .begin("features")
        .number("frame", frames_)
        .hex("data", features, 2 * FEATURE_CHANNELS)
        .end();
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
  if (!session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  const size_t old_rows = FEATURE_FRAMES - next_row_;
  memcpy(engine.input(), ring_[next_row_], old_rows * kRowBytes);
  memcpy(engine.input() + old_rows * kRowBytes, ring_[0], next_row_ * kRowBytes);
  if (!session_.infer()) {
    return;
  }
  const uint32_t now_ms = stream_ms();
  if (session_.traces(kTraceScores)) {
    session_.event().begin("scores").number("t_ms", now_ms).numbers("q", engine.output(), kLabelCount).end();
  }
  Detection detection;
  if (recognizer_.push(now_ms, engine.output(), &detection)) {
    report(detection);
  }
}

void KwsApp::report(const Detection& detection) {
  const char* label = kLabels[detection.label];
  TextLine(session_.sink())
      .text("Heard ")
      .text(label)
      .text(" (")
      .number((detection.score_permille + 5) / 10)
      .text("%) @")
      .number(detection.time_ms)
      .text("ms\n")
      .flush();
  session_.event()
      .begin("detection")
      .text("label", label)
      .permille("score", detection.score_permille)
      .number("t_ms", detection.time_ms)
      .end();
  set_led(kLabelColors[detection.label]);
}

void KwsApp::set_led(const uint8_t color[3]) {
  led_held_ = (color[0] | color[1] | color[2]) != 0;
  led_since_ms_ = stream_ms();
  session_.show(color, led_since_ms_);
}

void KwsApp::update_led() {
  if (led_held_ && stream_ms() - led_since_ms_ >= kLedHoldMs) {
    set_led(kLedOff);
  }
}

uint32_t KwsApp::stream_ms() const {
  return static_cast<uint32_t>(samples_ * 1000u / SAMPLE_RATE_HZ);
}

#endif  // TINYML_APP_KWS
