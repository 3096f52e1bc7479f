// Owns what a Way means to the planner, and running its plan as machine code or in the interpreter of Loop IR.
#include "tests/fuzz/ways.hpp"

#include <optional>
#include <stdexcept>
#include <thread>

#include "jit/loop/interpret.hpp"
#include "jit/loop/verify.hpp"
#include "jit/runtime/compile.hpp"
#include "jit/runtime/run_context.hpp"
#include "targets/cpu/features.hpp"
#include "targets/cpu/plan/plan.hpp"
#include "tessera/call/argument.hpp"
#include "tessera/call/frame.hpp"
#include "tests/support/guarded_context.hpp"

namespace fuzz {
namespace {

using namespace tessera;

cpu::Machine machine_of(const Way& way) {
  cpu::Machine m = cpu::machine(way.features, static_cast<int>(way.threads));
  m.deterministic = way.deterministic;
  m.numerics = way.numerics;
  m.adding = static_cast<cpu::Adding>(way.adding);
  m.blocks = {way.kc, way.mc, static_cast<int>(way.rows), static_cast<int>(way.vectors)};
  if (!way.small_caches) return m;
  m.l1_bytes = 1 << 10;
  m.l2_bytes = 4 << 10;
  m.l3_bytes = 8 << 10;
  return m;
}

jit::Specialisation specialisation(const ir::Program& program, const std::vector<std::uint64_t>& frame,
                                   const Way& way) {
  jit::Specialisation s = jit::Specialisation::generic(program);
  const auto layout = call::frame_layout(program);
  for (std::size_t w = layout.first_extent(); w < layout.words(); ++w) {
    const auto value = static_cast<std::int64_t>(frame[w]);
    const bool telling = w >= layout.first_stride() && (value == 0 || value == 1);
    if (way.known == Known::exact || (way.known == Known::unit_strides && telling)) s.words[w] = value;
  }
  if (way.typical) s.typical.assign(frame.begin(), frame.end());
  return s;
}

// A context that keeps what is printed, for one thread.
class Listening : public tessera_test::GuardedContext {
 public:
  Listening() noexcept { print = keep; }
  std::string printed;

 private:
  static void keep(Context* self, const char*, const std::uint64_t* values, const std::uint8_t* types,
                   std::int64_t count) {
    auto& text = static_cast<Listening*>(self)->printed;
    for (std::int64_t i = 0; i < count; ++i)
      text += call::number_text(static_cast<DType>(types[i]), values[i]) + (i + 1 < count ? " " : "\n");
  }
};

bool in_order(const loop::Program& plan) {
  for (const auto& [key, value] : plan.attributes)
    if (key == "serial_grid" && value != 0) return true;
  return false;
}

}  // namespace

Choice choose(const Sample& sample, const Way& way, const std::vector<std::uint64_t>& frame) {
  const ir::Program p = sample.program.view();
  Choice choice{{}, machine_of(way), specialisation(p, frame, way)};
  std::vector<std::optional<std::int64_t>> given(p.tunables.size());
  for (std::size_t i = 0; i < way.tunables.size(); ++i) given[i] = way.tunables[i];
  choice.tunables = cpu::choose_tunables(p, choice.known, given, choice.machine);
  return choice;
}

loop::Program plan(const Sample& sample, const Choice& choice) {
  loop::Program planned = cpu::plan(sample.program.view(), choice.known, choice.tunables, choice.machine);
  if (const auto wrong = loop::verify(planned); !wrong.empty()) throw std::runtime_error("Loop IR: " + wrong.front());
  return planned;
}

std::string describe(const Way& way) {
  std::string text = std::string(known_names[static_cast<std::size_t>(way.known)]) + " " + way.features + words_of(way);
  for (std::int64_t t : way.tunables) text += " " + std::to_string(t);
  return text + ": ";
}

Ran run_compiled(const loop::Program& plan, const Sample& sample, const Way& way, const CheckOptions& options,
                 const Arguments& arguments) {
  jit::CompileOptions compile;
  compile.features = way.features;
  compile.opt_level = options.opt_level >= 0 ? options.opt_level : sample.seed % 16 == 0 ? 2 : 0;
  compile.verify = options.verify;
  const auto code = jit::compile_loop(plan, compile);
  Listening contexts[3];  // of each piece
  const std::uint64_t* frame = arguments.frame().data();
  const std::int64_t programs = code->host()(frame, &contexts[0]);
  const bool serial = in_order(plan);
  const std::int64_t a = serial ? 0 : programs / 3, b = serial ? 0 : programs - programs / 3;
  bool kept[3] = {true, true, true};
  const auto piece = [&](int number, std::int64_t from, std::int64_t to) {
    if (from < to) kept[number] = contexts[number].run(code->entry(), frame, from, to);
  };
  std::thread first, second;
  if (way.threads > 1 && a > 0) {
    first = std::thread(piece, 0, 0, a);
    second = std::thread(piece, 1, a, b);
  }
  piece(2, b, programs);
  if (first.joinable()) {
    first.join();
    second.join();
  } else {
    piece(1, a, b);
    piece(0, 0, a);
  }
  Ran ran;
  for (const Listening& context : contexts) {
    if (ran.status.ok()) ran.status = context.status(sample.program.view().name);
    ran.printed += context.printed;
  }
  if (!kept[0] || !kept[1] || !kept[2]) ran.beside = "bytes beside its scratch are written";
  return ran;
}

Ran run_planned(const loop::Program& plan, const Sample& sample, const Arguments& arguments) {
  loop::InterpretOptions options;
  options.split = in_order(plan) ? 0 : 1;
  options.step_limit = 1 << 20;
  options.finding_limit = 64;
  const loop::Report report = loop::interpret(plan, arguments.frame(), arguments.memory(), options);
  Ran ran;
  ran.printed = report.printed;
  for (const loop::Finding& finding : report.findings) {
    // Lanes that fill up a vector are read from scratch, and not used.
    if (finding.kind == loop::Finding::unwritten) continue;
    if (finding.kind == loop::Finding::limit) {
      ran.complete = false;
      return ran;
    }
    ran.wrong = "in Loop IR: " + std::string(loop::name(finding.kind)) + ": " + finding.text;
  }
  if (!report.failures.empty())
    ran.status = {ErrorKind::user, std::string(sample.program.view().name) + ": " + report.failures.front(), ""};
  return ran;
}

}  // namespace fuzz
