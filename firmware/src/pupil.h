// Words that the board is taught: `learn` collects takes from the stream, `forget` and `list` do what they
// say. The network gives a unit vector; the scores of the words that it was built with and of those in flash
// are made of it here, as the operators FULLY_CONNECTED and SOFTMAX of the run's own model make them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "command.h"
#include "listener.h"
#include "model_settings.h"
#include "recognizer.h"
#include "row_training.h"
#include "session.h"
#include "take_finder.h"
#include "word_lesson.h"
#include "word_store.h"

class Pupil {
 public:
  explicit Pupil(Session& session) : session_(session) {}

  // Of the network: a unit vector.
  static constexpr size_t output_bytes(size_t) { return kWordValues; }

  // `config` is that of the words in the program; what it points to must outlive the pupil.
  void begin(const ListenerConfig& config);

  // Forgets the sound, not the takes of a lesson.
  void reset() { finder_.reset(); }

  // With the words in flash.
  const ListenerConfig& config() const { return config_; }

  // Whether the words have changed since the last call.
  bool take_change();

  // Takes one frame of quantised features.
  void add(const int8_t* frame);

  // Whether takes are being collected; then next_window() is what to judge, and learn() takes the vector.
  bool is_learning() const { return wanted_ > 0; }
  bool next_window(int8_t* input) { return finder_.next_window(input); }
  void learn(const int8_t* unit, uint32_t now_ms);

  // The scores of all labels, valid until the next call.
  const int8_t* scores(const int8_t* unit);

  Reject execute(const Command& command);

 private:
  static constexpr size_t kMostLabels = Recognizer::kMaxLabels;
  static_assert(LABEL_COUNT + WordStore::kMostWords <= kMostLabels, "all words have a label");
  static_assert(LABEL_COUNT - kFirstWord + WordStore::kMostWords <= RowTraining::kMostRows,
                "all words can be trained");

  void find_words();
  void make_config();
  Reject start(const Command& command);
  Reject start_training(const Command& command);
  void finish_training();
  bool keep_rows(const uint32_t* names, size_t rows, size_t* changed);
  Reject forget(const Command& command);
  void list();
  void report(const TaughtWord& word, bool is_built_in);
  void finish();
  void report_odd(size_t take);
  void report_refusal(const char* reason);
  const TaughtWord* nearest(const TaughtWord& word, int32_t* near) const;
  size_t index_of(const char* name, size_t length) const;
  void begin_lesson(uint32_t takes);
  size_t words() const { return words_; }
  const TaughtWord& word(size_t index) const { return *known_[index]; }

  Session& session_;
  ListenerConfig built_in_ = {};
  ListenerConfig config_ = {};
  WordStore store_;
  WordLesson lesson_;
  RowTraining training_;
  bool is_training_ = false;  // a word that is known, rather than learning a new one
  const TaughtWord* known_[kMostLabels] = {};
  size_t words_ = 0;
  TakeFinder<FEATURE_FRAMES, FEATURE_CHANNELS> finder_;
  size_t wanted_ = 0;         // takes; 0: no lesson is under way
  uint32_t idle_frames_ = 0;  // since the lesson's last window
  bool has_changed_ = false;
  const char* labels_[kMostLabels] = {};
  uint8_t colors_[kMostLabels][3] = {};
  uint16_t thresholds_[kMostLabels] = {};
  int8_t scores_[kMostLabels] = {};
};
