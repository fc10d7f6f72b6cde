#if defined(TINYML_MODEL_SLOTS)

#include "slot_service.h"

#include "model_tables.h"
#include "tinyml_build.h"

namespace {

constexpr uint8_t kUpdateKey[ED25519_KEY_BYTES] = TINYML_UPDATE_KEY;
static_assert(TINYML_FLASH_PAGES_BYTES >= ModelSlots::flash_bytes(MODEL_TABLES_BYTES),
              "the flash that was set aside cannot hold two slots");

bool passes_self_test(Inference* inference) {
  const model_tables& tables = *model_tables_in_use;
  return inference->gives(tables.golden_input, sizeof(tables.golden_input), tables.golden_output,
                          sizeof(tables.golden_output), tables.golden_tolerance);
}

const char* state_name(SlotState state) {
  switch (state) {
    case SlotState::kPartial:
      return "partial";
    case SlotState::kComplete:
      return "complete";
    case SlotState::kConfirmed:
      return "confirmed";
    case SlotState::kRejected:
      return "rejected";
    default:
      return "empty";
  }
}

Reject reject_of(UpdateError error) {
  switch (error) {
    case UpdateError::kNone:
      return Reject::kNone;
    case UpdateError::kArchitecture:
      return Reject::kArchitecture;
    case UpdateError::kOlder:
      return Reject::kOlder;
    case UpdateError::kSignature:
      return Reject::kSignature;
    case UpdateError::kOrder:
      return Reject::kOrder;
    case UpdateError::kBase:
      return Reject::kBase;
    case UpdateError::kFlash:
      return Reject::kFlash;
    default:
      return Reject::kNotAnUpdate;
  }
}

}  // namespace

bool SlotService::begin(Hal& hal, Inference* inference) {
  slots_.begin(hal.flash_pages(),
               SlotTerms{kUpdateKey, model_architecture, MODEL_TABLES_BYTES, TINYML_BUILT_IN_RELEASE});
  for (;;) {
    const uint8_t* tables = slots_.choose();
    model_tables_use(tables == nullptr ? &model_tables_built_in
                                       : reinterpret_cast<const model_tables*>(tables));
    if (passes_self_test(inference)) {
      slots_.confirm();
      return true;
    }
    if (tables == nullptr) {
      return false;
    }
    slots_.reject();
  }
}

void SlotService::report(JsonLine line, uint16_t seq) {
  static const char* const kNames[] = {"built-in", "a", "b"};
  line.begin("slots")
      .number("seq", seq)
      .text("running", kNames[slots_.running() + 1])
      .number("release", slots_.running_release())
      .text("model", TINYML_MODEL_SHA256)
      .hex("architecture", model_architecture, sizeof(model_architecture))
      .number("tables_bytes", MODEL_TABLES_BYTES)
      .number("received", slots_.received());
  for (int slot = 0; slot < ModelSlots::kCount; ++slot) {
    const SlotState state = slots_.state(slot);
    line.text(kNames[slot + 1], state_name(state));
    line.number(slot == 0 ? "a_release" : "b_release", state == SlotState::kEmpty ? 0 : slots_.release(slot));
  }
  line.end();
}

Reject SlotService::update(const Command& command) {
  if (command.verb == Verb::kPacked) {
    const auto* running = reinterpret_cast<const uint8_t*>(model_tables_in_use);
    return reject_of(slots_.add_packed(command.offset, command.data, command.bytes, running));
  }
  if (command.offset >= sizeof(SlotHeader)) {
    return reject_of(slots_.add(command.offset - sizeof(SlotHeader), command.data, command.bytes));
  }
  if (command.offset != 0 || command.bytes != sizeof(SlotHeader)) {
    return Reject::kRange;
  }
  return reject_of(slots_.begin_update(command.data));
}

#endif  // TINYML_MODEL_SLOTS
