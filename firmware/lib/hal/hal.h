// Everything the application may ask of a device.
//
// One class, one implementation per device (sim/, native/), chosen by the TINYML_HAL_* macro of the
// generated tinyml_build.h: calls are direct, so the compiler can inline across them when the linker does.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "tinyml_build.h"

#if defined(TINYML_HAL_SIM)
#include "sim/hal_state.h"
#elif defined(TINYML_HAL_NATIVE)
#include "native/hal_state.h"
#elif defined(TINYML_HAL_NANO33BLE)
#include "nano33ble/hal_state.h"
#else
#error "tinyml_build.h names no board this library implements"
#endif

// What the motion sensor feels, on the board's axes (see axis_map.h): thousandths of the standard gravity,
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
  // Brings up clock and serial link. Call once, before anything else.
  void begin();

  // Copies the bytes that have arrived, at most `capacity`; returns how many (0: none). Never waits,
  // except on sim: it has no other source of events, so it waits for bytes, and ends where the host goes
  // away.
  size_t serial_read(char* bytes, size_t capacity);

  // Sends all bytes, unless the host has stopped reading: then the rest is dropped after a bounded wait. sim
  // has no time-out, and may hold back a piece of a line until the line ends or serial_read() is called.
  void serial_write(const char* bytes, size_t count);

  // Copies microphone samples (16 bit mono, at the model's rate) that have arrived; 0 where there is no
  // microphone.
  size_t microphone_read(int16_t* samples, size_t capacity);

  // Buffers of samples lost since begin(), because microphone_read() was not called in time.
  uint32_t microphone_overruns();

  // Names of the sensors that were found: "microphone", the inertial sensor's, and the camera's once it was
  // started. Returns how many.
  size_t sensor_names(const char** names, size_t capacity);

  // Reads the inertial sensor once; false where there is none, or it does not answer.
  bool imu_read(ImuSample* sample);

  // The inertial sensor's name, "none" where there is none.
  const char* imu_name();

  // Starts the camera with frames of this size, in RGB565 or grey; false where there is none, it does not
  // answer, or it has no such frames.
  bool camera_begin(uint16_t width, uint16_t height, bool color);

  // Takes one frame of the camera and waits for it; false where there is none of so many bytes.
  bool camera_read(uint8_t* frame, size_t bytes);

  // Shows a stroke to whoever is near, over Bluetooth: `state` is 0 (waiting), 1 (drawing) or 2 (done),
  // `pairs` are its points x, y. Does nothing where there is no radio.
  void stroke_show(int32_t state, const int8_t* pairs, size_t count);

  // A sentence about what is wrong with the device and how to mend it, "" when nothing is.
  const char* complaint();

  // Reads back what store_write() kept, of the same size; false where there is nothing.
  bool store_read(void* bytes, size_t count);

  // Keeps at most 64 bytes in place of what was kept before. True: they are there when the power comes back;
  // false: at most until it goes.
  bool store_write(const void* bytes, size_t count);

  // Shows a colour. Devices without an RGB LED do nothing; the application reports the colour as an event
  // anyway.
  void led(uint8_t red, uint8_t green, uint8_t blue);

  // Milliseconds since begin(), in emulated time on sim, where waiting takes none.
  uint32_t clock_ms();

  // Microseconds of the same clock.
  uint64_t clock_us();

  // Instructions executed since begin(), 0 where nothing counts them. On sim this needs QEMU's `-icount
  // shift=0`.
  uint64_t instruction_count();

  // Cycles of the processor since begin(), without those it slept; 0 where nothing counts them.
  uint64_t cycle_count();

  // Tells the watchdog, where there is one, that the program is alive.
  void watchdog_feed();

  // Sleeps until the serial link or the microphone may have something. May return early.
  void idle();

 private:
  HalState state_;
};
