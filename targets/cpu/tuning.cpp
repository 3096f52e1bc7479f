// Owns what a tuner asks of the CPU: values worth trying, choices of the planner's own, predicted times, limits.
#include "targets/cpu/tuning.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <set>

#include "jit/loop/work.hpp"
#include "jit/passes/simplify.hpp"
#include "tessera/call/frame.hpp"

TESSERA_BEGIN
namespace cpu {
namespace {

constexpr std::int64_t unknown_extent = 1024;

/// Predictions must not change from run to run: a nominal processor, not a measured one.
constexpr double hertz = 3.4e9;
constexpr double l2_bytes_a_cycle = 24, l3_bytes_a_cycle = 10, memory_bytes_a_cycle = 3;
constexpr double thread_start = 2e-6, task_start = 2e-7, call_start = 5e-8;

bool has_dot(const ir::Program& p) {
  return std::any_of(p.nodes.begin(), p.nodes.end(), [](const ir::Node& n) { return n.op == ir::Op::dot; });
}

bool uses_tunable(const ir::Program& p, std::int32_t id, std::int64_t tunable) {
  const ir::Node& n = p.node(id);
  if (n.op == ir::Op::tunable) return n.imm == tunable;
  if (ir::info(n.op).op_class != ir::OpClass::elementwise || n.rank > 0) return false;
  const auto operands = p.operands_of(n);
  return std::any_of(operands.begin(), operands.end(), [&](std::int32_t o) { return uses_tunable(p, o, tunable); });
}

}  // namespace

std::vector<std::vector<std::int64_t>> cut_candidates(const ir::Program& program, const jit::Specialisation& known) {
  const call::FrameLayout layout = call::frame_layout(program);
  const ir::Storage contracted = jit::sums_to_dots(program);
  const ir::Program p = contracted.view();
  const bool dots = has_dot(p);
  std::vector<std::vector<std::int64_t>> all(program.tunables.size());
  for (std::size_t t = 0; t < all.size(); ++t) {
    std::set<std::int64_t> lengths;
    bool counts = false;
    for (const ir::Node& n : p.nodes) {
      if (n.op != ir::Op::grid_block && n.op != ir::Op::loop_block && n.op != ir::Op::grid_index) continue;
      if (n.count == 0 || !uses_tunable(p, p.operand(n, 0), static_cast<std::int64_t>(t))) continue;
      if (n.op == ir::Op::grid_index) {
        counts = true;
        continue;
      }
      const int extent = p.axes[n.axes[0]].extent;
      const auto word = extent < 0 ? layout.words() : layout.extent_word(static_cast<std::size_t>(extent));
      const auto typical =
          word < known.typical.size() ? std::optional<std::int64_t>(known.typical[word]) : std::nullopt;
      lengths.insert(word < known.words.size() ? known.words[word].value_or(typical.value_or(unknown_extent))
                                               : unknown_extent);
    }
    if (lengths.empty() && !counts) continue;
    std::set<std::int64_t> values;
    const std::int64_t longest = lengths.empty() ? 16 : std::max<std::int64_t>(1, *lengths.rbegin());
    if (counts)
      for (const std::int64_t v : {1, 2, 4, 8, 16}) values.insert(v);
    for (const std::int64_t v :
         {1, 2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048, 4096, 8192})
      if (!counts && v < longest && (v >= 16 || !dots)) values.insert(v);
    for (const std::int64_t n : lengths) values.insert(std::max<std::int64_t>(1, n));
    all[t].assign(values.begin(), values.end());
  }
  return all;
}

std::vector<jit::Choice> block_choices(const jit::PlanRequest& request, const Machine& machine) {
  std::vector<jit::Choice> all;
  if (std::any_of(request.program.nodes.begin(), request.program.nodes.end(),
                  [](const ir::Node& n) { return n.op == ir::Op::accumulate; }))
    all.push_back({"cpu.adding", {0, 1, 2, 3}});
  const ir::Storage contracted = jit::sums_to_dots(request.program);
  if (!has_dot(contracted.view())) return all;
  const bool wide = machine.vector_bytes == 64;
  all.push_back({"cpu.kc", {0, 128, 256, 384, 768}});
  all.push_back({"cpu.mc", {0, 72, 144, 288}});
  if (wide) {
    all.push_back({"cpu.rows", {0, 6, 12}});
    all.push_back({"cpu.vectors", {0, 2, 4}});
  } else {
    all.push_back({"cpu.rows", {0, 4, 8, 12}});
    all.push_back({"cpu.vectors", {0, 1, 3}});
  }
  return all;
}

Blocks blocks_of(const std::vector<Tuned>& choices) {
  Blocks b;
  for (const Tuned& choice : choices) {
    if (choice.name == "cpu.kc") b.kc = choice.value;
    if (choice.name == "cpu.mc") b.mc = choice.value;
    if (choice.name == "cpu.rows") b.rows = static_cast<int>(choice.value);
    if (choice.name == "cpu.vectors") b.vectors = static_cast<int>(choice.value);
  }
  return b;
}

Adding adding_of(const std::vector<Tuned>& choices) {
  for (const Tuned& choice : choices)
    if (choice.name == "cpu.adding") return static_cast<Adding>(choice.value);
  return Adding::automatic;
}

std::string illegal_choice(const std::vector<Tuned>& choices, const Machine& machine) {
  for (const Tuned& choice : choices) {
    const bool size = choice.name == "cpu.kc" || choice.name == "cpu.mc", adding = choice.name == "cpu.adding";
    if (!size && !adding && choice.name != "cpu.rows" && choice.name != "cpu.vectors")
      return "configuration: target cpu has no choice " + choice.name +
             "\n  hint: cpu.kc, cpu.mc, cpu.rows, cpu.vectors or cpu.adding";
    const std::int64_t most = size ? 1 << 16 : adding ? 3 : machine.vector_registers;
    if (choice.value < 0 || choice.value > most)
      return "configuration: " + choice.name + " is " + std::to_string(choice.value) + "\n  hint: 0 … " +
             std::to_string(most) + "; 0 leaves it to the target";
  }
  const Blocks b = blocks_of(choices);
  const bool wide = machine.vector_bytes == 64;
  const int rows = b.rows > 0 ? b.rows : wide ? 8 : 6, vectors = b.vectors > 0 ? b.vectors : wide ? 3 : 2;
  const int registers = rows * vectors + vectors + 1;
  if ((b.rows > 0 || b.vectors > 0) && registers > machine.vector_registers)
    return "configuration: a register block of " + std::to_string(rows) + " rows by " + std::to_string(vectors) +
           " vectors needs " + std::to_string(registers) + " registers, and there are " +
           std::to_string(machine.vector_registers);
  return {};
}

jit::Estimate estimate(const jit::PlanRequest& request, const loop::Program& planned, const Machine& machine) {
  const ir::Program& p = request.program;
  const call::FrameLayout layout = call::frame_layout(p);
  std::vector<std::int64_t> frame(layout.words(), unknown_extent);
  for (std::size_t w = 0; w < frame.size(); ++w) {
    if (w < request.known.typical.size()) frame[w] = request.known.typical[w];
    if (w < request.known.words.size() && request.known.words[w]) frame[w] = *request.known.words[w];
  }
  std::vector<double> arguments;
  for (std::size_t a = 0; a < layout.args; ++a) {
    double bytes = info(p.args[a].type).bits / 8.0;
    for (int d = 0; call::is_array(p.args[a]) && d < p.args[a].rank; ++d)
      bytes *= static_cast<double>(frame[layout.extent_word(
          static_cast<std::size_t>(p.arg_extents[static_cast<std::size_t>(p.args[a].first_extent + d)]))]);
    arguments.push_back(bytes);
  }
  loop::Rates rates;
  rates.vector_bytes = machine.vector_bytes;
  rates.divide = machine.vector_bytes == 64 ? 10 : 5;
  const double threads = machine.threads;
  // Of the last cache, and of what programs of the grid share, a thread has its part.
  const double caches[] = {static_cast<double>(machine.l1_bytes) * 0.9, static_cast<double>(machine.l2_bytes) * 0.9,
                           static_cast<double>(machine.l3_bytes) * 0.8};
  loop::Work work = loop::count_work(planned, frame, rates, caches, arguments);
  // Calls are repeated: what fits a cache altogether is there already.
  for (std::size_t c = 0; c < work.traffic.size(); ++c)
    if (work.bytes + work.scratch <= caches[c]) work.traffic[c] = 0;

  bool serial = false;
  for (const auto& [name, value] : planned.attributes) serial = serial || (name == "serial_grid" && value != 0);
  const auto programs = static_cast<double>(std::max<std::int64_t>(1, work.programs));
  const double workers = serial ? 1 : std::min(threads, programs);
  const double share = std::ceil(programs / workers) / programs;  // of the work, of the thread that has most
  const double parts[] = {work.cycles * share, work.traffic[0] / l2_bytes_a_cycle * share,
                          work.traffic[1] / l3_bytes_a_cycle * share, work.traffic[2] / memory_bytes_a_cycle};
  // Caches work ahead while a core computes: the slowest counts, the others in part.
  double longest = 0, sum = 0;
  for (const double part : parts) longest = std::max(longest, part), sum += part;
  jit::Estimate e;
  e.seconds = (longest + 0.25 * (sum - longest)) / hertz + call_start;
  if (workers > 1) e.seconds += thread_start + programs / workers * task_start;
  e.operations = work.operations;
  e.bytes = work.bytes;
  e.guessed = !work.known;
  return e;
}

jit::Roof measured_roof(const Machine& machine) {
  using clock = std::chrono::steady_clock;
  static const std::pair<double, double> measured = [] {
    const auto seconds = [](auto from) { return std::chrono::duration<double>(clock::now() - from).count(); };
    double fastest = 1e9;  // of a chain of additions, one a cycle
    for (int repeat = 0; repeat < 5; ++repeat) {
      constexpr int steps = 1 << 19;
      std::uint64_t x = 1;
      const auto from = clock::now();
      for (int i = 0; i < steps; ++i) __asm__ volatile("add $1, %0" : "+r"(x));
      fastest = std::min(fastest, seconds(from) / steps);
    }
    std::vector<std::uint64_t> memory(std::size_t{8} << 20, 1);
    double best = 1e9;
    for (int repeat = 0; repeat < 3; ++repeat) {
      std::uint64_t sum = 0;
      const auto from = clock::now();
      for (const std::uint64_t word : memory) sum += word;
      __asm__ volatile("" : : "r"(sum));
      best = std::min(best, seconds(from));
    }
    return std::pair(1 / fastest, static_cast<double>(memory.size() * 8) / best);
  }();
  const double lanes = machine.vector_bytes / 4.0;
  return {measured.first * lanes * (machine.has_fma ? 4 : 2) * machine.threads, measured.second};
}

}  // namespace cpu
TESSERA_END
