#include "tinyml_build.h"

#if defined(TINYML_APP_LEARNER)

#include <string.h>

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

// A word's logit from its row: the sum in 1/2048 as int8 in 1/16, as FULLY_CONNECTED requantises it.
int8_t logit_of(const TaughtWord& word, const int8_t* unit) {
  return static_cast<int8_t>(clamp_s8(rescale(cosine(word.weights, unit) + word.bias, 1 << 30, -6)));
}

}  // namespace

void Pupil::begin(const ListenerConfig& config) {
  built_in_ = config;
  store_.begin(session_.hal().flash_pages(), TINYML_EMBEDDING);
  // A word that became part of the program is no longer needed twice.
  for (size_t i = 0; i < LABEL_COUNT - kFirstWord; ++i) {
    const size_t index = store_.find(kBuiltInWords[i].name, strlen(kBuiltInWords[i].name));
    if (index < store_.count()) {
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
    finish();
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
    case Verb::kForget:
      return forget(command);
    case Verb::kList:
      list();
      return Reject::kNone;
    default:
      return Reject::kCommand;
  }
}

void Pupil::make_config() {
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
  if (command.count < WordLesson::kFewestTakes || command.count > WordLesson::kMostTakes || knows(command) ||
      store_.is_full() || !lesson_.begin(kLessonTables, command.name, command.name_length)) {
    return Reject::kRange;
  }
  finder_.reset();
  idle_frames_ = 0;
  wanted_ = command.count;
  return Reject::kNone;
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
      .number("takes", word.takes)
      .flag("built_in", is_built_in)
      .hex("prototype", word.prototype, kWordValues)
      .hex("weights", word.weights, kWordValues)
      .signed_number("bias", word.bias)
      .end();
}

void Pupil::finish() {
  TaughtWord made;
  size_t odd_take = 0;
  int32_t near = 0;
  wanted_ = 0;
  switch (lesson_.finish(&made, &odd_take)) {
    case WordLesson::Outcome::kTakesDisagree:
      session_.event()
          .begin("not_learned")
          .text("word", lesson_.name())
          .text("reason", "takes_disagree")
          .number("take", odd_take + 1)
          .end();
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

bool Pupil::knows(const Command& command) const {
  for (size_t i = 0; i < words(); ++i) {
    const char* name = word(i).name;
    if (strlen(name) == command.name_length && memcmp(name, command.name, command.name_length) == 0) {
      return true;
    }
  }
  return false;
}

const TaughtWord& Pupil::word(size_t index) const {
  constexpr size_t kBuiltIn = LABEL_COUNT - kFirstWord;
  return index < kBuiltIn ? kBuiltInWords[index] : store_.word(index - kBuiltIn);
}

#endif  // TINYML_APP_LEARNER
