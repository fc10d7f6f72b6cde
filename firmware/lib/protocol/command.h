// One line from the host -> one command. Serial protocol, version 1:
//
//   info SEQ | reset SEQ | run SEQ | sensors SEQ | led SEQ R G B
//   trace SEQ off | trace SEQ MODE[,MODE...]           MODE: scores, features, status, audio
//   calibrate SEQ SECONDS | advance SEQ COUNT | frame SEQ OFFSET BASE64 CRC
//   learn SEQ TAKES NAME | train SEQ TAKES NAME | forget SEQ NAME | list SEQ     NAME: the rest of the line
//   slots SEQ | restart SEQ | update SEQ OFFSET BASE64 CRC | packed SEQ OFFSET BASE64 CRC      with
//   TINYML_MODEL_SLOTS
//   pcm SEQ BASE64 CRC | imu SEQ BASE64 CRC | in SEQ OFFSET BASE64 CRC      CRC: CRC-32 of all before the
//   last space, 8 hex digits
#pragma once

#include <stddef.h>
#include <stdint.h>

constexpr int kProtocolVersion = 1;
constexpr size_t kMaxPcmSamples = 640;
constexpr size_t kImuValues = 6;  // int16: ax ay az in g / 1000, gx gy gz in tenths of a degree per second
constexpr size_t kMaxImuSamples = 106;

enum class Verb : uint8_t {
  kInfo,
  kReset,
  kTrace,
  kPcm,
  kIn,
  kRun,
  kSensors,
  kLed,
  kImu,
  kCalibrate,
  kFrame,
  kLearn,
  kTrain,
  kForget,
  kList,
  kAdvance,
#if defined(TINYML_MODEL_SLOTS)
  kSlots,
  kUpdate,
  kPacked,
  kRestart,
#endif
};

// What `trace` reports, as bits of Command::trace; 0 is off.
enum : uint8_t { kTraceScores = 1, kTraceFeatures = 2, kTraceStatus = 4, kTraceAudio = 8 };

// Why a line was refused; kNone: it was accepted.
enum class Reject : uint8_t {
  kNone,
  kCrc,
  kFormat,
  kLength,
  kCommand,
  kRange,
#if defined(TINYML_MODEL_SLOTS)
  kNotAnUpdate,
  kArchitecture,
  kOlder,
  kSignature,
  kOrder,
  kBase,
  kFlash,
#endif
};

struct Command {
  Verb verb;
  uint8_t trace;     // of kTrace
  uint8_t color[3];  // of kLed: red, green, blue
  uint16_t seq;      // 0 where the line was too broken to tell
  uint32_t seconds;  // of kCalibrate
  uint32_t count;    // of kAdvance; takes of kLearn, kTrain
  const char* name;  // of kLearn, kTrain, kForget: lies in the line's memory
  size_t name_length;
  uint32_t offset;      // of kIn, kFrame, kUpdate, kPacked: first byte of the input, frame or update
  const uint8_t* data;  // of kPcm, kImu and those with an offset: lies in the line's memory, from its start,
                        // and shares its alignment
  size_t bytes;

  // The data of kPcm and kImu: interleaved values.
  const int16_t* samples() const { return reinterpret_cast<const int16_t*>(data); }
  size_t sample_count() const { return bytes / sizeof(int16_t); }
};

// Parses a line of `length` characters, any characters. Bulk data is decoded in place, so the text is lost.
// If the line is refused, only `command->seq` is meaningful.
Reject parse_command(char* line, size_t length, Command* command);

// The reason in `nak`.
const char* reject_name(Reject reject);
