// Reads a frame from the parallel port of an OmniVision camera, and gives up on one that falls silent.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Pins offers: bool vsync(), href(), pclk(), the levels of the camera's outputs; uint8_t data(), its eight
// data lines; uint32_t now_us(); void allow_interrupts(bool on).
//
// A frame begins as VSYNC falls; HREF is high while a row is sent, whose bytes are valid as PCLK rises
// (OV7670 data sheet, figures 5 and 6). The first wait, for a whole frame at most, leaves interrupts on. Rows
// come too fast for interrupts: samples of the microphone are lost meanwhile.
template <class Pins>
class CameraFrame {
 public:
  static constexpr uint32_t kFrameWait_us = 300000;  // a frame and a half, of five a second
  static constexpr uint32_t kSyncWait_us = 100000;
  // Bytes follow each other in half a microsecond, less than a clock takes to read: polls are counted
  // instead, some milliseconds of them.
  static constexpr uint32_t kRowPolls = 200000;
  static constexpr uint32_t kBytePolls = 20000;

  explicit CameraFrame(Pins& pins) : pins_(pins) {}

  // `rows` rows of `row_bytes`, of `every_other` byte or of all. False: the camera fell silent, and `frame`
  // is no picture.
  bool read(uint8_t* frame, size_t rows, size_t row_bytes, bool every_other) {
    if (!wait_vsync(false, kFrameWait_us) || !wait_vsync(true, kFrameWait_us)) {
      return false;
    }
    pins_.allow_interrupts(false);
    const bool whole = wait_vsync(false, kSyncWait_us) && read_rows(frame, rows, row_bytes, every_other);
    pins_.allow_interrupts(true);
    return whole;
  }

 private:
  bool wait_vsync(bool level, uint32_t limit_us) {
    const uint32_t since_us = pins_.now_us();
    while (pins_.vsync() != level) {
      if (pins_.now_us() - since_us > limit_us) {
        return false;
      }
    }
    return true;
  }

  bool wait_href(bool level) {
    uint32_t polls = kRowPolls;
    while (pins_.href() != level) {
      if (--polls == 0) {
        return false;
      }
    }
    return true;
  }

  bool wait_pclk(bool level) {
    uint32_t polls = kBytePolls;
    while (pins_.pclk() != level) {
      if (--polls == 0) {
        return false;
      }
    }
    return true;
  }

  bool read_rows(uint8_t* frame, size_t rows, size_t row_bytes, bool every_other) {
    const size_t skipped = every_other ? 1 : 0;
    for (size_t row = 0; row < rows; ++row) {
      if (!wait_href(true) || !read_row(frame, row_bytes, skipped) || !wait_href(false)) {
        return false;
      }
      frame += row_bytes >> skipped;
    }
    return true;
  }

  bool read_row(uint8_t* row, size_t row_bytes, size_t skipped) {
    for (size_t at = 0; at < row_bytes; ++at) {
      if (!wait_pclk(false)) {
        return false;
      }
      const uint8_t byte = pins_.data();
      if ((at & skipped) == 0) {
        *row++ = byte;
      }
      if (!wait_pclk(true)) {
        return false;
      }
    }
    return true;
  }

  Pins& pins_;
};
