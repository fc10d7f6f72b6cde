/* From scores to an alarm with hysteresis, the running level of normal scores, and a threshold calibrated in
 * place. Nothing here ever changes the threshold by itself. */
#ifndef ANOMALY_ALARM_H_
#define ANOMALY_ALARM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The alarm: on after `raise_windows` windows in a row at the threshold or above, off after `clear_windows`
 * in a row below the release level, but not before `hold_windows` windows of alarm. */
typedef struct {
  uint16_t raise_windows;
  uint16_t clear_windows;
  uint16_t hold_windows;
  uint16_t release_permille; /* release level, of the threshold */
} AnomalyAlarmConfig;

typedef struct {
  bool on;
  uint32_t run;  /* windows in a row that speak against the present state */
  uint32_t held; /* windows since the alarm was raised */
} AnomalyAlarm;

/* Takes one score; true if the alarm went on or off. */
bool anomaly_alarm_push(AnomalyAlarm* alarm, const AnomalyAlarmConfig* config, uint32_t score,
                        uint32_t threshold);

/* The level: a running mean of scores outside alarms, initialised with its value in training. */
typedef struct {
  uint64_t level_q8;
  bool drifting;
} AnomalyLevel;

void anomaly_level_reset(AnomalyLevel* level, uint32_t trained);

/* Takes one score; true if drift started or ended. Drift is a level above half way from `trained` to the
 * threshold; it ends below a quarter. `shift`: the mean extends over about 2^shift windows. */
bool anomaly_level_push(AnomalyLevel* level, uint32_t score, uint32_t trained, uint32_t threshold,
                        unsigned shift);

uint32_t anomaly_level(const AnomalyLevel* level);

/* Calibration: the threshold that a given share of the windows seen meanwhile would have exceeded. */
#define ANOMALY_CALIBRATION_SCORES 64

typedef struct {
  uint32_t windows;
  uint64_t sum;
  uint32_t highest[ANOMALY_CALIBRATION_SCORES]; /* falling */
} AnomalyCalibration;

void anomaly_calibration_start(AnomalyCalibration* calibration);
void anomaly_calibration_push(AnomalyCalibration* calibration, uint32_t score);

/* Minimum number of windows of a calibration: one of them may then exceed the threshold. */
uint32_t anomaly_calibration_needs(uint32_t share_ppm);

/* Maximum number. */
uint32_t anomaly_calibration_limit(uint32_t share_ppm);

/* The lowest threshold that at most `share_ppm` of the windows reached; false if there were too few or too
 * many of them. */
bool anomaly_calibration_threshold(const AnomalyCalibration* calibration, uint32_t share_ppm,
                                   uint32_t* threshold);

/* Mean score. */
uint32_t anomaly_calibration_level(const AnomalyCalibration* calibration);

#ifdef __cplusplus
}
#endif

#endif
