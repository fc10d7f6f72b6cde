// Finds words between pauses in a stream of quantised features, and gives the windows around each that a
// network judges, as tinyml_cli/teaching/ear.py does.
//
// A frame's loudness is the sum of its features above their lowest code. The front end evens out level and
// background, so fixed limits tell words from what lies between them.
#pragma once

#include <stddef.h>
#include <stdint.h>

template <size_t kFrames, size_t kChannels>
class TakeFinder {
 public:
  static constexpr size_t kShifts = 5;

  // Forgets all frames, and the word whose windows are being given.
  void reset() {
    frames_ = 0;
    in_word_ = false;
    given_ = kShifts;
  }

  // Takes the next frame, int8 [kChannels].
  void add(const int8_t* frame) {
    uint32_t loudness = 0;
    int8_t* row = ring_[frames_ % kKept];
    for (size_t i = 0; i < kChannels; ++i) {
      row[i] = frame[i];
      loudness += static_cast<uint32_t>(frame[i] - INT8_MIN);
    }
    if (given_ == kShifts) {
      listen(loudness);
    }
    ++frames_;
  }

  // Copies the next window of a word, int8 [kFrames][kChannels]; false: there is none yet.
  bool next_window(int8_t* window) {
    if (given_ == kShifts) {
      return false;
    }
    const uint32_t start = start_ + kStep * static_cast<uint32_t>(given_);
    if (frames_ < start + kFrames) {
      return false;
    }
    ++given_;
    for (uint32_t frame = start; frame < start + kFrames; ++frame) {
      for (size_t i = 0; i < kChannels; ++i) {
        *window++ = ring_[frame % kKept][i];
      }
    }
    return true;
  }

  // How many frames ago the word whose windows were given began and ended.
  uint32_t age_of_first() const { return frames_ - first_; }
  uint32_t age_of_last() const { return frames_ - last_; }

 private:
  static constexpr uint32_t kStep = 5;  // frames from one window to the next
  static constexpr uint32_t kEarliest = 10;
  static constexpr uint32_t kLoud = 60, kPeak = 120;  // of a frame, as the mean of its channels
  static constexpr uint32_t kShortest = 6, kPause = 12;
  // A word that fills a window is found 37 frames after its middle; an inference every 10 frames follows.
  static constexpr size_t kKept = 104;

  void listen(uint32_t loudness) {
    if (loudness >= kLoud * kChannels) {
      if (!in_word_) {
        first_ = frames_;
        peak_ = 0;
      }
      peak_ = loudness > peak_ ? loudness : peak_;
      last_ = frames_;
      in_word_ = true;
    } else if (in_word_ && frames_ - last_ > kPause) {
      in_word_ = false;
      found();
    }
  }

  void found() {
    const uint32_t length = last_ - first_ + 1;
    const uint32_t middle = (first_ + last_) / 2;
    if (length < kShortest || length > kFrames || peak_ < kPeak * kChannels ||
        middle < kFrames / 2 + kEarliest) {
      return;
    }
    start_ = middle - kFrames / 2 - kEarliest;
    given_ = 0;
  }

  int8_t ring_[kKept][kChannels] = {};
  uint32_t frames_ = 0;
  bool in_word_ = false;
  uint32_t first_ = 0;
  uint32_t last_ = 0;
  uint32_t peak_ = 0;
  uint32_t start_ = 0;  // of the earliest window
  size_t given_ = kShifts;
};
