// A serial port over USB: CDC ACM on USBD, driven by its interrupt.
#pragma once

#include "chip.h"

void cdc_begin(void);
bool cdc_connected(void);
// Bytes that have come, at most `capacity`; never waits.
size_t cdc_read(char* bytes, size_t capacity);
// Waits until the host has taken everything; drops it where no host listens.
void cdc_write(const void* bytes, size_t count);
