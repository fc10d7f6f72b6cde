// The board's PDM microphone at 16 kHz, 16 bit, mono.
#pragma once

#include <stddef.h>
#include <stdint.h>

// Copies samples that have arrived; the first call switches the microphone on. 0 before any arrive, and if
// the microphone cannot be started.
size_t microphone_take(int16_t* samples, size_t capacity);

// Counts the blocks that ended while interrupts were off for this long.
void microphone_missed(uint32_t us);

// Blocks of 256 samples lost because microphone_take() was not called in time, or interrupts were off.
uint32_t microphone_lost_blocks();
