// Owns the judgement of one sample: interpreted, compiled in each of its ways, run, compared.
#include "tests/fuzz/check.hpp"

#include <algorithm>
#include <exception>
#include <stdexcept>

#include "jit/loop/text.hpp"
#include "jit/loop/verify.hpp"
#include "jit/runtime/compile.hpp"
#include "jit/specialisation.hpp"
#include "targets/cpu/features.hpp"
#include "targets/cpu/plan/plan.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/interpret.hpp"
#include "tessera/ir/verify.hpp"
#include "tests/fuzz/arguments.hpp"
#include "tests/support/guarded_context.hpp"

namespace fuzz {
namespace {

using namespace tessera;
using interpreter::FindingKind;

cpu::Machine machine_of(const Way& way) {
  cpu::Machine m = cpu::machine(way.features, 1);
  if (!way.small_caches) return m;
  m.l1_bytes = 1 << 10;
  m.l2_bytes = 4 << 10;
  m.l3_bytes = 8 << 10;
  return m;
}

jit::Specialisation specialisation(const ir::Program& program, const std::vector<std::uint64_t>& frame, Known known) {
  jit::Specialisation s = jit::Specialisation::generic(program);
  const auto layout = call::frame_layout(program);
  for (std::size_t w = layout.first_extent(); w < layout.words(); ++w) {
    const auto value = static_cast<std::int64_t>(frame[w]);
    const bool telling = w >= layout.first_stride() && (value == 0 || value == 1);
    if (known == Known::exact || (known == Known::unit_strides && telling)) s.words[w] = value;
  }
  return s;
}

// What docs/limits.md says that the planner refuses. Any other refusal is a defect.
bool is_known_limit(const std::string& text) {
  for (const char* limit : {"split of an axis whose length", "merge with an inner axis", "join after an axis",
                            "atomics on elements of fewer"})
    if (text.find(limit) != std::string::npos) return true;
  return false;
}

// The reason without the kernel's name and line, which would make each its own.
std::string reason(const std::string& text) {
  const std::size_t at = text.find(": ");
  return at == std::string::npos ? text : text.substr(at + 2);
}

struct Interpreted {
  Arguments arguments;
  interpreter::Report report;
  bool sound = true;    ///< nothing is wrong with the program
  bool defined = true;  ///< … or only what machine code need not give a value for, but must survive
  bool checks_fail = false;

