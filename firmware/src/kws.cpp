#include "tinyml_build.h"

#if defined(TINYML_APP_KWS) || defined(TINYML_APP_MULTI_TENANT) || defined(TINYML_APP_CASCADE)

#include <string.h>

#include "audio_frontend_tables.h"
#include "kws.h"

namespace {

constexpr size_t kLabelCount = sizeof(kLabels) / sizeof(kLabels[0]);
constexpr size_t kFirstWord = 2;  // labels start with silence, unknown
constexpr uint32_t kLedHoldMs = 600;
constexpr size_t kMicrophoneBatchSamples = 160;
constexpr uint8_t kLedOff[3] = {0, 0, 0};

// Folded by the compiler: no floating point runs.
constexpr uint32_t permille_per_step_q16(double scale) {
  return static_cast<uint32_t>(scale * 1000.0 * 65536.0 + 0.5);
}

#if defined(TINYML_APP_MULTI_TENANT)
constexpr const char* kFirstModel = TINYML_FIRST_MODEL;

constexpr ListenerConfig kSecond = {
    TINYML_SECOND_MODEL,
    second_kLabels,
    second_kLabelColors,
    SECOND_FEATURE_FRAMES,
    SECOND_INPUT_FRAMES,
    SECOND_FEATURE_CHANNELS,
    SECOND_INFERENCE_STRIDE_FRAMES,
    SECOND_FEATURE_MULTIPLIER,
    SECOND_FEATURE_SHIFT,
    SECOND_FEATURE_ZERO_POINT,
    {SECOND_LABEL_COUNT, kFirstWord, SECOND_DETECTION_THRESHOLD_PERMILLE, SECOND_AVERAGE_WINDOW_MS,
     SECOND_SUPPRESSION_MS, SECOND_MINIMUM_COUNT, SECOND_OUTPUT_ZERO_POINT,
     permille_per_step_q16(SECOND_OUTPUT_SCALE), SECOND_LONGER_WORDS, SECOND_PREFIX_WAIT_MS},
};
#elif defined(TINYML_APP_CASCADE)
constexpr const char* kFirstModel = TINYML_FIRST_MODEL;

constexpr LookerConfig kLooker = {
    TINYML_SECOND_MODEL,
    second_kLabels,
    second_kLabelColors,
    {SECOND_FRAME_WIDTH, SECOND_FRAME_HEIGHT, SECOND_FRAME_FORMAT, SECOND_IMAGE_SIZE, SECOND_IMAGE_CHANNELS,
     SECOND_IMAGE_MULTIPLIER, SECOND_IMAGE_OFFSET, SECOND_IMAGE_SHIFT},
    {SECOND_LABEL_COUNT, SECOND_PRESENCE_ON_PERMILLE, SECOND_PRESENCE_OFF_PERMILLE, SECOND_PRESENCE_FRAMES_ON,
     SECOND_PRESENCE_FRAMES_OFF, SECOND_OUTPUT_ZERO_POINT, permille_per_step_q16(SECOND_OUTPUT_SCALE)},
};
#else
constexpr const char* kFirstModel = nullptr;
#endif

constexpr ListenerConfig kFirst = {
    kFirstModel,
    kLabels,
    kLabelColors,
    FEATURE_FRAMES,
    INPUT_FRAMES,
    FEATURE_CHANNELS,
    INFERENCE_STRIDE_FRAMES,
    FEATURE_MULTIPLIER,
    FEATURE_SHIFT,
    FEATURE_ZERO_POINT,
    {kLabelCount, kFirstWord, DETECTION_THRESHOLD_PERMILLE, AVERAGE_WINDOW_MS, SUPPRESSION_MS, MINIMUM_COUNT,
     OUTPUT_ZERO_POINT, permille_per_step_q16(OUTPUT_SCALE), LONGER_WORDS, PREFIX_WAIT_MS},
};

}  // namespace

