#include "tinyml_build.h"

#if defined(TINYML_APP_LEARNER)

#include <string.h>

#include "crc32.h"
#include "fixed_point.h"
#include "lesson_tables.h"
#include "pupil.h"
#include "tinyml_nn.h"

namespace {

constexpr uint32_t kMostIdleFrames = 3000;  // a minute
constexpr int32_t kTooNear = 12288;         // a cosine of 0.75

// Of words in flash; they take turns.
constexpr uint8_t kColors[][3] = {{0, 128, 255}, {255, 128, 0}, {255, 0, 128}, {0, 255, 255}, {255, 255, 0}};
constexpr size_t kColorCount = sizeof(kColors) / sizeof(kColors[0]);

// Of `takes` of a word in flash whose row was trained: it counts in place of the program's.
constexpr uint32_t kTrained = 1u << 31;

bool is_trained(const TaughtWord& word) {
  return (word.takes & kTrained) != 0;
}

uint32_t name_of(const TaughtWord& word) {
  return crc32(word.name, strlen(word.name));
}

bool is_lesson(const Command& command) {
  return command.count >= WordLesson::kFewestTakes && command.count <= WordLesson::kMostTakes;
}

// A word's logit from its row: the sum in 1/2048 as int8 in 1/16, as FULLY_CONNECTED requantises it.
int8_t logit_of(const TaughtWord& word, const int8_t* unit) {
  return static_cast<int8_t>(clamp_s8(rescale(cosine(word.weights, unit) + word.bias, 1 << 30, -6)));
}

}  // namespace

void Pupil::begin(const ListenerConfig& config) {
  built_in_ = config;
  store_.begin(session_.hal().flash_pages(), TINYML_EMBEDDING);
  // A word that became part of the program is no longer needed twice, unless it was trained since.
  for (size_t i = 0; i < LABEL_COUNT - kFirstWord; ++i) {
    const size_t index = store_.find(kBuiltInWords[i].name, strlen(kBuiltInWords[i].name));
    if (index < store_.count() && !is_trained(store_.word(index))) {
      store_.remove(index);
    }
  }
  make_config();
}

bool Pupil::take_change() {
  const bool changed = has_changed_;
  has_changed_ = false;
  return changed;
}

void Pupil::add(const int8_t* frame) {
  if (!is_learning()) {
    return;
  }
  finder_.add(frame);
  if (++idle_frames_ >= kMostIdleFrames) {
    wanted_ = 0;
    report_refusal("no_take");
  }
}

void Pupil::learn(const int8_t* unit, uint32_t now_ms) {
  lesson_.add(unit);
  idle_frames_ = 0;
  if (!lesson_.is_between_takes()) {
    return;
  }
  session_.event()
      .begin("take")
      .text("word", lesson_.name())
      .number("take", lesson_.takes())
      .number("takes", wanted_)
      .number("first", finder_.age_of_first())
      .number("last", finder_.age_of_last())
      .number("t_ms", now_ms)
      .end();
  if (lesson_.takes() == wanted_) {
    wanted_ = 0;
    if (is_training_) {
      finish_training();
    } else {
      finish();
    }
  }
}

const int8_t* Pupil::scores(const int8_t* unit) {
  static const tinyml_nn_softmax_params kOneRow = {1, 0, SCORES_MULTIPLIER, SCORES_SHIFT, SCORES_DIFF_MIN};
  tinyml_nn_softmax_params params = kOneRow;
  params.depth = static_cast<int32_t>(kFirstWord + words());
  int8_t logits[kMostLabels] = {INT8_MIN};  // silence never wins, unknown is 0
  for (size_t i = 0; i < words(); ++i) {
    logits[kFirstWord + i] = logit_of(word(i), unit);
  }
  tinyml_nn_softmax_s8(&params, logits, scores_);
  return scores_;
}

Reject Pupil::execute(const Command& command) {
  switch (command.verb) {
    case Verb::kLearn:
      return start(command);
    case Verb::kTrain:
      return start_training(command);
    case Verb::kForget:
      return forget(command);
    case Verb::kList:
      list();
      return Reject::kNone;
    default:
      return Reject::kCommand;
  }
}

void Pupil::find_words() {
  words_ = LABEL_COUNT - kFirstWord;
  for (size_t i = 0; i < words_; ++i) {
    known_[i] = &kBuiltInWords[i];
  }
  for (size_t i = 0; i < store_.count(); ++i) {
    const TaughtWord& kept = store_.word(i);
    const size_t index = index_of(kept.name, strlen(kept.name));
    known_[index] = &kept;
    words_ = index == words_ ? words_ + 1 : words_;
  }
}

void Pupil::make_config() {
  find_words();
  config_ = built_in_;
  for (size_t i = 0; i < kFirstWord + words(); ++i) {
    const bool is_built_in = i < LABEL_COUNT;
    const uint8_t* color = kColors[i % kColorCount];
    labels_[i] = is_built_in ? built_in_.labels[i] : word(i - kFirstWord).name;
    memcpy(colors_[i], is_built_in ? built_in_.colors[i] : color, sizeof(colors_[i]));
    thresholds_[i] = built_in_.recognizer.thresholds_permille[0];
  }
  config_.labels = labels_;
  config_.colors = colors_;
  config_.recognizer.labels = kFirstWord + words();
  config_.recognizer.thresholds_permille = thresholds_;
  config_.recognizer.longer_words = nullptr;
  has_changed_ = true;
}

