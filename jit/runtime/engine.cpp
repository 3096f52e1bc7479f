// Owns the table of compiled variants: a kernel's variants are made once, by one thread, however many call it.
#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "jit/runtime/dump.hpp"
#include "jit/runtime/launch.hpp"
#include "jit/runtime/log.hpp"
#include "jit/runtime/pipeline.hpp"
#include "jit/specialisation.hpp"
#include "tessera/call/errors.hpp"

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

void retire(call::KernelRecord& record) noexcept {
  record.table.store(nullptr);
  delete static_cast<KernelState*>(record.state.exchange(nullptr));
}

KernelState& state_of(call::KernelRecord& record) {
  static std::mutex mutex;
  if (void* state = record.state.load()) return *static_cast<KernelState*>(state);
  const std::lock_guard lock(mutex);
  if (void* state = record.state.load()) return *static_cast<KernelState*>(state);
  auto* made = new KernelState;
  record.retire.store(retire);
  record.state.store(made);
  return *made;
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
    slot->built = std::move(built);
    slot->done = true;
    state.changed.notify_all();  // whatever follows: others wait for this slot
    if (slot->built) {
      slot->built->variant.guards = slot->guards.data();
      slot->built->variant.guard_count = static_cast<std::uint32_t>(slot->guards.size());
      slot->built->variant.config_key = key;
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
