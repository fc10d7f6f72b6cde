// Everything the application may ask of a device.
//
// One class, one implementation per device (sim/, native/), selected by the TINYML_HAL_* macro of the
// generated tinyml_build.h: calls are direct, so the compiler can inline across them with LTO.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "flash_pages.h"
#include "tinyml_build.h"

#if defined(TINYML_HAL_SIM)
#include "sim/hal_state.h"
#elif defined(TINYML_HAL_NATIVE)
#include "native/hal_state.h"
#elif defined(TINYML_HAL_BROWSER)
#include "browser/hal_state.h"
#elif defined(TINYML_HAL_NANO33BLE)
#include "nano33ble/hal_state.h"
#else
#error "tinyml_build.h names no board this library implements"
#endif

// Measurement of the motion sensor on the board's axes (see axis_map.h): thousandths of standard gravity,
// all zero in free fall; thousandths of a degree per second.
struct ImuSample {
  int32_t ax_mg;
  int32_t ay_mg;
  int32_t az_mg;
  int32_t gx_mdps;
  int32_t gy_mdps;
  int32_t gz_mdps;
};

class Hal {
 public:
  // Starts clock and serial link. Call once, before anything else.
  void begin();

  // Copies the bytes that have arrived, at most `capacity`; returns how many (0: none). Never waits,
  // except on sim: it has no other source of events, so it waits for bytes, and exits when the host
  // disconnects.
  size_t serial_read(char* bytes, size_t capacity);

  // Sends all bytes, unless the host has stopped reading: then the rest is dropped after a bounded wait. sim
  // has no time-out, and may buffer part of a line until the line ends or serial_read() is called.
  void serial_write(const char* bytes, size_t count);

  // Copies microphone samples (16 bit mono, at the model's rate) that have arrived; 0 if there is no
  // microphone.
  size_t microphone_read(int16_t* samples, size_t capacity);

  // Buffers of samples lost since begin() because microphone_read() was not called in time.
  uint32_t microphone_overruns();

  // Names of the sensors found: "microphone", the inertial sensor's, and the camera's once it was
  // started. Returns how many.
  size_t sensor_names(const char** names, size_t capacity);

  // Reads the inertial sensor once; false if there is none, or it does not answer.
  bool imu_read(ImuSample* sample);

  // The inertial sensor's name, "none" if there is none.
  const char* imu_name();

  // Starts the camera with frames of this size, in RGB565 or grey; false if there is none, it does not
  // answer, or it does not support such frames.
  bool camera_begin(uint16_t width, uint16_t height, bool color);

  // Waits for one frame of the camera; false if there is none of this many bytes.
  bool camera_read(uint8_t* frame, size_t bytes);

  // Publishes a stroke over Bluetooth: `state` is 0 (waiting), 1 (drawing) or 2 (done),
  // `pairs` are its points x, y. Does nothing without a radio.
  void stroke_show(int32_t state, const int8_t* pairs, size_t count);

  // A sentence about what is wrong with the device and how to fix it, "" if nothing is.
  const char* complaint();

  // Reads back what store_write() kept, of the same size; false if there is nothing.
  bool store_read(void* bytes, size_t count);

  // Keeps at most 64 bytes, replacing what was kept before. True: they survive a power cycle;
  // false: at most until power is lost.
  bool store_write(const void* bytes, size_t count);

#if defined(TINYML_FLASH_PAGES_BYTES)
  // So many bytes of flash that survive a power cycle; nullptr: the program extends into them. Call it once.
  FlashPages* flash_pages();

  // Starts the device anew; returns at most until that happens.
  void restart();
#endif

  // Shows a colour. Devices without an RGB LED do nothing; the application reports the colour as an event
  // anyway.
  void led(uint8_t red, uint8_t green, uint8_t blue);

  // Milliseconds since begin(); on sim in emulated time, in which waiting takes none.
  uint32_t clock_ms();

  // Microseconds of the same clock.
  uint64_t clock_us();

  // Instructions executed since begin(), 0 if nothing counts them. On sim this needs QEMU's `-icount
  // shift=0`.
  uint64_t instruction_count();

  // Cycles of the processor since begin(), without sleep; 0 if nothing counts them.
  uint64_t cycle_count();

  // Tells the watchdog, if there is one, that the program is alive.
  void watchdog_feed();

  // Sleeps until the serial link or the microphone may have something. May return early.
  void idle();

 private:
  HalState state_;
};
