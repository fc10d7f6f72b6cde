#include "command.h"

#include <string.h>

#include "base64.h"
#include "crc32.h"

namespace {

constexpr size_t kCrcDigits = 8;

struct Span {
  const char* text;
  size_t length;

  bool is(const char* word) const { return length == strlen(word) && memcmp(text, word, length) == 0; }
};

// Splits words at single separators. An empty word (two spaces, a space at an end) is as invalid as any
// unknown one.
class Words {
 public:
  Words(const char* text, size_t length, char separator = ' ')
      : next_(text), end_(text + length), separator_(separator), more_(true) {}

  bool more() const { return more_; }

  // All that is left, separators included.
  Span take_rest() {
    const Span rest = {next_, static_cast<size_t>(end_ - next_)};
    next_ = end_;
    more_ = false;
    return rest;
  }

  Span take() {
    if (!more_) {
      return Span{end_, 0};
    }
    const char* begin = next_;
    while (next_ < end_ && *next_ != separator_) {
      ++next_;
    }
    const Span word = {begin, static_cast<size_t>(next_ - begin)};
    more_ = next_ < end_;
    next_ += more_ ? 1 : 0;
    return word;
  }

 private:
  const char* next_;
  const char* end_;
  char separator_;
  bool more_;
};

Reject parse_number(Span word, uint32_t limit, uint32_t* number) {
  if (word.length == 0 || word.length > 9) {
    return word.length == 0 ? Reject::kFormat : Reject::kRange;
  }
  uint32_t value = 0;
  for (size_t i = 0; i < word.length; ++i) {
    if (word.text[i] < '0' || word.text[i] > '9') {
      return Reject::kFormat;
    }
    value = value * 10 + static_cast<uint32_t>(word.text[i] - '0');
  }
  *number = value;
  return value <= limit ? Reject::kNone : Reject::kRange;
}

bool parse_verb(Span word, Verb* verb) {
  static const struct {
    const char* name;
    Verb verb;
  } kVerbs[] = {{"pcm", Verb::kPcm},         {"in", Verb::kIn},
                {"run", Verb::kRun},         {"info", Verb::kInfo},
                {"reset", Verb::kReset},     {"trace", Verb::kTrace},
                {"sensors", Verb::kSensors}, {"led", Verb::kLed},
                {"imu", Verb::kImu},         {"calibrate", Verb::kCalibrate},
#if defined(TINYML_MODEL_SLOTS)
                {"slots", Verb::kSlots},     {"update", Verb::kUpdate},
                {"packed", Verb::kPacked},   {"restart", Verb::kRestart},
#endif
                {"frame", Verb::kFrame},     {"advance", Verb::kAdvance},
                {"learn", Verb::kLearn},     {"forget", Verb::kForget},
                {"list", Verb::kList},       {"train", Verb::kTrain}};
  for (const auto& entry : kVerbs) {
    if (word.is(entry.name)) {
      *verb = entry.verb;
      return true;
    }
  }
  return false;
}

bool parse_hex(Span word, uint32_t* number) {
  uint32_t value = 0;
  for (size_t i = 0; i < word.length; ++i) {
    const char c = word.text[i];
    if (c >= '0' && c <= '9') {
      value = value << 4 | static_cast<uint32_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value << 4 | static_cast<uint32_t>(c - 'a' + 10);
    } else {
      return false;
    }
  }
  *number = value;
  return word.length == kCrcDigits;
}

// Checks the CRC at the line's end and removes it.
Reject strip_crc(const char* line, size_t* length) {
  if (*length < kCrcDigits + 1 || line[*length - kCrcDigits - 1] != ' ') {
    return Reject::kFormat;
  }
  uint32_t expected = 0;
  if (!parse_hex(Span{line + *length - kCrcDigits, kCrcDigits}, &expected)) {
    return Reject::kFormat;
  }
  *length -= kCrcDigits + 1;
  return crc32(line, *length) == expected ? Reject::kNone : Reject::kCrc;
}

bool parse_trace_mode(Span word, uint8_t* modes) {
  static const struct {
    const char* name;
    uint8_t mode;
  } kModes[] = {{"scores", kTraceScores},
                {"features", kTraceFeatures},
                {"status", kTraceStatus},
                {"audio", kTraceAudio}};
  for (const auto& entry : kModes) {
    if (word.is(entry.name)) {
      *modes = static_cast<uint8_t>(*modes | entry.mode);
      return true;
    }
  }
  return false;
}

Reject parse_trace(Span word, uint8_t* modes) {
  *modes = 0;
  if (word.is("off")) {
    return Reject::kNone;
  }
  Words names(word.text, word.length, ',');
  do {
    if (!parse_trace_mode(names.take(), modes)) {
      return Reject::kFormat;
    }
  } while (names.more());
  return Reject::kNone;
}

Reject parse_color(Words* words, uint8_t color[3]) {
  for (int i = 0; i < 3; ++i) {
    uint32_t part = 0;
    const Reject reject = parse_number(words->take(), UINT8_MAX, &part);
    if (reject != Reject::kNone) {
      return reject;
    }
    color[i] = static_cast<uint8_t>(part);
  }
  return Reject::kNone;
}

// Text for people and files: no control characters.
Reject parse_name(Words* words, Command* command) {
  const Span name = words->take_rest();
  for (size_t i = 0; i < name.length; ++i) {
    if (static_cast<unsigned char>(name.text[i]) < ' ' || name.text[i] == 0x7F) {
      return Reject::kFormat;
    }
  }
  command->name = name.text;
  command->name_length = name.length;
  return name.length == 0 ? Reject::kFormat : Reject::kNone;
}

Reject parse_learn(Words* words, Command* command) {
  const Reject takes = parse_number(words->take(), UINT32_MAX, &command->count);
  return takes == Reject::kNone ? parse_name(words, command) : takes;
}

Reject check_samples(size_t bytes, size_t sample_bytes, size_t most) {
  if (bytes > most * sample_bytes) {
    return Reject::kLength;
  }
  return bytes % sample_bytes == 0 ? Reject::kNone : Reject::kFormat;
}

Reject decode_data(char* line, Span text, Command* command) {
  uint8_t* bytes = reinterpret_cast<uint8_t*>(line);
  if (text.length == 0 || !base64_decode(text.text, text.length, bytes, &command->bytes)) {
    return Reject::kFormat;
  }
  command->data = bytes;
  switch (command->verb) {
    case Verb::kPcm:
      return check_samples(command->bytes, sizeof(int16_t), kMaxPcmSamples);
    case Verb::kImu:
      return check_samples(command->bytes, kImuValues * sizeof(int16_t), kMaxImuSamples);
    default:
      return Reject::kNone;
  }
}

bool has_offset(Verb verb) {
#if defined(TINYML_MODEL_SLOTS)
  if (verb == Verb::kUpdate || verb == Verb::kPacked) {
    return true;
  }
#endif
  return verb == Verb::kIn || verb == Verb::kFrame;
}

Reject parse_bulk(char* line, size_t length, Command* command) {
  const Reject crc = strip_crc(line, &length);
  if (crc != Reject::kNone) {
    return crc;
  }
  Words words(line, length);
  words.take();  // verb
  words.take();  // sequence number
  if (has_offset(command->verb)) {
    const Reject offset = parse_number(words.take(), UINT32_MAX, &command->offset);
    if (offset != Reject::kNone) {
      return offset;
    }
  }
  const Span text = words.take();
  return words.more() ? Reject::kFormat : decode_data(line, text, command);
}

}  // namespace

