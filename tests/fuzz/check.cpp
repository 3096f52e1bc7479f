// Owns the judgement of one sample: interpreted, compiled in each of its ways, run, compared.
#include "tests/fuzz/check.hpp"

#include <algorithm>
#include <exception>
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

// One way. Gives false where it could not be compiled, or not be run to its end.
bool check_way(const Sample& sample, const Way& way, const CheckOptions& options, Outcome& outcome) {
  Arguments got(sample);
  Choice choice;
  try {
    choice = choose(sample, way, got.frame());
  } catch (const std::exception& e) {
    outcome.verdict = Verdict::broken;
    outcome.text = describe(way) + e.what();
    return false;
  }
  const Interpreted interpreted(sample, choice.tunables);
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
      if (!cpu::runs(way.features) && way.features != "avx512") continue;
      if (!check_way(sample, way, options, outcome) && outcome.verdict != Verdict::agrees) return outcome;
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
