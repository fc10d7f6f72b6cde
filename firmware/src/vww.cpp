#include "tinyml_build.h"

#if defined(TINYML_APP_VWW)

#include "vww.h"

namespace {

constexpr size_t kLabelCount = sizeof(kLabels) / sizeof(kLabels[0]);
constexpr uint8_t kLedOff[3] = {0, 0, 0};

constexpr LookerConfig kConfig = {
    nullptr,
    kLabels,
    kLabelColors,
    {FRAME_WIDTH, FRAME_HEIGHT, FRAME_FORMAT, IMAGE_SIZE, IMAGE_CHANNELS, IMAGE_MULTIPLIER, IMAGE_OFFSET,
     IMAGE_SHIFT},
    // The compiler folds the scale: no floating point at run time.
    {kLabelCount, PRESENCE_ON_PERMILLE, PRESENCE_OFF_PERMILLE, PRESENCE_FRAMES_ON, PRESENCE_FRAMES_OFF,
     OUTPUT_ZERO_POINT, static_cast<uint32_t>(OUTPUT_SCALE * 1000.0 * 65536.0 + 0.5)},
};

}  // namespace

void VwwApp::setup(Hal& hal) {
  session_.begin(hal);
  Inference& inference = session_.inference();
  if (!looker_.begin(kConfig, frame_, sizeof(frame_), &hal)) {
    inference.refuse();
    session_.fault("the image or presence settings are impossible");
  }
  if (inference.ready() &&
      (inference.input_bytes() != looker_.input_bytes() || inference.output_bytes() != kLabelCount)) {
    inference.refuse();
    session_.fault("the model's input or output does not have the size that model_settings.h says");
  }
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
  if (looker_.read_camera(&session_.hal())) {
    look();
  } else {
    session_.hal().idle();
  }
}

Reject VwwApp::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kReset:
      if (looker_.label() != 0) {
        session_.show(kLedOff, session_.hal().clock_ms());
      }
      looker_.reset();
      return Reject::kNone;
    case Verb::kFrame: {
      bool complete = false;
      const Reject reject =
          session_.inference().ready() ? looker_.accept(command, &complete) : Reject::kCommand;
      if (complete) {
        look();
      }
      return reject;
    }
    case Verb::kLed:
      session_.show(command.color, session_.hal().clock_ms());
      return Reject::kNone;
    default:
      return Reject::kCommand;
  }
}

void VwwApp::look() {
  if (!session_.inference().ready()) {
    return;
  }
  Engine& engine = session_.inference().engine();
  looker_.make_input(&session_, engine.input());
  if (session_.infer()) {
    looker_.judge(&session_, engine.output());
  }
}

#endif  // TINYML_APP_VWW
