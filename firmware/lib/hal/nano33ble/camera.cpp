#include "tinyml_build.h"

#if defined(TINYML_HAL_NANO33BLE)

#include "camera.h"

#if defined(TINYML_CAMERA_OV7675)

#include "../camera_frame.h"
#include "microphone.h"

// Arduino's macros (min, abs, F, …) would break what follows.
#include <Arduino_OV767X.h>

namespace {

constexpr uint16_t kWidth = 176;
constexpr uint16_t kHeight = 144;
constexpr int kFramesPerSecond = 5;  // what this processor can keep up with
constexpr size_t kPixelBytes = 2;    // grey pixels too, the second of each is left out

size_t frame_bytes = 0;  // 0: not started
const char* complaint = "";

// The pins of the kit's shield: the signals are on port 0, the data lines on bits 2, 3 and 10 to 15 of
// port 1.
class Pins {
 public:
  bool vsync() const { return level(vsync_); }
  bool href() const { return level(href_); }
  bool pclk() const { return level(pclk_); }
  uint8_t data() const {
    const uint32_t port = NRF_P1->IN;
    return static_cast<uint8_t>(((port >> 2) & 0x03) | ((port >> 8) & 0xFC));
  }
  uint32_t now_us() const { return micros(); }
  void allow_interrupts(bool on) {
    if (on) {
      interrupts();
      microphone_missed(micros() - since_us_);
    } else {
      since_us_ = micros();
      noInterrupts();
    }
  }

 private:
  static uint32_t mask(int pin) { return 1u << (digitalPinToPinName(pin) % 32); }
  static bool level(uint32_t mask) { return (NRF_P0->IN & mask) != 0; }

  const uint32_t vsync_ = mask(OV7670_VSYNC);
  const uint32_t href_ = mask(OV7670_HREF);
  const uint32_t pclk_ = mask(OV7670_PLK);
  uint32_t since_us_ = 0;
};

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
  frame_bytes = kWidth * kHeight * (color ? kPixelBytes : 1);
  return true;
}

bool camera_take(uint8_t* frame, size_t bytes) {
  if (frame_bytes == 0 || bytes != frame_bytes) {
    return false;
  }
  Pins pins;
  const bool grey = bytes == kWidth * kHeight;
  if (!CameraFrame<Pins>(pins).read(frame, kHeight, kWidth * kPixelBytes, grey)) {
    complaint = "the camera has stopped sending: push it firmly into the shield";
    return false;
  }
  complaint = "";
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
