// Owns the table of compiled variants: a kernel's variants are made once, by one thread, however many call it.
#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>

#include "jit/runtime/dump.hpp"
#include "jit/runtime/launch.hpp"
#include "jit/runtime/log.hpp"
#include "jit/runtime/pipeline.hpp"
#include "jit/specialisation.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/ir/hash.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

/// One variant that is being made, was made, or could not be made.
struct Slot {
  std::uint64_t config_key = 0;
  Specialisation known;
  std::vector<call::Guard> guards;
  std::unique_ptr<BuiltVariant> built;
  Status failure;
  bool done = false;
  std::vector<std::uint64_t> frame;  // of the call that it was made for
  std::optional<Config> config;      // of that call

  bool serves(const std::uint64_t* frame, std::uint64_t key) const {
    return config_key == key &&
           std::all_of(guards.begin(), guards.end(), [&](const call::Guard& g) { return g.holds(frame); });
  }
};

struct PublishedTable {
  call::VariantTable table;
  std::vector<const call::Variant*> variants;
};

/// All variants of one kernel, of every configuration.
struct KernelState {
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::unique_ptr<Slot>> slots;
  std::vector<std::pair<std::uint64_t, SpecialisationPolicy>> policies;  // by configuration
  std::vector<std::unique_ptr<PublishedTable>> tables;                   // every one that was ever published
  std::vector<std::unique_ptr<Slot>> past;                               // that calls may still be running
};

/// The records that have a state. Never destroyed: kernels retire until the process ends.
struct LiveRecords {
  std::mutex mutex;  // taken before a state's own
  std::vector<call::KernelRecord*> list;
};
LiveRecords& live_records() {
  static auto* records = new LiveRecords;
  return *records;
}

void retire(call::KernelRecord& record) noexcept {
  record.table.store(nullptr);
  KernelState* state = nullptr;
  {
    const std::lock_guard lock(live_records().mutex);
    std::erase(live_records().list, &record);
    state = static_cast<KernelState*>(record.state.exchange(nullptr));
  }
  delete state;
}

KernelState& state_of(call::KernelRecord& record) {
  if (void* state = record.state.load()) return *static_cast<KernelState*>(state);
  LiveRecords& live = live_records();
  const std::lock_guard lock(live.mutex);
  if (void* state = record.state.load()) return *static_cast<KernelState*>(state);
  auto made = std::make_unique<KernelState>();
  live.list.push_back(&record);
  record.retire.store(retire);
  record.state.store(made.get());
  return *made.release();
}

/// Does something with the state of each live record of the program at an address, while none can retire. A library
/// that was opened since may have another program there: it has to equal `copy`.
template <class F>
void with_states(const ir::Program* address, const ir::Program& copy, F f) {
  LiveRecords& live = live_records();
  const std::lock_guard lock(live.mutex);
  for (call::KernelRecord* record : live.list)
    if (record->program == address && ir::hash_of(*address) == ir::hash_of(copy))
      f(*record, *static_cast<KernelState*>(record->state.load()));
}

/// Whether a slot was made for a call of these extents, whose configuration left the tunables open.
bool chosen_for(const Slot& slot, const ir::Program& program, const std::vector<std::uint64_t>& frame,
                std::uint64_t config_key) {
  if (!slot.done || !slot.built || !slot.built->code || slot.config_key != config_key) return false;
  if (slot.frame.size() != frame.size()) return false;
  const call::FrameLayout layout = call::frame_layout(program);
  for (std::size_t i = 0; i < program.extents.size(); ++i)
    if (slot.frame[layout.extent_word(i)] != frame[layout.extent_word(i)]) return false;
  return true;
}

/// Whether two rely on the same; what is typical does not matter.
bool same(const Specialisation& a, const Specialisation& b) {
  return a.words == b.words && a.multiples == b.multiples && a.alignment == b.alignment;
}

void fill_in(Slot& slot, std::unique_ptr<BuiltVariant> built) {
  slot.built = std::move(built);
  slot.built->variant.guards = slot.guards.data();
  slot.built->variant.guard_count = static_cast<std::uint32_t>(slot.guards.size());
  slot.built->variant.config_key = slot.config_key;
}

// The most special variants first: in the order they were made, as each is more general than those before it.
void publish(call::KernelRecord& record, KernelState& state) {
  auto next = std::make_unique<PublishedTable>();
  for (const auto& slot : state.slots)
    if (slot->done && slot->built) next->variants.push_back(&slot->built->variant);
  std::stable_sort(next->variants.begin(), next->variants.end(),
                   [](const call::Variant* a, const call::Variant* b) { return a->guard_count > b->guard_count; });
  next->table = {next->variants.size(), next->variants.data()};
  state.tables.push_back(std::move(next));
  record.table.store(&state.tables.back()->table);
}

}  // namespace

