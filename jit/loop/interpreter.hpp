// Owns the state of one run of the Loop IR interpreter; its parts lie in interpret*.cpp.
// Over 200 lines because it is the one description of that state, which every part reads.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <tuple>
#include <unordered_map>

#include "jit/loop/interpret.hpp"
#include "jit/loop/layout.hpp"
#include "jit/loop/machine.hpp"
#include "jit/loop/mma_shapes.hpp"
#include "jit/loop/shadow.hpp"

TESSERA_BEGIN
namespace loop::detail {

/// Where a function's values lie in a frame: one word an element. The same for every thread.
struct FrameShape {
  std::vector<std::uint32_t> offset, count;
  std::int64_t words = 0;
};

/// A running function.
struct Frame {
  const Function* function = nullptr;
  const FrameShape* shape = nullptr;
  std::vector<std::uint64_t> words;
  std::vector<std::uint32_t> ready;  ///< of each value: the thread's asynchronous mma it comes from, 0 for none
};

/// A running region.
struct Cursor {
  const Region* region = nullptr;
  std::size_t at = 0;
  const Inst* owner = nullptr;  ///< what the region belongs to; null: the function
  std::int64_t iv = 0, hi = 0, step = 0;
};

/// A copy in flight.
struct Copy {
  std::uint32_t thread = 0, agent = 0, time = 0;
  const Inst* inst = nullptr;
  Clock clock, fenced;
  Block *from = nullptr, *to = nullptr;
  struct Element {
    std::int64_t from, to;  ///< bits; −1: zero is copied in, or nothing out
  };
  std::vector<Element> elements;
  int width = 0;
  int channel = -1;
  std::int64_t slot = 0;
  bool landed = false;
};

/// One ring of slots within one execution.
struct Ring {
  struct Side {
    std::int64_t phase = 0, arrivals = 0, bytes = 0;
    Clock gathering, gathering_fenced, done, done_fenced;
  };
  std::vector<Side> full, empty;
};

/// A colour: elements on their way. Every receiver takes each of them.
struct Stream {
  struct Element {
    std::uint64_t bits;
    std::shared_ptr<const Clock> clock;
  };
  std::deque<Element> queue;
  std::int64_t gone = 0;                        ///< elements taken from the front so far
  std::map<std::uint32_t, std::int64_t> taken;  ///< by receiver: elements received
  std::set<std::uint32_t> senders;
};

struct Meeting {
  const Inst* inst = nullptr;
  std::vector<std::uint32_t> here;
  std::uint64_t generation = 0;
};

/// One execution of the entry: a program of a GPU's grid, a mesh, a range of programs on a CPU.
struct Execution {
  std::int64_t first = 0, end = 0;
  std::uint32_t first_thread = 0, threads = 0;
  std::vector<std::unique_ptr<Block>> blocks;  ///< by buffer: shared and scratch memory of all its threads
  std::vector<Ring> rings;
  std::map<std::tuple<int, std::uint32_t, std::int64_t>, Meeting> barriers;
  std::map<std::pair<std::uint32_t, std::uint32_t>, Meeting> collectives;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::pair<std::uint32_t, std::uint32_t>>
      mma_agents;  ///< id, issued
};

struct Thread {
  enum Status : std::uint8_t { running, blocked, done };
  Status status = running;
  std::uint64_t stamp = 0;  ///< the state of the world when it blocked
  const Inst* waits_for = nullptr;
  std::uint32_t id = 0;
  Execution* execution = nullptr;
  std::int64_t lane = 0, warp = 0, x = 0, y = 0;
  std::int64_t role_first = 0, role_warps = 0;
  bool in_role = false;
  std::vector<Frame> frames;
  std::vector<Cursor> cursors;
  std::vector<std::size_t> frame_base;  ///< cursors.size() when each frame began
  Clock clock, fenced, released, acquired;
  std::uint32_t time = 1;
  std::vector<Block*> places;  ///< by buffer, what lies there for this thread; null until used
  std::vector<std::unique_ptr<Block>> own;
  // asynchronous mma: those issued, as (agent, time), and how many are waited for
  std::vector<std::pair<std::uint32_t, std::uint32_t>> mma_issued;
  std::uint32_t mma_waited = 0;
  std::vector<std::shared_ptr<Copy>> copies;  ///< on no channel
  std::uint32_t copy_agent = 0, copy_time = 0;
  bool met = false;  ///< it has arrived where it waits
  std::uint64_t generation = 0;
  std::int64_t transferred = 0;                  ///< elements of a send or recv done so far
  std::map<std::int32_t, std::int32_t> colours;  ///< of each colour, the channel
};

class Interpreter {
 public:
  Interpreter(const Program& program, std::span<const std::uint64_t> frame, std::span<const Memory> memory,
              const InterpretOptions& options);
  Report run();

