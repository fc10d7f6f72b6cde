#include "tinyml_build.h"

#if defined(TINYML_APP_VWW)

#include <string.h>

#include "vww.h"

namespace {

constexpr size_t kLabelCount = sizeof(kLabels) / sizeof(kLabels[0]);
constexpr size_t kInputBytes = static_cast<size_t>(IMAGE_SIZE) * IMAGE_SIZE * IMAGE_CHANNELS;
constexpr uint8_t kLedOff[3] = {0, 0, 0};

constexpr ImageConfig kImageConfig = {
    FRAME_WIDTH,    FRAME_HEIGHT,     FRAME_FORMAT, IMAGE_SIZE,
    IMAGE_CHANNELS, IMAGE_MULTIPLIER, IMAGE_OFFSET, IMAGE_SHIFT,
};

constexpr PresenceConfig kPresenceConfig = {
    kLabelCount,
    PRESENCE_ON_PERMILLE,
    PRESENCE_OFF_PERMILLE,
    PRESENCE_FRAMES_ON,
    PRESENCE_FRAMES_OFF,
    OUTPUT_ZERO_POINT,
    // Folded by the compiler: no floating point runs.
    static_cast<uint32_t>(OUTPUT_SCALE * 1000.0 * 65536.0 + 0.5),
};

}  // namespace

void VwwApp::setup(Hal& hal) {
  session_.begin(hal);
  Inference& inference = session_.inference();
  if (inference.ready() &&
      (inference.input_bytes() != kInputBytes || inference.output_bytes() != kLabelCount)) {
    inference.refuse();
    session_.fault("the model's input or output does not have the size that model_settings.h says");
  }
  const bool image_ok = image_config_ok(&kImageConfig) && image_frame_bytes(&kImageConfig) == sizeof(frame_);
  if (!image_ok || !presence_.begin(kPresenceConfig)) {
    inference.refuse();
    session_.fault("the image or presence settings are impossible");
  }
  ready_ = inference.ready();
  has_camera_ = hal.camera_begin(FRAME_WIDTH, FRAME_HEIGHT, FRAME_FORMAT == IMAGE_RGB565);
  reset();
  session_.send_ready();
}

void VwwApp::step() {
  const bool received = session_.receive();
  Request request;
  while (session_.next(&request)) {
    session_.answer(request.command, execute(request.command));
  }
  if (received) {
    return;
  }
  if (has_camera_ && !host_feeds_ && session_.hal().camera_read(frame_, sizeof(frame_))) {
    look();
  } else {
    session_.hal().idle();
  }
}

void VwwApp::reset() {
  presence_.reset();
  host_feeds_ = false;
  last_seq_ = 0;
  frames_ = 0;
}

Reject VwwApp::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kReset:
      if (presence_.label() != 0) {
        session_.show(kLedOff, session_.hal().clock_ms());
      }
      reset();
      return Reject::kNone;
    case Verb::kFrame:
      return accept_piece(command);
    case Verb::kLed:
      session_.show(command.color, session_.hal().clock_ms());
      return Reject::kNone;
    default:
      return Reject::kCommand;
  }
}

Reject VwwApp::accept_piece(const Command& command) {
  if (!ready_) {
    return Reject::kCommand;
  }
  if (command.offset > sizeof(frame_) || command.bytes > sizeof(frame_) - command.offset) {
    return Reject::kRange;
  }
  // A repeated number means that our answer was lost: this piece has been taken already.
  if (command.seq != 0 && command.seq == last_seq_) {
    return Reject::kNone;
  }
  last_seq_ = command.seq;
  host_feeds_ = true;
  memcpy(frame_ + command.offset, command.data, command.bytes);
  if (command.offset + command.bytes == sizeof(frame_)) {
    look();
  }
  return Reject::kNone;
}

void VwwApp::look() {
  if (!ready_) {
    return;
  }
  Hal& hal = session_.hal();
  const uint64_t start_us = hal.clock_us();
  image_to_input(&kImageConfig, frame_, session_.inference().engine().input());
  const uint64_t scaled_us = hal.clock_us();
  report_input();
  if (!session_.infer()) {
    return;
  }
  const uint32_t now_ms = hal.clock_ms();
  ++frames_;
  const bool changed = presence_.push(session_.inference().engine().output());
  report_frame(now_ms, static_cast<uint32_t>(scaled_us - start_us) + session_.inference().microseconds());
  if (changed) {
    report_change(now_ms);
  }
}

void VwwApp::report_input() {
  if (session_.traces(kTraceFeatures)) {
    session_.event()
        .begin("input")
        .number("frame", frames_ + 1)
        .hex("data", session_.inference().engine().input(), kInputBytes)
        .end();
  }
}

void VwwApp::report_frame(uint32_t now_ms, uint32_t frame_us) {
  session_.event()
      .begin("image")
      .number("frame", frames_)
      .number("t_ms", now_ms)
      .number("frame_us", frame_us)
      .number("inference_us", session_.inference().microseconds())
      .numbers("q", session_.inference().engine().output(), kLabelCount)
      .end();
}

void VwwApp::report_change(uint32_t now_ms) {
  const size_t index = presence_.label();
  TextLine(session_.sink())
      .text("Sees ")
      .text(kLabels[index])
      .text(" (")
      .number((presence_.score_permille() + 5u) / 10)
      .text("%) @")
      .number(now_ms)
      .text("ms\n")
      .flush();
  session_.event()
      .begin("person")
      .text("label", kLabels[index])
      .flag("present", index != 0)
      .permille("score", presence_.score_permille())
      .number("frame", frames_)
      .number("t_ms", now_ms)
      .end();
  session_.show(kLabelColors[index], now_ms);
}

#endif  // TINYML_APP_VWW