void reconsider(call::KernelRecord& record) noexcept {
  try {
    KernelState& state = state_of(record);
    const std::lock_guard lock(state.mutex);
    for (auto& slot : state.slots)
      if (slot->config_key == 0 && slot->done) state.past.push_back(std::move(slot));
    std::erase(state.slots, nullptr);
    std::erase_if(state.policies, [](const auto& policy) { return policy.first == 0; });
    publish(record, state);
  } catch (const std::bad_alloc&) {  // the old choice stays
  }
}

std::size_t renew(const ir::Program* address, const ir::Program& copy, const std::vector<std::uint64_t>& frame,
                  std::uint64_t config_key) {
  std::vector<std::unique_ptr<Slot>> made;
  with_states(address, copy, [&](call::KernelRecord&, KernelState& state) {
    const std::lock_guard lock(state.mutex);
    for (const auto& old : state.slots) {
      if (!chosen_for(*old, copy, frame, config_key)) continue;
      auto& slot = made.emplace_back(std::make_unique<Slot>());
      slot->config_key = config_key;
      slot->known = old->known, slot->guards = old->guards, slot->frame = old->frame, slot->config = old->config;
    }
  });
  for (auto& slot : made) {
    auto built = build_variant(copy, slot->known, slot->frame.data(), slot->config ? &*slot->config : nullptr);
    if (!built->code) return 0;  // the interpreter would run it, with the copy
    fill_in(*slot, std::move(built));
    slot->done = true;
  }
  std::size_t renewed = 0;
  with_states(address, copy, [&](call::KernelRecord& record, KernelState& state) {
    const std::lock_guard lock(state.mutex);
    state.past.reserve(state.past.size() + made.size());  // calls may be running what goes there: it must arrive
    for (auto& old : state.slots)
      for (auto& slot : made)
        if (slot && chosen_for(*old, copy, slot->frame, config_key) && same(old->known, slot->known)) {
          state.past.push_back(std::exchange(old, std::move(slot)));
          ++renewed;
          break;
        }
    publish(record, state);
  });
  return renewed;
}

Status select_variant(call::KernelRecord& record, const std::uint64_t* frame, std::size_t words, const Config* config,
                      const call::Variant*& variant) noexcept {
  try {
    const ir::Program& program = *record.program;
    if (words != call::frame_layout(program).words())
      return {ErrorKind::internal, std::string(program.name) + ": the Frame has another size than the program's"};
    if (config)
      if (Status fits = call::check_config(program, *config); !fits) return fits;
    const std::uint64_t key = config ? config->key() : 0;
    KernelState& state = state_of(record);
    std::unique_lock lock(state.mutex);
    Slot* slot = nullptr;
    for (;;) {
      slot = nullptr;
      for (const auto& s : state.slots)
        if (s->serves(frame, key) && (!slot || s->guards.size() > slot->guards.size())) slot = s.get();
      if (!slot) break;
      if (slot->done) {
        if (!slot->built) return slot->failure;
        variant = &slot->built->variant;
        return {};
      }
      state.changed.wait(lock);  // another thread makes it
    }

    auto policy =
        std::find_if(state.policies.begin(), state.policies.end(), [&](const auto& p) { return p.first == key; });
    if (policy == state.policies.end()) policy = state.policies.insert(policy, {key, {}});
    const auto made = static_cast<std::size_t>(
        std::count_if(state.slots.begin(), state.slots.end(), [&](const auto& s) { return s->config_key == key; }));
    state.slots.push_back(std::make_unique<Slot>());
    slot = state.slots.back().get();
    slot->config_key = key;
    slot->known = policy->second.next(program, frame, made);
    slot->guards = slot->known.guards();
    slot->frame.assign(frame, frame + words);
    if (config) slot->config = *config;
    lock.unlock();

    Status failure;
    std::unique_ptr<BuiltVariant> built;
    try {
      built = build_variant(program, slot->known, frame, config);
    } catch (...) {
      failure = Status::from_current_exception();
    }

    lock.lock();
    slot->failure = failure;
    if (built) fill_in(*slot, std::move(built));
    slot->done = true;
    state.changed.notify_all();  // whatever follows: others wait for this slot
    if (slot->built) {
      variant = &slot->built->variant;
      try {
        publish(record, state);
      } catch (const std::bad_alloc&) {  // calls find it here until the next one is published
      }
    }
    if (failure.kind() == ErrorKind::device)  // memory may come back, a library may be installed: try again next time
      std::erase_if(state.slots, [&](const auto& s) { return s.get() == slot; });
    return failure;
  } catch (...) {
    return Status::from_current_exception();
  }
}

}  // namespace jit
TESSERA_END
