#include "tinyml_build.h"

#if defined(TINYML_APP_ANOMALY)

#include <string.h>

#include "anomaly.h"
#include "anomaly_score.h"
#include "crc32.h"
#include "score_scale.h"

namespace {

#if defined(MIXTURE_CLUSTERS)
constexpr size_t kOutputs = MIXTURE_DIMENSIONS;
#else
constexpr size_t kOutputs = AnomalyWindow::kInputs;
#endif

constexpr AnomalyAlarmConfig kAlarmConfig = {ALARM_RAISE_WINDOWS, ALARM_CLEAR_WINDOWS, ALARM_HOLD_WINDOWS,
                                             ALARM_RELEASE_PERMILLE};

constexpr uint8_t kNormalColor[3] = {0, 32, 0};
constexpr uint8_t kAlarmColor[3] = {255, 0, 0};
constexpr uint8_t kDriftColor[3] = {160, 80, 0};
constexpr uint8_t kCalibrationColor[3] = {0, 0, 160};

constexpr uint32_t kMagic = 0x544E4D41;  // "AMNT"
#if defined(ANOMALY_SOUND)
constexpr size_t kBatchSamples = 160;
#endif

// What drift is watched by: the score in 1/8192 of the threshold, at most twice as high, so that a single
// window hardly moves a mean.
int32_t watched(uint32_t score, uint32_t threshold) {
  constexpr uint64_t kUnit = 8192;
  const uint64_t most = 2u * static_cast<uint64_t>(threshold);
  const uint64_t held = score < most ? score : most;
  return threshold == 0 ? 0 : static_cast<int32_t>(held * kUnit / threshold);
}

// A calibrated threshold as stored by the Hal; that of another model is ignored.
struct Stored {
  uint32_t magic;
  char model[12];
  uint32_t threshold;
  uint32_t level;
  uint32_t crc;
};

uint32_t check_of(const Stored& stored) {
  return crc32(reinterpret_cast<const char*>(&stored), offsetof(Stored, crc));
}

}  // namespace

void AnomalyApp::setup(Hal& hal) {
  session_.begin(hal);
  session_.check_model(AnomalyWindow::kInputs, kOutputs);
  ready_ = window_.begin();
  if (!ready_) {
    session_.fault("the windows do not have the size that model_settings.h says");
  }
  load_threshold();
  reset_stream();
  session_.send_ready();
}

void AnomalyApp::step() {
  const bool received = session_.serve([this](const Command& command) { return execute(command); });
  if (!read_sensor() && !received) {
    session_.hal().idle();
  }
}

void AnomalyApp::reset_stream() {
  if (ready_) {
    window_.reset();
  }
  alarm_ = AnomalyAlarm{};
  anomaly_level_reset(&level_, normal_level_);
  calibration_windows_ = 0;
  host_.reset();
  windows_ = 0;
  sensor_.start(session_.hal());
  color_ = nullptr;
}

Reject AnomalyApp::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kReset:
      reset_stream();
      return Reject::kNone;
#if defined(ANOMALY_IMU)
    case Verb::kImu:
#else
    case Verb::kPcm:
#endif
      return accept_samples(command);
    case Verb::kCalibrate:
      return start_calibration(command.seconds);
    case Verb::kLed:
      session_.show(command.color, stream_ms());
      color_ = nullptr;
      return Reject::kNone;
    default:
      return Reject::kCommand;
  }
}

Reject AnomalyApp::accept_samples(const Command& command) {
  if (!ready_) {
    return Reject::kCommand;
  }
  if (!host_.is_active()) {  // the host's stream begins with what the host sends
    window_.reset();
  }
  if (!host_.take(command)) {
    return Reject::kNone;
  }
#if defined(ANOMALY_IMU)
  for (size_t i = 0; i + kImuValues <= command.sample_count(); i += kImuValues) {
    process(command.samples() + i, AnomalyWindow::kChannels);
  }
#else
  process(command.samples(), command.sample_count());
#endif
  return Reject::kNone;
}

// Takes the samples of the board's own sensor; false if there are none.
bool AnomalyApp::read_sensor() {
#if defined(ANOMALY_SOUND)
  int16_t samples[kBatchSamples];
  const size_t count = session_.listen(samples, kBatchSamples);
  if (count > 0 && ready_ && !session_.is_host_in_charge(host_)) {
    process(samples, count);
  }
  return count > 0;
#elif defined(ANOMALY_IMU)
  int16_t sample[MotionSensor::kValues];
  if (session_.is_host_in_charge(host_) || !ready_ ||
      !sensor_.read(session_.hal(), SAMPLE_RATE_MILLIHZ, sample)) {
    return false;
  }
  process(sample, AnomalyWindow::kChannels);
  return true;
#else
  return false;  // only the host feeds other series
#endif
}

void AnomalyApp::process(const int16_t* values, size_t count) {
  while (count > 0) {
    bool complete = false;
    const size_t consumed = window_.push(values, count, &complete);
    values += consumed;
    count -= consumed;
    if (complete) {
      score_window();
    }
  }
}

