#include "tinyml_build.h"

#if defined(TINYML_APP_VWW)

#include "score_scale.h"
#include "vww.h"

void VwwApp::setup(Hal& hal) {
  session_.begin(hal);
  MODEL_CONSTANT LookerConfig config = {
      nullptr,
      SEEN_EVENT,
      kLabels,
      kLabelColors,
      {FRAME_WIDTH, FRAME_HEIGHT, FRAME_FORMAT, IMAGE_SIZE, IMAGE_CHANNELS, IMAGE_MULTIPLIER, IMAGE_OFFSET,
       IMAGE_SHIFT},
      {LABEL_COUNT, PRESENCE_BACKGROUND, PRESENCE_ON_PERMILLE, PRESENCE_OFF_PERMILLE, PRESENCE_FRAMES_ON,
       PRESENCE_FRAMES_OFF, OUTPUT_ZERO_POINT, permille_per_step_q16(OUTPUT_SCALE)},
  };
  looker_.begin(config, frame_, sizeof(frame_), &session_);
  session_.check_model(looker_.input_bytes(), LABEL_COUNT);
  session_.send_ready();
}

void VwwApp::step() {
  if (session_.serve([this](const Command& command) { return execute(command); })) {
    return;
  }
  if (!session_.inference().is_host_writing() && looker_.read_camera(&session_.hal())) {
    look();
  } else {
    session_.hal().idle();
  }
}

Reject VwwApp::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kReset:
      if (looker_.is_present()) {
        session_.show(kLightOff, session_.hal().clock_ms());
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
