// The stroke service of the course's magic wand over Bluetooth, in firmware of the application `wand`
// (TINYML_STROKE_SERVICE): its browser page, and `tinyml data record strokes --ble`, read strokes from it.
// It compiles against Arduino's core and ArduinoBLE 1.4.1, but has not been run on a board yet.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Starts the radio and advertising.
void stroke_service_begin();

// Sets the value for readers: state 0 (waiting), 1 (drawing) or 2 (done), and the pairs x, y of a
// stroke.
void stroke_service_show(int32_t state, const int8_t* pairs, size_t count);

// Serves the radio. Call often.
void stroke_service_poll();
