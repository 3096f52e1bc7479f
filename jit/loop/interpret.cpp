// Owns the interpreter's set-up, its schedule of threads and its report.
#include "jit/loop/interpret.hpp"

#include <algorithm>
#include <numeric>

#include "jit/loop/interpreter.hpp"
#include "jit/loop/text.hpp"
#include "jit/loop/verify.hpp"

TESSERA_BEGIN
namespace loop {

std::string_view name(Finding::Kind kind) {
  static constexpr std::string_view names[] = {
      "invalid", "race", "missing wait", "missing fence", "unwritten", "out of bounds", "deadlock", "misuse", "limit"};
  return names[kind];
}

Report interpret(const Program& program, std::span<const std::uint64_t> frame, std::span<const Memory> memory,
                 const InterpretOptions& options) {
  return detail::Interpreter(program, frame, memory, options).run();
}

namespace detail {

constexpr std::int64_t most_threads = 1 << 14;
constexpr std::int64_t most_words = 1 << 27;  // of the values of all threads of an execution

Interpreter::Interpreter(const Program& program, std::span<const std::uint64_t> frame, std::span<const Memory> memory,
                         const InterpretOptions& options)
    : p_(program),
      frame_(frame),
      given_(memory),
      options_(options),
      facts_(machine_facts(program.machine)),
      random_(options.seed) {
  proxies_ = facts_.kind == MachineFacts::Kind::gpu &&
             (program.machine.starts_with("sm_9") || program.machine.starts_with("sm_1"));
}

void Interpreter::found(Finding::Kind kind, const std::string& text, const Inst* a, const Inst* b) {
  if (report_.findings.size() >= options_.finding_limit || !reported_.insert({kind, a, b}).second) return;
  std::string where;
  if (a && owners_.contains(a)) where = owners_[a]->name + ": ";
  report_.findings.push_back({kind, where + text});
}

void Interpreter::stop(Finding::Kind kind, const std::string& text, const Inst* a) {
  found(kind, (a ? "`" + describe(a) + "`: " : std::string()) + text, a);
  throw Stop{};
}

std::string Interpreter::describe(const Inst* inst) const {
  if (!inst) return "what was before";
  const auto it = owners_.find(inst);
  return it == owners_.end() ? std::string(loop::name(inst->op)) : loop::print(p_, *it->second, *inst);
}

std::string Interpreter::describe(const Thread& t) const {
  if (!t.execution) return "host";
  std::string s;
  if (facts_.kind == MachineFacts::Kind::mesh) return "element " + std::to_string(t.x) + "," + std::to_string(t.y);
  if (executions_.size() > 1) s = "programs from " + std::to_string(t.execution->first);
  if (facts_.kind == MachineFacts::Kind::gpu)
    s += (s.empty() ? "" : ", ") + std::string("warp ") + std::to_string(t.warp) + " lane " + std::to_string(t.lane);
  return s.empty() ? "the only thread" : s;
}

std::int64_t Interpreter::attribute(std::string_view name, std::int64_t otherwise) const {
  for (const auto& [n, v] : p_.attributes)
    if (n == name) return v;
  return otherwise;
}

const FrameShape& Interpreter::shape_of(const Function& f) {
  FrameShape& s = shapes_[&f];
  if (!s.offset.empty() || f.types.empty()) return s;
  for (const Type& t : f.types) {
    std::int64_t n = t.lanes;
    if (t.layout >= 0) {
      const Layout& l = p_.layouts[static_cast<std::size_t>(t.layout)];
      n = extent(l, Place::registers);
      if (facts_.kind != MachineFacts::Kind::gpu) n *= extent(l, Place::lane);
    }
    s.offset.push_back(static_cast<std::uint32_t>(s.words));
    s.count.push_back(static_cast<std::uint32_t>(n));
    s.words += n;
    if (s.words > most_words) stop(Finding::limit, f.name + ": its values are too large to interpret");
  }
  return s;
}

// Finds what the global buffers point to. Each piece of memory has cells as narrow as its narrowest elements.
bool Interpreter::bind() {
  globals_.resize(p_.buffers.size());
  for (const Memory& m : given_) {
    auto block = std::make_unique<Block>();
    block->data = static_cast<unsigned char*>(m.data);
    block->bits = m.data ? m.bytes * 8 : 0;
    block->cell_bits = 0;
    block->writable = m.writable;
    block->all_written = m.written;
    block->tracked = many_;
    memory_.push_back(std::move(block));
  }
  for (std::size_t i = 0; i < p_.buffers.size(); ++i) {
    const Buffer& b = p_.buffers[i];
    if (b.word < 0) continue;
    if (static_cast<std::size_t>(b.word) >= frame_.size()) {
      found(Finding::invalid, "buffer " + b.name + " lies in frame word " + std::to_string(b.word) + " of " +
                                  std::to_string(frame_.size()));
      return false;
    }
    const auto address = static_cast<std::uint64_t>(frame_[static_cast<std::size_t>(b.word)]);
    for (auto& block : memory_) {
      const auto start = reinterpret_cast<std::uint64_t>(block->data);
      if (!block->data || address < start ||
          address - start >= static_cast<std::uint64_t>(std::max<std::int64_t>(block->bits / 8, 1)))
        continue;
      block->cell_bits = std::gcd(block->cell_bits, static_cast<int>(info(b.elem).bits));
      block->cell_bits = std::gcd(block->cell_bits, static_cast<int>((address - start) * 8 % 64));
      block->name += (block->name.empty() ? "" : "/") + b.name;
      globals_[i] = {block.get(), static_cast<std::int64_t>(address - start) * 8};
      break;
    }
  }
  for (auto& block : memory_) {
    if (block->cell_bits == 0) block->cell_bits = 8;
    block->cells.resize(static_cast<std::size_t>((block->bits + block->cell_bits - 1) / block->cell_bits));
  }
  return true;
}

// A single thread races with nobody.
void Interpreter::untrack() {
  many_ = false;
  for (auto& block : memory_) block->tracked = false;
}

void Interpreter::start(const Function& f, Execution& e, const std::vector<std::uint64_t>& arguments) {
  const bool gpu = facts_.kind == MachineFacts::Kind::gpu, mesh = facts_.kind == MachineFacts::Kind::mesh,
             entry = f.kind == FunctionKind::entry;
  const std::int64_t width = mesh && entry ? attribute("mesh_x", 1) : 1,
                     warps = gpu && entry ? attribute("warps", 1) : 1;
  const std::int64_t n = !entry ? 1 : gpu ? warps * facts_.lanes : mesh ? width * attribute("mesh_y", 1) : 1;
  e.first_thread = static_cast<std::uint32_t>(threads_.size());
  e.threads = static_cast<std::uint32_t>(n);
  e.blocks.resize(p_.buffers.size());
  for (const Channel& c : p_.channels) {
    Ring r;
    if (c.colour < 0)
      r.full.resize(static_cast<std::size_t>(std::min(c.depth, 1 << 12))), r.empty.resize(r.full.size());
    e.rings.push_back(std::move(r));
  }
  for (std::int64_t i = 0; i < n; ++i) {
    auto t = std::make_unique<Thread>();
    t->id = new_agent('t');
    t->execution = entry ? &e : nullptr;
    t->lane = gpu ? i % facts_.lanes : 0;
    t->warp = gpu ? i / facts_.lanes : 0;
    t->x = mesh ? i % width : 0, t->y = mesh ? i / width : 0;
    t->role_warps = mesh ? n : warps;
    t->clock = before_all_;
    t->clock.raise(t->id, 1);
    t->fenced = t->released = before_all_;
    t->places.resize(p_.buffers.size());
    Frame frame;
    frame.function = &f;
    frame.shape = &shape_of(f);
    if (n * frame.shape->words > most_words) stop(Finding::limit, f.name + ": its values are too large to interpret");
    frame.words.resize(static_cast<std::size_t>(frame.shape->words));
    frame.ready.resize(f.types.size());
    for (std::size_t k = 0; k < f.body.params.size() && k < arguments.size(); ++k)
      frame.words[frame.shape->offset[static_cast<std::size_t>(f.body.params[k])]] = arguments[k];
    t->frames.push_back(std::move(frame));
    t->frame_base.push_back(0);
    enter(*t, f.body, nullptr);
    threads_.push_back(std::move(t));
  }
}

Report Interpreter::run() {
  for (const std::string& why : verify(p_)) found(Finding::invalid, why);
  if (!report_.findings.empty()) return std::move(report_);
  const Function* entry = nullptr;
  const auto own = [&](auto& self, const Function& f, const Region& r, int depth) -> void {
    for (const Inst& i : r.body) {
      owners_[&i] = &f;
      for (const Region& inner : i.regions) self(self, f, inner, depth + 1);
    }
  };
  for (const Function& f : p_.functions) {
    own(own, f, f.body, 0);
    functions_[f.name] = &f;
    if (f.kind == FunctionKind::entry && !entry && (options_.entry.empty() || options_.entry == f.name)) entry = &f;
  }
  if (!entry) {
    found(Finding::invalid,
          options_.entry.empty() ? "the program has no entry" : "there is no entry " + options_.entry);
    return std::move(report_);
  }
  const bool gpu = facts_.kind == MachineFacts::Kind::gpu, mesh = facts_.kind == MachineFacts::Kind::mesh;
  const std::int64_t each = gpu    ? attribute("warps", 1) * facts_.lanes
                            : mesh ? attribute("mesh_x", 1) * attribute("mesh_y", 1)
                                   : 1;
  many_ = each > 1 || options_.end < 0 || options_.end > options_.first + 1;
  if (!bind()) return std::move(report_);
  streams_.resize(p_.channels.size());
  try {
    for (const Function& f : p_.functions) {
      if (f.kind != FunctionKind::host) continue;
      executions_.push_back(std::make_unique<Execution>());
      start(f, *executions_.back(), {});
      threads_.back()->execution = executions_.back().get();
      schedule();
      land_some(true);
      before_all_.join(threads_.back()->clock);
      threads_.clear();
      executions_.clear();
    }
    const std::int64_t last = options_.end >= 0       ? options_.end
                              : report_.programs >= 0 ? report_.programs
                                                      : options_.first + 1;
    const std::int64_t programs = std::max<std::int64_t>(last - options_.first, 0);
    const std::int64_t split = options_.split > 0 ? options_.split : gpu ? 1 : std::max<std::int64_t>(programs, 1);
    const std::int64_t executions = programs == 0 ? (gpu ? 0 : 1) : (programs - 1) / split + 1;
    if (executions > most_threads || executions * each > most_threads)
      stop(Finding::limit, "the run would take more than " + std::to_string(most_threads) + " threads");
    if (executions * each <= 1) untrack();
    for (std::int64_t k = 0; k < executions; ++k) {
      executions_.push_back(std::make_unique<Execution>());
      Execution& e = *executions_.back();
      e.first = std::min(options_.first + k * split, last);
      e.end = std::min(e.first + split, last);
      start(*entry, e, {static_cast<std::uint64_t>(e.first), static_cast<std::uint64_t>(e.end)});
    }
    schedule();
    // Shared memory is gone when its program ends; a copy that still reads or writes it would find another's.
    for (const auto& copy : in_flight_)
      if (copy->from->shared || copy->to->shared)
        found(Finding::missing_wait, "`" + describe(copy->inst) + "` is still in flight when its program ends",
              copy->inst);
    land_some(true);
    report_.completed = true;
  } catch (const Stop&) {
  } catch (const std::exception& e) {  // out of memory
    found(Finding::limit, std::string("the run was given up: ") + e.what());
  }
  return std::move(report_);
}

// Runs every thread to its end: one at random, for a random while, copies landing in between.
void Interpreter::schedule() {
  std::vector<Thread*> ready;
  for (;;) {
    ready.clear();
    bool all_done = true;
    for (auto& t : threads_) {
      if (t->status == Thread::done) continue;
      all_done = false;
      if (t->status == Thread::running || t->stamp != world_) ready.push_back(t.get());
    }
    if (all_done) return;
    if (ready.empty()) {
      if (!in_flight_.empty()) {
        land_some(false);
        continue;
      }
      std::string who;
      std::set<const Inst*> shown;
      int stuck = 0;
      for (auto& t : threads_) {
        if (t->status != Thread::blocked) continue;
        ++stuck;
        if (shown.size() < 4 && shown.insert(t->waits_for).second)
          who += (shown.size() > 1 ? "; " : "") + describe(*t) + " at `" + describe(t->waits_for) + "`";
      }
      stop(Finding::deadlock, std::to_string(stuck) + " threads wait for what nobody will do: " + who);
    }
    // A batch of the ready ones before looking again: their order is random, and so is how far each goes.
    std::shuffle(ready.begin(), ready.end(), random_);
    const std::size_t batch = 1 + random(ready.size());
    for (std::size_t i = 0; i < batch; ++i) {
      run_thread(*ready[i],
                 ready.size() == 1 ? 4096 : 1 + static_cast<std::int64_t>(random(random(4) == 0 ? 256 : 16)));
      if (!in_flight_.empty() && random(8) == 0) land_some(false);
    }
  }
}

void Interpreter::run_thread(Thread& t, std::int64_t quantum) {
  t.status = Thread::running;
  for (; quantum > 0; --quantum) {
    if (t.cursors.empty()) {
      t.status = Thread::done;
      for (const auto& c : t.copies)
        if (c->from->shared || c->to->shared)
          found(Finding::missing_wait, "`" + describe(c->inst) + "` is never waited for", c->inst);
      ++world_;
      return;
    }
    if (++report_.steps > options_.step_limit)
      stop(Finding::limit, "more than " + std::to_string(options_.step_limit) + " instructions");
    if (report_.findings.size() >= options_.finding_limit) stop(Finding::limit, "too many findings");
    const Cursor& c = t.cursors.back();
    const Inst* inst = &c.region->body[c.at];
    const std::uint64_t before = world_;
    if (step(t) == waits) {
      t.status = Thread::blocked;
      t.stamp = before == world_ ? world_ : 0;
      t.waits_for = inst;
      return;
    }
  }
}

}  // namespace detail
}  // namespace loop
TESSERA_END
