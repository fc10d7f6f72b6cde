// What each operating system does in its own way: standard input without waiting, and a clock.
#pragma once

#include <stddef.h>
#include <stdint.h>

void host_link_begin();

// The bytes that are there, perhaps none; `ended` is set when no more can come.
size_t host_link_read(char* bytes, size_t capacity, bool* ended);

// Drops the rest where nobody takes it.
void host_link_write(const char* bytes, size_t count);

// Until there are bytes or the input has ended, at most `timeout_ms`.
void host_link_wait(uint32_t timeout_ms);

// Monotonic.
uint64_t host_clock_us();
