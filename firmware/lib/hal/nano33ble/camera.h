// The OV7675 of the TinyML kit, in firmware that is built for an application that looks
// (TINYML_CAMERA_OV7675). It compiles against Arduino's core and Arduino_OV767X 0.0.2; nobody has run it with
// a camera yet. `monitor --replay` sends frames over serial instead.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Looks for the camera and starts it; takes a second. False where nothing answers, or frames of this size do
// not exist: the driver is used with 176 x 144 alone.
bool camera_start(uint16_t width, uint16_t height, bool color);

// Waits for the next frame (at 5 a second) and reads it with interrupts off: samples of the microphone are
// lost meanwhile. False where no camera was started or its frames have another number of bytes.
bool camera_take(uint8_t* frame, size_t bytes);

// The camera's name once it was started; "" where none is.
const char* camera_found();

// What is wrong, and what to do; "" when nothing is.
const char* camera_complaint();
