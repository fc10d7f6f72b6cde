// Camera -> image -> model -> what is there, as firmware/src/vww.cpp does it.
#include "image.h"
#include "library_model.h"
#include "presence.h"
#include "score_scale.h"

namespace {

constexpr ImageConfig kImage = {
    FRAME_WIDTH,    FRAME_HEIGHT,     FRAME_FORMAT, IMAGE_SIZE,
    IMAGE_CHANNELS, IMAGE_MULTIPLIER, IMAGE_OFFSET, IMAGE_SHIFT,
};

constexpr PresenceConfig kPresence = {
    LABEL_COUNT,        PRESENCE_BACKGROUND, PRESENCE_ON_PERMILLE, PRESENCE_OFF_PERMILLE,
    PRESENCE_FRAMES_ON, PRESENCE_FRAMES_OFF, OUTPUT_ZERO_POINT,    permille_per_step_q16(OUTPUT_SCALE),
};

static_assert(takes(IMAGE_SIZE * IMAGE_SIZE * IMAGE_CHANNELS), "the model takes images of another size");

Presence presence;

}  // namespace

bool tinyml_begin() {
  restart_model();
  return image_config_ok(&kImage) && presence.begin(kPresence);
}

int tinyml_look(const uint8_t* frame) {
  image_to_input(&kImage, frame, tinyml_input(nullptr));
  if (!tinyml_invoke()) {
    return TINYML_NOTHING;
  }
  presence.push(tinyml_output(nullptr));
  set_score(presence.score_permille());
  return presence.is_present() ? static_cast<int>(presence.label()) : TINYML_NOTHING;
}