void KwsApp::setup(Hal& hal) {
  session_.begin(hal);
  Inference& inference = session_.inference();
  if (inference.ready() &&
      (inference.input_bytes() != sizeof(window_) || inference.output_bytes() != kLabelCount)) {
    inference.refuse();
    session_.fault("the model's input or output does not have the size that model_settings.h says");
  }
  frontend_ready_ = audio_frontend_init(&frontend_, &kAudioFrontendConfig);
  if (!frontend_ready_ || kAudioFrontendConfig.channels != FEATURE_CHANNELS) {
    frontend_ready_ = false;
    session_.fault("the audio front end cannot hold these settings");
  }
  bool listening = listener_.begin(kFirst, window_);
#if defined(TINYML_APP_MULTI_TENANT)
  listening = second_.begin(kSecond, second_window_) && listening;
#endif
#if defined(TINYML_APP_CASCADE)
  if (!looker_.begin(kLooker, frame_, sizeof(frame_), &hal)) {
    inference.refuse();
    session_.fault("the image or presence settings are impossible");
  }
#endif
  if (!listening) {
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
#if defined(TINYML_APP_CASCADE)
  if (gate_open_ && looker_.read_camera(&session_.hal())) {
    look();
  }
#endif
  if (!received && sample_count == 0) {
    session_.hal().idle();
  }
}

void KwsApp::reset_stream() {
  if (frontend_ready_) {
    audio_frontend_reset(&frontend_);
  }
  listener_.reset();
#if defined(TINYML_APP_MULTI_TENANT)
  second_.reset();
#endif
#if defined(TINYML_APP_CASCADE)
  looker_.reset();
  gate_open_ = false;
#endif
  host_feeds_ = false;
  last_pcm_seq_ = 0;
  samples_ = 0;
  frames_ = 0;
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
#if defined(TINYML_APP_CASCADE)
    case Verb::kFrame:
      return accept_frame(command);
#endif
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
  // A repeated number means that our answer was lost: these samples were already processed.
  const bool duplicate = command.seq != 0 && command.seq == last_pcm_seq_;
  if (!duplicate) {
    last_pcm_seq_ = command.seq;
    host_feeds_ = true;
    process_audio(reinterpret_cast<const int16_t*>(command.data), command.bytes / sizeof(int16_t));
  }
  return Reject::kNone;
}

void KwsApp::process_audio(const int16_t* samples, size_t count) {
  if (session_.traces(kTraceAudio)) {
    report_audio(samples, count);
  }
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
#if defined(TINYML_APP_CASCADE)
  if (gate_open_ && stream_ms() - gate_since_ms_ >= TINYML_GATE_HOLD_MS) {
    close_gate();
  }
#endif
}

void KwsApp::report_audio(const int16_t* samples, size_t count) {
  session_.event()
      .begin("audio")
      .number("sample", samples_)
      .number("overruns", session_.hal().microphone_overruns())
      .base64("data", samples, count * sizeof(int16_t))
      .end();
}

void KwsApp::add_frame(const uint16_t* features) {
  if (session_.traces(kTraceFeatures)) {
    session_.event()
        .begin("features")
        .number("frame", frames_)
        .hex("data", features, 2 * FEATURE_CHANNELS)
        .end();
  }
  ++frames_;
  if (listener_.add(features)) {
    infer();
  }
#if defined(TINYML_APP_MULTI_TENANT)
  if (second_.add(features)) {
    infer_second();
  }
#endif
}

void KwsApp::infer() {
  if (!session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  listener_.copy_window(engine.input());
  if (session_.infer() && listener_.window_is_full()) {
    judge(&listener_, engine.output());
  }
}

#if defined(TINYML_APP_MULTI_TENANT)

void KwsApp::infer_second() {
  if (!session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  second_.copy_window(engine.second_input());
  if (session_.infer_second()) {
    judge(&second_, engine.second_output());
  }
}

#endif

void KwsApp::judge(Listener* listener, const int8_t* scores) {
  const uint32_t now_ms = stream_ms();
  if (session_.traces(kTraceScores)) {
    JsonLine line = session_.event();
    line.begin("scores").number("t_ms", now_ms).numbers("q", scores, listener->label_count());
    name_model(*listener, &line);
    line.end();
  }
  Detection detection;
  if (listener->hear(now_ms, scores, &detection)) {
    report(*listener, detection);
  }
}

void KwsApp::report(const Listener& listener, const Detection& detection) {
  const char* label = listener.config().labels[detection.label];
  TextLine text(session_.sink());
  text.text("Heard ")
      .text(label)
      .text(" (")
      .number((detection.score_permille + 5) / 10)
      .text("%) @")
      .number(detection.time_ms)
      .text("ms");
  if (listener.config().model != nullptr) {
    text.text(" by ").text(listener.config().model);
  }
  text.text("\n").flush();
  JsonLine line = session_.event();
  line.begin("detection")
      .text("label", label)
      .permille("score", detection.score_permille)
      .number("t_ms", detection.time_ms);
  name_model(listener, &line);
  line.end();
  set_led(listener.config().colors[detection.label]);
#if defined(TINYML_APP_CASCADE)
  if (strcmp(label, TINYML_GATE_LABEL) == 0) {
    open_gate(label);
  }
#endif
}

#if defined(TINYML_APP_CASCADE)

// The word, detected again while the gate is open, keeps it open for longer.
void KwsApp::open_gate(const char* label) {
  if (!gate_open_) {
    looker_.reset();
    session_.event().begin("gate").flag("open", true).text("label", label).number("t_ms", stream_ms()).end();
  }
  gate_open_ = true;
  gate_since_ms_ = stream_ms();
}

void KwsApp::close_gate() {
  gate_open_ = false;
  session_.event()
      .begin("gate")
      .flag("open", false)
      .text("label", TINYML_GATE_LABEL)
      .number("t_ms", stream_ms())
      .end();
}

void KwsApp::look() {
  if (!session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  looker_.make_input(&session_, engine.second_input());
  if (!session_.infer_second()) {
    return;
  }
  looker_.judge(&session_, engine.second_output());
  if (looker_.label() != 0) {
    led_held_ = false;  // its colour stays: somebody is there
    close_gate();
  }
}

Reject KwsApp::accept_frame(const Command& command) {
  bool complete = false;
  const Reject reject = looker_.accept(command, &complete);
  // The word has not been detected: the camera is off, and frames from the host are ignored.
  if (complete && gate_open_) {
    look();
  }
  return reject;
}

#endif

void KwsApp::name_model(const Listener& listener, JsonLine* line) {
  if (listener.config().model != nullptr) {
    line->text("model", listener.config().model);
  }
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

#endif  // TINYML_APP_KWS || TINYML_APP_MULTI_TENANT || TINYML_APP_CASCADE