Reject Pupil::start(const Command& command) {
  if (!is_lesson(command) || index_of(command.name, command.name_length) < words() || store_.is_full() ||
      !lesson_.begin(kLessonTables, command.name, command.name_length)) {
    return Reject::kRange;
  }
  is_training_ = false;
  begin_lesson(command.count);
  return Reject::kNone;
}

Reject Pupil::start_training(const Command& command) {
  if (!is_lesson(command) || index_of(command.name, command.name_length) == words() ||
      !lesson_.begin(kLessonTables, command.name, command.name_length)) {
    return Reject::kRange;
  }
  is_training_ = true;
  begin_lesson(command.count);
  return Reject::kNone;
}

void Pupil::begin_lesson(uint32_t takes) {
  finder_.reset();
  idle_frames_ = 0;
  wanted_ = takes;
}

Reject Pupil::forget(const Command& command) {
  const size_t index = store_.find(command.name, command.name_length);
  if (index == store_.count() || !store_.remove(index)) {
    return Reject::kRange;
  }
  make_config();
  return Reject::kNone;
}

void Pupil::list() {
  for (size_t i = 0; i < words(); ++i) {
    report(word(i), kFirstWord + i < LABEL_COUNT);
  }
}

void Pupil::report(const TaughtWord& word, bool is_built_in) {
  session_.event()
      .begin("word")
      .text("word", word.name)
      .number("takes", word.takes & ~kTrained)
      .flag("built_in", is_built_in)
      .flag("trained", is_trained(word))
      .hex("prototype", word.prototype, kWordValues)
      .hex("weights", word.weights, kWordValues)
      .signed_number("bias", word.bias)
      .end();
}

void Pupil::finish() {
  TaughtWord made;
  size_t odd_take = 0;
  int32_t near = 0;
  switch (lesson_.finish(&made, &odd_take)) {
    case WordLesson::Outcome::kTakesDisagree:
      report_odd(odd_take);
      return;
    case WordLesson::Outcome::kLikeOtherSound:
      report_refusal("like_other_sound");
      return;
    case WordLesson::Outcome::kLearnt:
      break;
  }
  const TaughtWord* other = nearest(made, &near);
  if (other != nullptr && near >= kTooNear) {
    session_.event()
        .begin("not_learned")
        .text("word", lesson_.name())
        .text("reason", "too_near")
        .text("other", other->name)
        .permille("cosine", static_cast<uint32_t>(near) * 1000u / 16384u)
        .end();
    return;
  }
  if (!store_.add(made)) {
    report_refusal("flash");
    return;
  }
  session_.event().begin("learned").text("word", made.name).number("takes", made.takes).end();
  make_config();
}

// The rows of all words learn from the takes: what one gains, others may have to give.
void Pupil::finish_training() {
  size_t odd_take = 0, changed = 0;
  if (lesson_.find_odd(&odd_take)) {
    report_odd(odd_take);
    return;
  }
  training_.begin();
  uint32_t names[RowTraining::kMostRows];
  const size_t rows = words();
  for (size_t i = 0; i < rows; ++i) {
    training_.add(word(i).weights, word(i).bias);
    names[i] = name_of(word(i));
  }
  const uint64_t start = session_.hal().instruction_count();
  lesson_.practise(&training_, index_of(lesson_.name(), strlen(lesson_.name())));
  const uint64_t instructions = session_.hal().instruction_count() - start;
  const bool kept = keep_rows(names, rows, &changed);
  make_config();
  if (!kept) {
    report_refusal("flash");
    return;
  }
  session_.event()
      .begin("trained")
      .text("word", lesson_.name())
      .number("takes", lesson_.takes())
      .number("rows", changed)
      .number("erasures", store_.erasures())
      .number("instructions", instructions)
      .end();
}

// Writes the rows that training has changed, each in the place of the one before, which moves words in flash.
bool Pupil::keep_rows(const uint32_t* names, size_t rows, size_t* changed) {
  for (size_t row = 0; row < rows; ++row) {
    size_t at = 0;
    while (at + 1 < words() && name_of(word(at)) != names[row]) {
      ++at;
    }
    TaughtWord made = word(at);
    training_.row(row, made.weights, &made.bias);
    if (made.bias == word(at).bias && memcmp(made.weights, word(at).weights, kWordValues) == 0) {
      continue;
    }
    made.takes |= kTrained;
    const size_t index = store_.find(made.name, strlen(made.name));
    const bool is_new = index == store_.count();
    if (is_new ? !store_.add(made) : !store_.replace(index, made)) {
      return false;
    }
    find_words();
    ++*changed;
  }
  return true;
}

void Pupil::report_odd(size_t take) {
  session_.event()
      .begin("not_learned")
      .text("word", lesson_.name())
      .text("reason", "takes_disagree")
      .number("take", take + 1)
      .end();
}

void Pupil::report_refusal(const char* reason) {
  session_.event().begin("not_learned").text("word", lesson_.name()).text("reason", reason).end();
}

// The word that is most like another one; nullptr: there is none.
const TaughtWord* Pupil::nearest(const TaughtWord& word, int32_t* near) const {
  const TaughtWord* found = nullptr;
  for (size_t i = 0; i < words(); ++i) {
    const int32_t each = cosine(word.prototype, this->word(i).prototype);
    if (found == nullptr || each > *near) {
      found = &this->word(i);
      *near = each;
    }
  }
  return found;
}

// The word of this name; words(): there is none.
size_t Pupil::index_of(const char* name, size_t length) const {
  for (size_t i = 0; i < words(); ++i) {
    if (strlen(word(i).name) == length && memcmp(word(i).name, name, length) == 0) {
      return i;
    }
  }
  return words();
}

#endif  // TINYML_APP_LEARNER
