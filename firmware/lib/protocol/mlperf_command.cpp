#include "mlperf_command.h"

#include <string.h>

namespace {

struct Word {
  char* text;
  size_t length;

  bool is(const char* name) const { return length == strlen(name) && memcmp(text, name, length) == 0; }
};

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

class Words {
 public:
  Words(char* text, size_t length) : next_(text), end_(text + length) {}

  // The next word; of length 0 if there is none.
  Word take() {
    while (next_ < end_ && is_blank(*next_)) {
      ++next_;
    }
    char* begin = next_;
    while (next_ < end_ && !is_blank(*next_)) {
      ++next_;
    }
    return Word{begin, static_cast<size_t>(next_ - begin)};
  }

 private:
  char* next_;
  char* end_;
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// A missing word leaves `number` unchanged.
MlperfError take_number(Words* words, uint32_t* number) {
  const Word word = words->take();
  if (word.length > 9) {
    return MlperfError::kNumber;
  }
  uint32_t value = 0;
  for (size_t i = 0; i < word.length; ++i) {
    if (word.text[i] < '0' || word.text[i] > '9') {
      return MlperfError::kNumber;
    }
    value = value * 10 + static_cast<uint32_t>(word.text[i] - '0');
  }
  if (word.length > 0) {
    *number = value;
  }
  return MlperfError::kNone;
}

MlperfError take_numbers(Words* words, MlperfCommand* command, uint32_t first, uint32_t second) {
  command->numbers[0] = first;
  command->numbers[1] = second;
  for (uint32_t& number : command->numbers) {
    const MlperfError error = take_number(words, &number);
    if (error != MlperfError::kNone) {
      return error;
    }
  }
  return MlperfError::kNone;
}

MlperfError decode_hex(Word word, MlperfCommand* command) {
  if (word.length % 2 != 0) {
    return MlperfError::kHex;
  }
  uint8_t* bytes = reinterpret_cast<uint8_t*>(word.text);
  for (size_t i = 0; i < word.length; i += 2) {
    const int high = hex_digit(word.text[i]);
    const int low = hex_digit(word.text[i + 1]);
    if (high < 0 || low < 0) {
      return MlperfError::kHex;
    }
    bytes[i / 2] = static_cast<uint8_t>(high << 4 | low);
  }
  command->data = bytes;
  command->bytes = word.length / 2;
  return MlperfError::kNone;
}

MlperfError parse_buffer(Words* words, MlperfCommand* command) {
  const Word word = words->take();
  if (word.length == 0) {
    return MlperfError::kArguments;
  }
  if (word.is("load")) {
    command->verb = MlperfVerb::kLoad;
    return take_number(words, &command->numbers[0]);
  }
  if (word.is("print")) {
    command->verb = MlperfVerb::kPrint;
    return take_numbers(words, command, kMlperfDefaultPrintBytes, 0);
  }
  command->verb = MlperfVerb::kData;
  return decode_hex(word, command);
}

bool find_verb(Word word, MlperfVerb* verb) {
  static const struct {
    const char* name;
    MlperfVerb verb;
  } kVerbs[] = {{"name", MlperfVerb::kName},       {"timestamp", MlperfVerb::kTimestamp},
                {"profile", MlperfVerb::kProfile}, {"help", MlperfVerb::kHelp},
                {"results", MlperfVerb::kResults}, {"infer", MlperfVerb::kInfer}};
  for (const auto& entry : kVerbs) {
    if (word.is(entry.name)) {
      *verb = entry.verb;
      return true;
    }
  }
  return false;
}

}  // namespace

MlperfError parse_mlperf_command(char* text, size_t length, MlperfCommand* command) {
  memset(command, 0, sizeof(*command));
  Words words(text, length);
  const Word word = words.take();
  if (word.length == 0) {
    return MlperfError::kNone;
  }
  MlperfError error = MlperfError::kNone;
  if (word.is("db")) {
    error = parse_buffer(&words, command);
  } else if (!find_verb(word, &command->verb)) {
    return MlperfError::kUnknown;
  } else if (command->verb == MlperfVerb::kInfer) {
    error = take_numbers(&words, command, 1, kMlperfDefaultWarmups);
  }
  if (error == MlperfError::kNone && words.take().length > 0) {
    return MlperfError::kArguments;
  }
  return error;
}

const char* mlperf_error_text(MlperfError error) {
  switch (error) {
    case MlperfError::kUnknown:
      return "unknown command";
    case MlperfError::kArguments:
      return "too few or too many words";
    case MlperfError::kNumber:
      return "not a whole number of at most nine digits";
    case MlperfError::kHex:
      return "not pairs of hexadecimal digits";
    default:
      return "";
  }
}