 private:
  struct Stop {};  // thrown when nothing sensible can follow
  enum Step : std::uint8_t { went_on, waits };

  /// Who does an access: a thread, or an agent for it.
  struct Actor {
    std::uint32_t agent, time;
    const Clock* clock;
    const Clock* fenced;  ///< not null: an asynchronous unit, which sees plain stores only behind a fence
    const Thread* thread;
  };

  // ---- set up and schedule: interpret.cpp ----
  bool bind();
  void untrack();
  void start(const Function& f, Execution& e, const std::vector<std::uint64_t>& arguments);
  void schedule();
  void run_thread(Thread& t, std::int64_t quantum);
  void found(Finding::Kind kind, const std::string& text, const Inst* a = nullptr, const Inst* b = nullptr);
  [[noreturn]] void stop(Finding::Kind kind, const std::string& text, const Inst* a = nullptr);
  std::string describe(const Thread& t) const;
  std::string describe(const Inst* inst) const;
  const FrameShape& shape_of(const Function& f);
  std::int64_t attribute(std::string_view name, std::int64_t otherwise) const;
  std::uint32_t new_agent(char kind) {
    agent_kinds_.push_back(kind);
    return agents_++;
  }
  bool fresh(Finding::Kind kind, const Inst* a, const Inst* b = nullptr) const {
    return report_.findings.size() < options_.finding_limit && !reported_.contains({kind, a, b});
  }
  std::uint64_t random(std::uint64_t n) { return n <= 1 ? 0 : random_() % n; }

  // ---- control flow and values: interpret_step.cpp ----
  Step step(Thread& t);
  void enter(Thread& t, const Region& r, const Inst* owner);
  void yield(Thread& t, const Inst& inst);
  void call(Thread& t, const Inst& inst);
  void copy_values(Frame& from, const std::vector<Value>& source, std::size_t first, Frame& to,
                   const std::vector<Value>& target, std::size_t at = 0);
  void use(Thread& t, const Inst& inst);
  void compute(Thread& t, const Inst& inst);
  void convert(Thread& t, const Inst& inst);
  void rearrange(Thread& t, const Inst& inst);
  void print(Thread& t, const Inst& inst);
  const Type& type(const Thread& t, Value v) const {
    return t.frames.back().function->types[static_cast<std::size_t>(v)];
  }
  std::uint64_t* words(Thread& t, Value v) {
    Frame& f = t.frames.back();
    return f.words.data() + f.shape->offset[static_cast<std::size_t>(v)];
  }
  std::uint32_t count(const Thread& t, Value v) const {
    return t.frames.back().shape->count[static_cast<std::size_t>(v)];
  }
  std::int64_t scalar(Thread& t, Value v);  // an integer or b8