void AnomalyApp::score_window() {
  if (session_.traces(kTraceFeatures)) {
    session_.event()
        .begin("features")
        .number("frame", windows_)
        .hex("data", window_.input(), AnomalyWindow::kInputs)
        .end();
  }
  ++windows_;
  if (!session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  memcpy(engine.input(), window_.input(), AnomalyWindow::kInputs);
  if (session_.infer()) {
    judge(score_of(static_cast<const int8_t*>(engine.output())));
  }
}

uint32_t AnomalyApp::score_of(const int8_t* output) const {
#if defined(MIXTURE_CLUSTERS)
  MODEL_CONSTANT AnomalyMixture mixture = {
      MIXTURE_CLUSTERS,       MIXTURE_DIMENSIONS,     MIXTURE_SHIFT,
      &kMixtureCenters[0][0], &kMixtureWeights[0][0], kMixtureConstants,
  };
  return anomaly_mixture_score(output, &mixture);
#else
  return anomaly_reconstruction_score(window_.input(), output, AnomalyWindow::kInputs, INPUT_ZERO_POINT,
                                      OUTPUT_ZERO_POINT, RECONSTRUCTION_RATIO_Q16);
#endif
}

void AnomalyApp::judge(uint32_t score) {
  const bool changed = anomaly_alarm_push(&alarm_, &kAlarmConfig, score, threshold_);
  // An alarm says nothing about normal running.
  const bool drift_changed =
      !alarm_.on && anomaly_level_push(&level_, score, normal_level_, threshold_, LEVEL_SHIFT);
  report(score);
  if (!alarm_.on) {
    session_.watch_score(watched(score, threshold_));
  }
  if (changed) {
    report_alarm(score);
  }
  if (drift_changed) {
    TextLine(session_.sink())
        .text(level_.drifting ? "Drift: normal running has moved @" : "Drift is over @")
        .number(stream_ms())
        .text("ms\n")
        .flush();
  }
  if (calibration_windows_ > 0) {
    anomaly_calibration_push(&calibration_, score);
    if (calibration_.windows == calibration_windows_) {
      end_calibration();
    }
  }
  update_led();
}

void AnomalyApp::report(uint32_t score) {
  session_.event()
      .begin("anomaly")
      .number("t_ms", stream_ms())
      .number("score", score)
      .number("threshold", threshold_)
      .number("level", anomaly_level(&level_))
      .flag("alarm", alarm_.on)
      .flag("drifting", level_.drifting)
      .end();
}

void AnomalyApp::report_alarm(uint32_t score) {
  const uint32_t percent =
      threshold_ == 0 ? 0 : static_cast<uint32_t>(static_cast<uint64_t>(score) * 100u / threshold_);
  TextLine(session_.sink())
      .text(alarm_.on ? "Alarm (score " : "All clear (score ")
      .number(percent)
      .text("% of the threshold) @")
      .number(stream_ms())
      .text("ms\n")
      .flush();
}

// Zero seconds: back to the threshold of training.
Reject AnomalyApp::start_calibration(uint32_t seconds) {
  const uint64_t windows =
      static_cast<uint64_t>(seconds) * SAMPLE_RATE_MILLIHZ / (1000u * WINDOW_STRIDE_SAMPLES);
  if (seconds == 0) {
    calibration_windows_ = 0;
    threshold_ = TRAINED_THRESHOLD;
    normal_level_ = TRAINED_LEVEL;
    anomaly_level_reset(&level_, normal_level_);
    store_threshold();
    return Reject::kNone;
  }
  if (windows < anomaly_calibration_needs(FALSE_SHARE_PPM) ||
      windows > anomaly_calibration_limit(FALSE_SHARE_PPM)) {
    return Reject::kRange;
  }
  calibration_windows_ = static_cast<uint32_t>(windows);
  anomaly_calibration_start(&calibration_);
  update_led();
  return Reject::kNone;
}

void AnomalyApp::end_calibration() {
  const uint32_t previous = threshold_;
  const bool done = anomaly_calibration_threshold(&calibration_, FALSE_SHARE_PPM, &threshold_);
  bool stored = false;
  if (done) {
    normal_level_ = anomaly_calibration_level(&calibration_);
    anomaly_level_reset(&level_, normal_level_);
    alarm_ = AnomalyAlarm{};
    stored = store_threshold();
  }
  session_.event()
      .begin("calibrated")
      .flag("done", done)
      .number("t_ms", stream_ms())
      .number("windows", calibration_.windows)
      .number("needed", anomaly_calibration_needs(FALSE_SHARE_PPM))
      .number("threshold", threshold_)
      .number("previous", previous)
      .flag("stored", stored)
      .end();
  calibration_windows_ = 0;
}

void AnomalyApp::load_threshold() {
  Stored stored;
  const bool whole = session_.hal().store_read(&stored, sizeof(stored));
  if (whole && stored.magic == kMagic && stored.crc == check_of(stored) &&
      memcmp(stored.model, TINYML_MODEL_SHA256, sizeof(stored.model)) == 0) {
    threshold_ = stored.threshold;
    normal_level_ = stored.level;
  }
}

bool AnomalyApp::store_threshold() {
  Stored stored = {};
  stored.magic = kMagic;
  memcpy(stored.model, TINYML_MODEL_SHA256, sizeof(stored.model));
  stored.threshold = threshold_;
  stored.level = normal_level_;
  stored.crc = check_of(stored);
  return session_.hal().store_write(&stored, sizeof(stored));
}

void AnomalyApp::update_led() {
  const uint8_t* color = kNormalColor;
  if (alarm_.on) {
    color = kAlarmColor;
  } else if (calibration_windows_ > 0) {
    color = kCalibrationColor;
  } else if (level_.drifting) {
    color = kDriftColor;
  }
  if (color != color_) {
    color_ = color;
    session_.show(color, stream_ms());
  }
}

uint32_t AnomalyApp::stream_ms() const {
  return static_cast<uint32_t>(window_.samples() * 1000000u / SAMPLE_RATE_MILLIHZ);
}

#endif  // TINYML_APP_ANOMALY