Reject parse_command(char* line, size_t length, Command* command) {
  memset(command, 0, sizeof(*command));
  Words words(line, length);
  if (!parse_verb(words.take(), &command->verb)) {
    return Reject::kCommand;
  }
  uint32_t seq = 0;
  const Reject number = parse_number(words.take(), UINT16_MAX, &seq);
  if (number != Reject::kNone) {
    return number;
  }
  command->seq = static_cast<uint16_t>(seq);
  if (command->verb == Verb::kPcm || command->verb == Verb::kImu || has_offset(command->verb)) {
    return parse_bulk(line, length, command);
  }
  Reject arguments = Reject::kNone;
  if (command->verb == Verb::kTrace) {
    arguments = parse_trace(words.take(), &command->trace);
  } else if (command->verb == Verb::kLed) {
    arguments = parse_color(&words, command->color);
  } else if (command->verb == Verb::kCalibrate) {
    arguments = parse_number(words.take(), UINT32_MAX, &command->seconds);
  } else if (command->verb == Verb::kAdvance) {
    arguments = parse_number(words.take(), UINT32_MAX, &command->count);
  } else if (command->verb == Verb::kLearn || command->verb == Verb::kTrain) {
    arguments = parse_learn(&words, command);
  } else if (command->verb == Verb::kForget) {
    arguments = parse_name(&words, command);
  }
  if (arguments != Reject::kNone) {
    return arguments;
  }
  return words.more() ? Reject::kFormat : Reject::kNone;
}

const char* reject_name(Reject reject) {
  switch (reject) {
    case Reject::kCrc:
      return "crc";
    case Reject::kLength:
      return "length";
    case Reject::kCommand:
      return "command";
    case Reject::kRange:
      return "range";
#if defined(TINYML_MODEL_SLOTS)
    case Reject::kNotAnUpdate:
      return "no_update";
    case Reject::kArchitecture:
      return "architecture";
    case Reject::kOlder:
      return "older";
    case Reject::kSignature:
      return "signature";
    case Reject::kBase:
      return "base";
    case Reject::kOrder:
      return "order";
    case Reject::kFlash:
      return "flash";
#endif
    default:
      return "format";
  }
}