  // ---- memory: interpret_memory.cpp ----
  struct Spot {
    Block* block = nullptr;
    std::int64_t bit = 0;
  };
  Block* place(Thread& t, std::int32_t buffer, const Inst* inst);
  std::unique_ptr<Block> make_block(const Buffer& b, std::int64_t elements) const;
  Spot spot(Thread& t, std::int32_t buffer, std::int64_t element, const Inst* inst);
  std::uint64_t read(const Actor& who, Spot at, int width, const Inst* inst, bool atomic = false);
  void write(const Actor& who, Spot at, int width, std::uint64_t value, const Inst* inst, bool atomic = false);
  bool ordered(const Actor& who, const Access& before) const {
    return before.time == 0 || before.time <= who.clock->at(before.agent) || before.agent == who.agent;
  }
  void conflict(const Actor& who, const Access& before, const Block& block, bool wrote, bool writes, const Inst* inst);
  void memory(Thread& t, const Inst& inst);
  void atomic(Thread& t, const Inst& inst);
  void allocate(Thread& t, const Inst& inst);
  Actor actor(Thread& t) const { return {t.id, t.time, &t.clock, nullptr, &t}; }
  bool is_copy_agent(std::uint32_t agent) const { return agent < agent_kinds_.size() && agent_kinds_[agent] == 'c'; }
  bool is_mma_agent(std::uint32_t agent) const { return agent < agent_kinds_.size() && agent_kinds_[agent] == 'm'; }

  // ---- tiles: interpret_tiles.cpp ----
  Position position(const Thread& t, std::uint32_t element, const Layout& l) const;
  void tile(Thread& t, const Inst& inst);
  Step collective(Thread& t, const Inst& inst);
  void outer_product(Thread& t, const Inst& inst);
  void mma(const std::vector<std::uint32_t>& group, const Inst& inst);
  void shuffle_lane(const std::vector<std::uint32_t>& group, const Inst& inst);

  // ---- roles, channels, copies: interpret_sync.cpp ----
  Step synchronise(Thread& t, const Inst& inst);
  Step slot(Thread& t, const Inst& inst);
  void arrive(Ring::Side& side, std::int64_t arrivals, std::int64_t bytes, const Clock& clock, const Clock& fenced,
              std::int64_t wanted_arrivals, std::int64_t wanted_bytes);
  Step barrier(Thread& t, const Inst& inst);
  Step transfer(Thread& t, const Inst& inst);
  void fence(Thread& t);
  void start_copy(Thread& t, const Inst& inst);
  void land(Copy& copy);
  void land_some(bool all);
  void tick(Thread& t);

  const Program& p_;
  std::span<const std::uint64_t> frame_;
  std::span<const Memory> given_;
  InterpretOptions options_;
  MachineFacts facts_;
  Report report_;
  std::mt19937_64 random_;
  std::set<std::tuple<int, const Inst*, const Inst*>> reported_;
  std::unordered_map<const Function*, FrameShape> shapes_;
  std::unordered_map<const Inst*, const Function*> owners_;  // of instructions, for messages
  struct Multiply {
    MmaShape shape;
    MmaPlan plan;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> outer;  ///< of each element of c, those of a and b; one thread
    std::vector<std::int32_t> a, b, c;  ///< of each register of a group's fragments, the element
  };
  const Multiply& multiply(const Thread& t, const Inst& inst);
  std::unordered_map<const Inst*, Multiply> mma_;
  std::unordered_map<std::string, const Function*> functions_;
  std::vector<std::unique_ptr<Block>> memory_;  // given, and that of the device
  std::vector<Spot> globals_;                   // by buffer
  std::vector<std::unique_ptr<Execution>> executions_;
  std::vector<std::unique_ptr<Thread>> threads_;
  std::vector<std::shared_ptr<Copy>> in_flight_;
  std::vector<Stream> streams_;
  std::map<std::pair<const Block*, std::int64_t>, Clock> atomics_;
  Clock before_all_;  // what host functions did
  std::uint32_t agents_ = 0;
  std::vector<char> agent_kinds_;
  std::uint64_t world_ = 1;  // counts what may let a blocked thread go on
  bool many_ = false;        // several threads: races are possible
  bool proxies_ = false;     // asynchronous units need fences (sm_90 and later)
};

}  // namespace loop::detail
TESSERA_END
