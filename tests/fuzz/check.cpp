// Owns the judgement of one sample: interpreted, compiled in each of its ways, run, compared.
#include "tests/fuzz/check.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <stdexcept>

#include "jit/loop/text.hpp"
#include "jit/runtime/compile.hpp"
#include "targets/cpu/features.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/interpret.hpp"
#include "tessera/ir/verify.hpp"
#include "tests/fuzz/arguments.hpp"
#include "tests/fuzz/ways.hpp"

namespace fuzz {
namespace {

using namespace tessera;
using interpreter::FindingKind;

struct Interpreted {
  Arguments arguments;
  interpreter::Report report;
  bool sound = true;    ///< nothing is wrong with the program
  bool defined = true;  ///< … or only what machine code need not give a value for, but must survive
  bool checks_fail = false;

  Interpreted(const Sample& sample, const std::vector<std::int64_t>& tunables, Numerics numerics) : arguments(sample) {
    interpreter::Options options;
    if (numerics == Numerics::fast) options.function_units = 4;
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

// The numbers of a text, sorted: a tile is one list for the interpreter, and a line a lane for machine code.
std::vector<std::string> numbers_of(const std::string& text) {
  std::vector<std::string> all;
  std::string word;
  for (char c : text + " ") {
    if (c == '-' || (c >= '0' && c <= '9')) {
      word += c;
    } else if (!word.empty()) {
      all.push_back(std::move(word));
      word.clear();
    }
  }
  std::sort(all.begin(), all.end());
  return all;
}

// What a run did wrong; empty where it is right. `got` began as the interpreter's arguments did.
std::string judge(const Sample& sample, const Interpreted& interpreted, const Arguments& got, const Ran& ran) {
  const ir::Program p = sample.program.view();
  if (!ran.beside.empty()) return ran.beside;
  if (!ran.wrong.empty() && interpreted.sound) return ran.wrong;
  if (std::string text = got.wrongly_written(interpreted.arguments); !text.empty()) return text;
  if (!interpreted.sound) return {};
  if (ran.status.ok() == interpreted.checks_fail)
    return interpreted.checks_fail ? "a check fails, and is not reported"
                                   : "it fails: " + std::string(ran.status.text());
  if (!interpreted.report.uncertain_control && numbers_of(ran.printed) != numbers_of(interpreted.report.output))
    return "it prints " + ran.printed.substr(0, 100) + ", not " + interpreted.report.output.substr(0, 100);
  const auto all = interpreter::mismatches(p, interpreted.arguments.frame(), interpreted.report, got.frame(), 1);
  return all.empty() ? std::string() : all.front().text;
}

// What machine code made in one order of additions, for the ways that must give the same bits.
struct OrderedResult {
  const Way& way;
  std::vector<std::int64_t> tunables;
  std::unique_ptr<Arguments> arguments;
};

// Whether both promise the same bits.
bool have_one_result(const OrderedResult& a, const OrderedResult& b) {
  return a.tunables == b.tunables && a.way.numerics == b.way.numerics &&
         (a.way.numerics == Numerics::strict || a.way.features == b.way.features);
}

// What differs between two such results, where the interpreter's bound promises anything; empty: nothing.
std::string judge_bits(const Sample& sample, interpreter::Report report, const OrderedResult& a,
                       const OrderedResult& b) {
  for (interpreter::Bounds& bounds : report.bounds)
    for (double& bound : bounds.of_element)
      if (bound < interpreter::unbounded) bound = 0;
  const auto all =
      interpreter::mismatches(sample.program.view(), a.arguments->frame(), report, b.arguments->frame(), 1);
  return all.empty() ? std::string() : "not the bits of " + describe(a.way) + all.front().text;
}

// One way. Gives false where it could not be compiled, or not be run to its end.
bool check_way(const Sample& sample, const Way& way, const CheckOptions& options, std::vector<OrderedResult>& ordered,
               Outcome& outcome) {
  auto arguments = std::make_unique<Arguments>(sample);
  const Arguments& got = *arguments;
  Choice choice;
  try {
    choice = choose(sample, way, got.frame());
  } catch (const std::exception& e) {
    outcome.verdict = Verdict::broken;
    outcome.text = describe(way) + e.what();
    return false;
  }
  const Interpreted interpreted(sample, choice.tunables, way.numerics);
  if (!interpreted.defined) {
    outcome.verdict = Verdict::discarded;
    outcome.text = std::string(to_string(interpreted.report.findings.front().kind));
    return false;
  }
  Ran ran;
  try {
    const loop::Program planned = plan(sample, choice);
    ran =
        cpu::runs(way.features) ? run_compiled(planned, sample, way, options, got) : run_planned(planned, sample, got);
  } catch (const std::exception& e) {
    outcome.verdict = Verdict::broken;
    outcome.text = describe(way) + e.what();
    return false;
  }
  if (!ran.complete) {
    outcome.text = "too many steps for the interpreter of Loop IR";
    return false;
  }
  ++outcome.ran;
  if (std::string text = judge(sample, interpreted, got, ran); !text.empty()) {
    outcome.verdict = Verdict::mismatch;
    outcome.text = describe(way) + text;
    return true;
  }
  if (!interpreted.sound) {
    outcome.text = std::string(to_string(interpreted.report.findings.front().kind));
    return true;
  }
  count_elements(sample.program.view(), interpreted, outcome);
  ++outcome.compared;
  if (!way.ordered() || !cpu::runs(way.features) || interpreted.report.uncertain_control) return true;
  ordered.push_back({way, choice.tunables, std::move(arguments)});
  for (const OrderedResult& other : ordered) {
    if (&other == &ordered.back() || !have_one_result(other, ordered.back())) continue;
    ++outcome.same_bits;
    std::string text = judge_bits(sample, interpreted.report, other, ordered.back());
    if (text.empty()) continue;
    outcome.verdict = Verdict::mismatch;
    outcome.text = describe(way) + text;
    return true;
  }
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
    std::vector<OrderedResult> ordered;
    for (const Way& way : sample.ways) {
      if (!cpu::runs(way.features) && way.features != "avx512") continue;
      if (!check_way(sample, way, options, ordered, outcome) && outcome.verdict != Verdict::agrees) return outcome;
      if (outcome.verdict == Verdict::mismatch) return outcome;
    }
    if (outcome.compared == 0) outcome.verdict = Verdict::discarded;
  } catch (const std::exception& e) {
    outcome.verdict = Verdict::discarded;
    outcome.text = e.what();
  }
  return outcome;
}

std::string planned(const Sample& sample) {
  std::string text;
  const Arguments arguments(sample);
  for (const Way& way : sample.ways)
    text += describe(way) + "\n" + loop::print(plan(sample, choose(sample, way, arguments.frame())));
  return text;
}

void prepare() { tessera::jit::llvm_backend(); }

}  // namespace fuzz
