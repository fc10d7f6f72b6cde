#include "tinyml_build.h"

#if defined(TINYML_APP_KWS) || defined(TINYML_APP_MULTI_TENANT) || defined(TINYML_APP_CASCADE) || \
    defined(TINYML_APP_LEARNER)

#include "audio_frontend_tables.h"
#include "kws.h"
#include "score_scale.h"

namespace {

constexpr size_t kMicrophoneBatchSamples = 160;

}  // namespace

void KwsApp::setup(Hal& hal) {
  session_.begin(hal);
  session_.check_model(sizeof(window_), Pupil::output_bytes(LABEL_COUNT));
  MODEL_CONSTANT ListenerConfig config = {
      kFirstModel,
      kLabels,
      kLabelColors,
      {FEATURE_FRAMES, INPUT_FRAMES, FEATURE_CHANNELS, INFERENCE_STRIDE_FRAMES, FEATURE_MULTIPLIER,
       FEATURE_SHIFT, FEATURE_ZERO_POINT},
      {LABEL_COUNT, kFirstWord, DETECTION_THRESHOLD_PERMILLE, AVERAGE_WINDOW_MS, SUPPRESSION_MS,
       MINIMUM_COUNT, OUTPUT_ZERO_POINT, permille_per_step_q16(OUTPUT_SCALE), LONGER_WORDS, PREFIX_WAIT_MS},
  };
  frontend_ready_ = audio_frontend_init(&frontend_, &kAudioFrontendConfig) &&
                    kAudioFrontendConfig.channels == FEATURE_CHANNELS;
  if (!frontend_ready_) {
    session_.fault("the audio front end cannot hold these settings");
  }
  gate_.begin();
  pupil_.begin(config);
  const bool fits = listener_.begin(pupil_.config(), window_);
  if (!second_listener_.begin() || !fits) {
    session_.refuse("the recognizer cannot hold this many labels or inferences");
  }
  reset_stream();
  session_.send_ready();
}

void KwsApp::step() {
  const bool received = session_.serve([this](const Command& command) { return execute(command); });
  int16_t samples[kMicrophoneBatchSamples];
  const size_t sample_count = session_.listen(samples, kMicrophoneBatchSamples);
  if (sample_count > 0 && !session_.is_host_in_charge(host_) && frontend_ready_) {
    process_audio(samples, sample_count);
  }
  gate_.watch(stream_ms());
  if (!received && sample_count == 0) {
    session_.hal().idle();
  }
}

void KwsApp::reset_stream() {
  if (frontend_ready_) {
    audio_frontend_reset(&frontend_);
  }
  listener_.reset();
  second_listener_.reset();
  gate_.reset();
  pupil_.reset();
  host_.reset();
  samples_ = 0;
  frames_ = 0;
  light_.put_out(stream_ms());
}

Reject KwsApp::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kReset:
      reset_stream();
      return Reject::kNone;
    case Verb::kPcm:
      return accept_pcm(command);
    case Verb::kFrame:
      return gate_.accept(command, stream_ms());
    case Verb::kLed:
      light_.set(command.color, stream_ms());
      return Reject::kNone;
    default:
      return obey(command);
  }
}

// What changes the words, if the application can.
Reject KwsApp::obey(const Command& command) {
  const Reject reject = pupil_.execute(command);
  use_words();
  return reject;
}

void KwsApp::use_words() {
  if (pupil_.take_change()) {
    listener_.begin(pupil_.config(), window_);
  }
}

Reject KwsApp::accept_pcm(const Command& command) {
  if (!frontend_ready_) {
    return Reject::kCommand;
  }
  if (!host_.is_active() && samples_ > 0) {  // the host's stream begins with what the host sends
    reset_stream();
  }
  if (host_.take(command)) {
    process_audio(command.samples(), command.sample_count());
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
      if (session_.traces(kTraceStatus)) {
        session_.note_noise(audio_frontend_noise(&frontend_));
      }
      add_frame(features);
    }
  }
  const uint32_t now_ms = stream_ms();
  light_.update(now_ms);
  gate_.update(now_ms);
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
  hear(features);
  second_listener_.hear(features, stream_ms());
}

void KwsApp::hear(const uint16_t* features) {
  const bool is_due = listener_.window().add(features);
  pupil_.add(listener_.window().newest());
  if (!is_due || !session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  if (pupil_.is_learning()) {
    if (pupil_.next_window(engine.input()) && session_.infer()) {
      pupil_.learn(engine.output(), stream_ms());
      use_words();
    }
    return;
  }
  listener_.window().copy(engine.input());
  if (!session_.infer() || !listener_.window().is_full()) {
    return;
  }
  const uint32_t now_ms = stream_ms();
  const int8_t* scores = pupil_.scores(engine.output());
  session_.watch_labels(scores, listener_.labels());
  const char* word = listener_.judge(&session_, &light_, now_ms, scores);
  if (word != nullptr) {
    gate_.hear(word, now_ms);
  }
}

uint32_t KwsApp::stream_ms() const {
  return static_cast<uint32_t>(samples_ * 1000u / SAMPLE_RATE_HZ);
}

#endif  // TINYML_APP_KWS || TINYML_APP_MULTI_TENANT || TINYML_APP_CASCADE || TINYML_APP_LEARNER
