// What the firmware's parts for the Nano 33 BLE are compiled with for this computer.
#pragma once

#define TINYML_HAL_NANO33BLE 1
#define TINYML_IMU_LSM9DS1 1
