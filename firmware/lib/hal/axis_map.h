// From the axes of a motion sensor to those of the board.
//
// The board's frame: z points out of the component side, so a board that lies flat with its components
// up measures z = +1000 mg; x and y are those of the LSM9DS1 on the Nano 33 BLE Sense (first
// revision). Rotation has the same axes. A Rev2's measurements are rotated into this frame.
#pragma once

#include <stdint.h>

class AxisMap {
 public:
  // Each axis of the board is 1, 2 or 3 (the sensor's x, y, z), negative if it points the other way.
  constexpr AxisMap(int8_t x, int8_t y, int8_t z) : sources_{x, y, z} {}

  // Thousandths of the sensor's unit on the axes of the board, rounded to nearest; false if a value is not
  // finite or too large for the result.
  bool to_board(const float sensor[3], int32_t board_thousandths[3]) const {
    for (int axis = 0; axis < 3; ++axis) {
      const int source = sources_[axis];
      const float value = source > 0 ? sensor[source - 1] : -sensor[-source - 1];
      if (!(value > -kLimit && value < kLimit)) {
        return false;
      }
      const float scaled = value * 1000.0f;
      board_thousandths[axis] = static_cast<int32_t>(scaled < 0.0f ? scaled - 0.5f : scaled + 0.5f);
    }
    return true;
  }

 private:
  static constexpr float kLimit = 1.0e6f;

  int8_t sources_[3];
};

constexpr AxisMap kLsm9ds1Axes = {1, 2, 3};
// Orientation of the BMI270 on the Rev2, as stated by Arduino_BMI270_BMM150 for that board.
constexpr AxisMap kBmi270Axes = {-2, -1, 3};
// The same library rotates the axes itself when it is compiled for this board.
constexpr AxisMap kTurnedAxes = {1, 2, 3};
