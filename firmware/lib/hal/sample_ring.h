// A lock-free ring of samples between one producer (an interrupt) and one consumer (the application).
#pragma once

#include <stddef.h>
#include <stdint.h>

// Capacity must be a power of two. A block that does not fit is refused whole and counted, so that the
// consumer's data has gaps only between blocks.
template <size_t Capacity>
class SampleRing {
  static_assert(Capacity > 0 && (Capacity & (Capacity - 1)) == 0, "the capacity must be a power of two");

 public:
  // The producer's side; false: no room, one more overrun.
  bool push(const int16_t* samples, size_t count) {
    const size_t head = head_;
    const size_t used = head - __atomic_load_n(&tail_, __ATOMIC_ACQUIRE);
    if (count > Capacity - used) {
      __atomic_store_n(&overruns_, overruns_ + 1, __ATOMIC_RELAXED);
      return false;
    }
    for (size_t i = 0; i < count; ++i) {
      samples_[(head + i) % Capacity] = samples[i];
    }
    __atomic_store_n(&head_, head + count, __ATOMIC_RELEASE);
    return true;
  }

  // The consumer's side: copies the oldest samples, at most `capacity`; returns how many.
  size_t pop(int16_t* samples, size_t capacity) {
    const size_t tail = tail_;
    const size_t available = __atomic_load_n(&head_, __ATOMIC_ACQUIRE) - tail;
    const size_t count = available < capacity ? available : capacity;
    for (size_t i = 0; i < count; ++i) {
      samples[i] = samples_[(tail + i) % Capacity];
    }
    __atomic_store_n(&tail_, tail + count, __ATOMIC_RELEASE);
    return count;
  }

  // Blocks refused so far.
  uint32_t overruns() const { return __atomic_load_n(&overruns_, __ATOMIC_RELAXED); }

 private:
  size_t head_ = 0;  // counts all samples ever written; wraps harmlessly
  size_t tail_ = 0;
  uint32_t overruns_ = 0;
  int16_t samples_[Capacity] = {};
};