  Interpreted(const Sample& sample, const std::vector<std::int64_t>& tunables) : arguments(sample) {
    interpreter::Options options;
    options.most_iterations = 1 << 12;
    options.most_lanes = 1 << 18;
    report = interpret(sample.program.view(), arguments.frame(), tunables, options);
    for (const auto& finding : report.findings) {
      if (finding.kind == FindingKind::check) {
        checks_fail = true;
        continue;
      }
      sound = false;
      defined = defined && (finding.kind == FindingKind::outside || finding.kind == FindingKind::overflow ||
                            finding.kind == FindingKind::division);
    }
    defined = defined && report.finding_count == report.findings.size();
  }
};

// How many elements were compared, and how many of them could be anything.
void count_elements(const ir::Program& p, const Interpreted& interpreted, Outcome& outcome) {
  const call::FrameView view{interpreted.arguments.frame().data(), call::frame_layout(p)};
  for (std::size_t i = 0; i < view.layout.args; ++i) {
    if (!call::is_written(p.args[i])) continue;
    std::int64_t elements = 1;
    for (int k = 0; k < p.args[i].rank; ++k)
      elements *=
          view.extent(static_cast<std::size_t>(p.arg_extents[static_cast<std::size_t>(p.args[i].first_extent + k)]));
    outcome.elements += static_cast<std::uint64_t>(elements);
    for (double bound : interpreted.report.bounds[i].of_element)
      outcome.unbounded += bound == interpreter::unbounded ? 1 : 0;
  }
}

std::string describe(const Way& way) {
  std::string text = std::string(known_names[static_cast<std::size_t>(way.known)]) + " " + way.features;
  if (way.small_caches) text += " small_caches";
  for (std::int64_t t : way.tunables) text += " " + std::to_string(t);
  return text + ": ";
}

// Runs the programs of the grid in three pieces, the last first, where their order must not matter.
Status run(const jit::Compiled& code, const Arguments& arguments, std::string_view kernel) {
  tessera_test::GuardedContext context;
  const std::uint64_t* frame = arguments.frame().data();
  const std::int64_t programs = code.host()(frame, &context);
  bool serial = false;
  for (const auto& [key, value] : code.program().attributes) serial |= key == "serial_grid" && value != 0;
  const std::int64_t a = serial ? 0 : programs / 3, b = serial ? 0 : programs - programs / 3;
  bool kept = b >= programs || context.run(code.entry(), frame, b, programs);
  kept &= a >= b || context.run(code.entry(), frame, a, b);
  kept &= a <= 0 || context.run(code.entry(), frame, 0, a);
  if (!kept) return {ErrorKind::internal, "bytes beside its scratch are written"};
  return context.status(kernel);
}

struct Planned {
  std::vector<std::int64_t> tunables;
  cpu::Machine machine;
  jit::Specialisation known;
};

Planned choose(const Sample& sample, const Way& way, const std::vector<std::uint64_t>& frame) {
  const ir::Program p = sample.program.view();
  Planned plan{{}, machine_of(way), specialisation(p, frame, way.known)};
  std::vector<std::optional<std::int64_t>> given(p.tunables.size());
  for (std::size_t i = 0; i < way.tunables.size(); ++i) given[i] = way.tunables[i];
  plan.tunables = cpu::choose_tunables(p, plan.known, given, plan.machine);
  return plan;
}

// One way. Gives false where it was refused.
bool check_way(const Sample& sample, const Way& way, const CheckOptions& options, Outcome& outcome) {
  const ir::Program p = sample.program.view();
  Arguments got(sample);
  const Planned choice = choose(sample, way, got.frame());
  const Interpreted interpreted(sample, choice.tunables);
  if (!interpreted.defined) {
    outcome.verdict = Verdict::discarded;
    outcome.text = std::string(to_string(interpreted.report.findings.front().kind));
    return false;
  }
  std::shared_ptr<jit::Compiled> code;
  try {
    const loop::Program planned = cpu::plan(p, choice.known, choice.tunables, choice.machine);
    if (const auto wrong = loop::verify(planned); !wrong.empty()) throw std::runtime_error("Loop IR: " + wrong.front());
    jit::CompileOptions compile;
    compile.features = way.features;
    compile.opt_level = options.opt_level >= 0 ? options.opt_level : sample.seed % 16 == 0 ? 2 : 0;
    compile.verify = options.verify;
    code = jit::compile_loop(planned, compile);
  } catch (const std::exception& e) {
    if (is_known_limit(e.what())) {
      ++outcome.refused_ways;
      outcome.text = reason(e.what());
      return false;
    }
    outcome.verdict = Verdict::broken;
    outcome.text = describe(way) + e.what();
    return false;
  }
  const Status status = run(*code, got, p.name);
  ++outcome.ran;
  const auto wrong = [&](const std::string& text) {
    outcome.verdict = Verdict::mismatch;
    outcome.text = describe(way) + text;
    return true;
  };
  if (std::string text = got.wrongly_written(interpreted.arguments); !text.empty()) return wrong(text);
  if (!interpreted.sound) {
    outcome.text = std::string(to_string(interpreted.report.findings.front().kind));
    return true;
  }
  if (status.ok() == interpreted.checks_fail)
    return wrong(interpreted.checks_fail ? "a check fails, and is not reported"
                                         : "it fails: " + std::string(status.text()));
  if (const auto all = interpreter::mismatches(p, interpreted.arguments.frame(), interpreted.report, got.frame(), 1);
      !all.empty())
    return wrong(all.front().text);
  count_elements(p, interpreted, outcome);
  ++outcome.compared;
  return true;
}

}  // namespace

Outcome check(const Sample& sample, const CheckOptions& options) {
  Outcome outcome;
  try {
    if (const ir::Defect defect = ir::verify(sample.program.view())) {
      outcome.verdict = Verdict::discarded;
      outcome.text = "verifier: " + defect.text.str();
      return outcome;
    }
    for (const Way& way : sample.ways) {
      if (!cpu::runs(way.features)) continue;
      if (!check_way(sample, way, options, outcome) && outcome.verdict != Verdict::agrees) return outcome;
      if (outcome.verdict == Verdict::mismatch) return outcome;
    }
    if (outcome.compared == 0) outcome.verdict = outcome.refused_ways > 0 ? Verdict::refused : Verdict::discarded;
  } catch (const std::exception& e) {
    outcome.verdict = Verdict::discarded;
    outcome.text = e.what();
  }
  return outcome;
}

std::string planned(const Sample& sample) {
  std::string text;
  const Arguments arguments(sample);
  for (const Way& way : sample.ways) {
    const Planned choice = choose(sample, way, arguments.frame());
    text += describe(way) + "\n" +
            loop::print(cpu::plan(sample.program.view(), choice.known, choice.tunables, choice.machine));
  }
  return text;
}

void prepare() { jit::llvm_backend(); }

}  // namespace fuzz
