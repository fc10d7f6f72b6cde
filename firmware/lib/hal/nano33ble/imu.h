// The board's motion sensor, which is identified at run time.
//
// Rev. 1 has an LSM9DS1, Rev2 a BMI270. Firmware contains the driver of the revision that it was built for
// (TINYML_IMU_LSM9DS1, TINYML_IMU_BMI270; both may be defined).
#pragma once

struct ImuSample;

// Finds a sensor and starts it. Call once.
void imu_begin();

// "lsm9ds1", "bmi270", or "none": the chip that answered, whether or not this firmware can read it.
const char* imu_found();

// Whether this firmware contains the chip's driver, and the chip started.
bool imu_ready();

// One measurement on the board's axes (see axis_map.h); false if imu_ready() is false or the chip does not
// answer.
bool imu_measure(ImuSample* sample);

// What is wrong, and what to do: the firmware was built for the other revision, or the chip did not start.
// "" if nothing is.
const char* imu_complaint();
