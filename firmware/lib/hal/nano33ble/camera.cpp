#include "tinyml_build.h"

#if defined(TINYML_HAL_NANO33BLE)

#include "camera.h"

#if defined(TINYML_CAMERA_OV7675)

// Arduino's macros (min, abs, F, …) would break what follows.
#include <Arduino_OV767X.h>

namespace {

constexpr uint16_t kWidth = 176;
constexpr uint16_t kHeight = 144;
constexpr int kFramesPerSecond = 5;  // what this processor can keep up with

size_t frame_bytes = 0;  // 0: not started
const char* complaint = "";

}  // namespace

bool camera_start(uint16_t width, uint16_t height, bool color) {
  if (width != kWidth || height != kHeight) {
    complaint =
        "the camera's frames have 176 x 144 pixels: train with image.frame_width 176, frame_height 144";
    return false;
  }
  if (!Camera.begin(QCIF, color ? RGB565 : GRAYSCALE, kFramesPerSecond, OV7675)) {
    complaint =
        "the camera does not answer: push it firmly into the shield, or send frames with `monitor --replay`";
    return false;
  }
  frame_bytes = static_cast<size_t>(kWidth) * kHeight * (color ? 2 : 1);
  return true;
}

bool camera_take(uint8_t* frame, size_t bytes) {
  if (frame_bytes == 0 || bytes != frame_bytes) {
    return false;
  }
  Camera.readFrame(frame);
  return true;
}

const char* camera_found() {
  return frame_bytes != 0 ? "ov7675" : "";
}

const char* camera_complaint() {
  return complaint;
}

#else

bool camera_start(uint16_t, uint16_t, bool) {
  return false;
}

bool camera_take(uint8_t*, size_t) {
  return false;
}

const char* camera_found() {
  return "";
}

const char* camera_complaint() {
  return "";
}

#endif  // TINYML_CAMERA_OV7675

#endif  // TINYML_HAL_NANO33BLE
