// The OV7675 of the TinyML kit, in firmware for an application that uses the camera
// (TINYML_CAMERA_OV7675). It compiles against Arduino's core and Arduino_OV767X, but has not been run with
// a camera yet. `monitor --replay` sends frames over serial instead.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Finds the camera and starts it; takes a second. False if nothing answers, or frames of this size do
// not exist: the driver is used only with 176 x 144.
bool camera_start(uint16_t width, uint16_t height, bool color);

// Waits for the next frame (at 5 per second) and reads it with interrupts off: samples of the microphone are
// lost meanwhile, and counted. False if no camera was started, its frames have another number of bytes, or it
// falls silent; see camera_frame.h.
bool camera_take(uint8_t* frame, size_t bytes);

// The camera's name once it was started; "" if there is none.
const char* camera_found();

// What is wrong, and what to do; "" if nothing is.
const char* camera_complaint();
