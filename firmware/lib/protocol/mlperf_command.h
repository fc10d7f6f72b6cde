// One command of MLPerf Tiny's serial protocol, which ends with '%':
//
//   name | timestamp | profile | help | results
//   infer [N [W]] | db load N | db print [N [OFFSET]] | db HEX
//
// Source: mlcommons/tiny, the device under test's public API and its runner. Words are separated by any
// number of blanks.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum class MlperfVerb : uint8_t {
  kNone,  // nothing but blanks
  kName,
  kTimestamp,
  kProfile,
  kHelp,
  kResults,
  kInfer,
  kLoad,
  kData,
  kPrint,
};

enum class MlperfError : uint8_t { kNone, kUnknown, kArguments, kNumber, kHex };

struct MlperfCommand {
  MlperfVerb verb;
  uint32_t numbers[2];  // of kInfer: inferences, warm-ups; of kLoad: bytes; of kPrint: bytes, offset
  const uint8_t* data;  // of kData: lies in the text's memory
  size_t bytes;
};

constexpr uint32_t kMlperfDefaultWarmups = 10;
constexpr uint32_t kMlperfDefaultPrintBytes = 16;

// Parses `length` characters, any characters. Hexadecimal data is decoded in place, so the text is lost.
MlperfError parse_mlperf_command(char* text, size_t length, MlperfCommand* command);

// The error, for people.
const char* mlperf_error_text(MlperfError error);
