// Arduino's library is asked to start the chip alone.
#pragma once

struct FakeLsm9ds1 {
  int begin() { return 1; }
};

extern FakeLsm9ds1 IMU_LSM9DS1;
