// Owns the stages of a run, and the comparison with a bound.
#include "tests/conformance/run.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <stdexcept>

#include "jit/loop/text.hpp"
#include "jit/loop/verify.hpp"
#include "jit/runtime/compile.hpp"
#include "jit/runtime/run_context.hpp"
#include "jit/specialisation.hpp"
#include "targets/cpu/features.hpp"
#include "targets/cpu/plan/plan.hpp"
#include "targets/cpu/tuning.hpp"
#include "tessera/call/argument.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/ir/verify.hpp"
#include "tests/support/differential.hpp"

namespace conformance {

using namespace tessera;
using tessera_test::Arguments;
using tessera_test::Case;

namespace {

// ---- data ----

std::int64_t line_length(DType t) { return info(t).bits >= 64 ? 4096 : info(t).bits == 32 ? 8192 : 16384; }

std::map<std::string, std::int64_t> extents_of(const Recipe& recipe, DType t, bool large) {
  std::map<std::string, std::int64_t> e;
  const std::int64_t line = line_length(t);
  std::int64_t m = 1, n = 1, kk = 1;
  switch (recipe.shape) {
    case Shape::line:
      n = large ? line : recipe.op == Op::split || recipe.op == Op::merge ? 104 : 101;
      break;
    case Shape::rows:
      m = large ? 32 : 7, n = large ? line / 32 : 37;
      break;
    case Shape::shorts:
      m = large ? line / 16 : 37, n = 16;
      break;
    case Shape::product:
      m = large ? 72 : 19, n = large ? 64 : 23, kk = large ? 64 : 29;
      break;
    case Shape::pairs:
      n = large ? 256 : 23;
      break;
  }
  e["M"] = m, e["N"] = n, e["K"] = kk;
  e["G"] = n / 8, e["E"] = 8, e["T"] = 8, e["B"] = 256;
  e["P"] = n / 2, e["Q"] = n + n / 2;
  return e;
}

std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 31)) * 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 29)) * 0xBF58476D1CE4E5B9;
  return x ^ (x >> 32);
}

double value(DType t, Data data, std::uint64_t random) {
  const DTypeInfo& i = info(t);
  const double u = static_cast<double>(random >> 11) * 0x1p-53;
  const auto below = [&](std::uint64_t n) { return static_cast<double>(random % n); };
  if (i.is_boolean()) return below(2);
  if (data == Data::few) return below(i.bits < 8 && i.is_signed_integer() ? 2 : 3);
  if (data == Data::rare) return random % 64 != 0 ? 0 : i.has_sign && (random & 64) != 0 ? -1 : 1;
  if (data == Data::ones) return i.has_sign && (random & 1) != 0 ? -1 : 1;
  if (i.is_floating()) return data == Data::positive || !i.has_sign ? 0.5 + 1.5 * u : 2 * u - 1;
  if (data == Data::positive) return 1 + below(3);
  if (!i.has_sign) return below(i.bits < 8 ? 4 : 16);
  return i.bits < 8 ? below(5) - 2 : below(15) - 7;
}

Case case_of(const Recipe& recipe, const ir::Program& p, DType t, bool large) {
  Case c;
  c.program = &p;
  c.extents = extents_of(recipe, t, large);
  const auto length = static_cast<std::uint64_t>(c.extents.at("N"));
  for (std::size_t a = 0; a < p.args.size(); ++a) {
    const std::string name(p.str(p.args[a].name));
    const DType type = p.args[a].type;
    const std::uint64_t salt = 1000003 * (a + 1);
    if (name == "i") {
      c.data[name] = [length](std::int64_t e) {  // 7919 is prime and divides none of the lengths
        return static_cast<double>(static_cast<std::uint64_t>(e) * 7919 % length);
      };
    } else if (name == "g" || name == "h") {
      const std::uint64_t limit = name == "g" ? length : 256;
      c.data[name] = [salt, limit](std::int64_t e) {
        return static_cast<double>(mix(static_cast<std::uint64_t>(e) + salt) % limit);
      };
    } else {
      const Data data = name == "y" ? recipe.y : recipe.x;
      c.data[name] = [type, data, salt](std::int64_t e) {
        return value(type, data, mix(static_cast<std::uint64_t>(e) + salt));
      };
    }
  }
  return c;
}

// ---- compilation ----

jit::Specialisation exact(const ir::Program& p, const std::vector<std::uint64_t>& frame) {
  jit::Specialisation s = jit::Specialisation::generic(p);
  for (std::size_t w = call::frame_layout(p).first_extent(); w < frame.size(); ++w)
    s.words[w] = static_cast<std::int64_t>(frame[w]);
  return s;
}

struct Planned {
  std::vector<std::int64_t> tunables;
  loop::Program program;
};

Planned plan(const ir::Program& p, const std::vector<std::uint64_t>& frame, const std::string& features) {
  const jit::Specialisation known = exact(p, frame);
  const cpu::Machine machine = cpu::machine(features, 1);
  Planned planned;
  planned.tunables =
      cpu::choose_tunables(p, known, std::vector<std::optional<std::int64_t>>(p.tunables.size()), machine);
  planned.program = cpu::plan(p, known, planned.tunables, machine);
  if (const auto wrong = loop::verify(planned.program); !wrong.empty())
    throw std::runtime_error("Loop IR: " + wrong.front());
  return planned;
}

/// A run's context that keeps what is printed.
struct Printing : jit::RunContext {
  Printing() {
    print = [](Context* self, const char* format, const std::uint64_t* values, const std::uint8_t* types,
               std::int64_t count) {
      std::string line(format);
      for (std::int64_t i = 0; i < count; ++i)
        if (const auto at = line.find("{}"); at != std::string::npos)
          line.replace(at, 2, call::number_text(static_cast<DType>(types[i]), values[i]));
      static_cast<Printing*>(self)->printed += line + '\n';
    };
  }
  std::string printed;
};

// ---- rates ----

double seconds(const std::function<void()>& f, int times) {
  const auto from = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) f();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - from).count() / times;
}

std::string best_features() { return cpu::runs("avx512") ? "avx512" : cpu::runs("avx2") ? "avx2" : "sse2"; }

double clock_rate() {
  static const double hertz = [] {
    const cpu::Machine m = cpu::machine(best_features(), 1);
    return cpu::measured_roof(m).operations / (m.vector_bytes / 4.0 * (m.has_fma ? 4 : 2));
  }();
  return hertz;
}

/// Bytes that a call reads and writes, each array once, an InOut twice.
std::size_t bytes_moved(const Case& c) {
  const ir::Program& p = *c.program;
  double bits = 0;
  for (const ir::Arg& a : p.args) {
    if (a.effect == ir::Effect::scalar || !call::is_parameter(a)) continue;
    double elements = a.effect == ir::Effect::inout ? 2 : 1;
    for (int d = 0; d < a.rank; ++d) {
      const ir::Extent& e =
          p.extents[static_cast<std::size_t>(p.arg_extents[static_cast<std::size_t>(a.first_extent + d)])];
      elements *= static_cast<double>((c.extents.at(std::string(p.str(e.base))) + e.plus + e.divide - 1) / e.divide);
    }
    bits += elements * info(a.type).bits;
  }
  return static_cast<std::size_t>(bits / 8);
}

/// Elements of the largest array.
double elements_of(const Case& c) {
  double most = 1;
  const ir::Program& p = *c.program;
  for (const ir::Arg& a : p.args) {
    double elements = 1;
    for (int d = 0; d < a.rank; ++d) {
      const ir::Extent& e =
          p.extents[static_cast<std::size_t>(p.arg_extents[static_cast<std::size_t>(a.first_extent + d)])];
      elements *= static_cast<double>((c.extents.at(std::string(p.str(e.base))) + e.plus + e.divide - 1) / e.divide);
    }
    most = std::max(most, elements);
  }
  return most;
}

bool is_narrow_float(DType t) { return info(t).is_floating() && info(t).bits < 32; }

/// Seconds an element that our conversion between a narrow float and f32 takes.
double conversion(DType t, bool encodes);

struct Compared {
  double ratio;
  Against against;
};

/// Times both in turn: the median of five ratios.
Compared compare_rate(const Recipe& recipe, const Case& c, DType t, const Width& width,
                      const std::function<void()>& ours) {
  constexpr std::size_t room = std::size_t{1} << 20;
  alignas(64) static std::array<std::byte, room> from, to;
  const std::size_t half = std::min(bytes_moved(c) / 2, room);
  const auto copy = [&] {
    std::memcpy(to.data(), from.data(), half);
    asm volatile("" : : "r"(to.data()) : "memory");
  };
  double passes = 1, fixed = 0;
  Against against = Against::copy, fixed_against = Against::formula;
  const double elements = elements_of(c), cycle = 1 / clock_rate();
  const int vector = cpu::machine(best_features(), 1).vector_bytes;
  const double lanes = vector / std::max(4.0, info(t).bits / 8.0);  // narrow floats are computed in f32
  switch (recipe.bound) {
    case Bound::copy:
      break;
    case Bound::formula: {
      const double wide = info(t).is_floating() ? lanes : vector / std::max(1.0, info(t).bits / 8.0);
      fixed = recipe.work(t) * elements / wide / 2 * cycle;
      break;
    }
    case Bound::products:
      fixed = static_cast<double>(c.extents.at("M") * c.extents.at("N") * c.extents.at("K")) / lanes / 2 * cycle;
      break;
    case Bound::lanes:
      fixed = recipe.work(t) * elements * cycle;
      fixed_against = Against::lanes;
      break;
    case Bound::passes:
      passes = std::ceil(std::log2(static_cast<double>(c.extents.at("N"))));
      against = Against::passes;
      break;
  }
  if (recipe.op != Op::cast && recipe.bound != Bound::products) {
    double converting = 0;
    for (const ir::Arg& a : c.program->args) {
      if (!is_narrow_float(a.type) || a.rank == 0) continue;
      const bool read = a.effect != ir::Effect::out;
      if (read && width.decodes) converting += conversion(a.type, false) * elements;
      if (!read && width.encodes) converting += conversion(a.type, true) * elements;
    }
    if (converting > fixed) fixed = converting, fixed_against = Against::conversions;
  }
  ours(), copy();
  const int times = std::clamp(static_cast<int>(1e-4 / std::max(seconds(ours, 1), 1e-9)), 1, 1000);
  const int copies = std::clamp(static_cast<int>(1e-4 / std::max(seconds(copy, 10), 1e-9)), 1, 10000);
  std::vector<double> ratios;
  for (int i = 0; i < 5; ++i) {
    const double mine = seconds(ours, times), bytes = seconds(copy, copies) * passes;
    if (i == 0 && fixed > bytes) against = fixed_against;
    ratios.push_back(std::max(bytes, fixed) / mine);
  }
  std::sort(ratios.begin(), ratios.end());
  return {ratios[2], against};
}

// ---- one run ----

/// Runs the code of a plan on `arguments`; gives the number of the grid's programs.
std::int64_t execute(const jit::Compiled& code, const Arguments& arguments, Printing& context) {
  const std::int64_t programs = code.host()(arguments.frame().data(), &context);
  context.run(code.entry(), arguments.frame().data(), 0, programs);
  return programs;
}

std::shared_ptr<jit::Compiled> compile(const loop::Program& program, const std::string& features, bool load) {
  jit::CompileOptions options;
  options.features = features;
  options.load = load;
  return jit::compile_loop(program, options);
}

/// Interprets, compiles, executes and compares on one size of data; gives what is wrong.
std::string check(const Recipe& recipe, const ir::Program& p, DType t, bool large, const RunOptions& options,
                  Result& result) {
  const Case c = case_of(recipe, p, t, large);
  result.ways.clear();
  result.thorough = large;
  std::unique_ptr<Arguments> reference;
  interpreter::Report report;
  std::vector<std::int64_t> interpreted_with;
  for (const std::string& features : options.features) {
    Way& way = result.ways.emplace_back();
    way.features = features;
    Arguments got(c);
    const Planned planned = plan(p, got.frame(), features);
    way.width = width_of(planned.program, cpu::machine(features, 1).vector_bytes * 8);
    if (std::getenv("TESSERA_TEST_DUMP") != nullptr) std::printf("%s\n", loop::print(planned.program).c_str());
    const bool runs = cpu::runs(features);
    if (!runs && !large && options.thorough) {  // compiled once, with the larger data
      way.compiled = true;
      continue;
    }
    const auto code = compile(planned.program, features, runs);
    way.compiled = code->object_bytes() > 0;
    if (!runs) continue;
    // The numbers of programs are part of some results, and hang on the cuts.
    if (!reference || planned.tunables != interpreted_with) {
      reference = std::make_unique<Arguments>(c);
      interpreter::Options interpreting;
      interpreting.races = !large;
      report = interpret(p, reference->frame(), planned.tunables, interpreting);
      interpreted_with = planned.tunables;
    }
    if (!report.ok()) return "the interpreter: " + report.text();
    result.interpreted = true;
    Printing context;
    execute(*code, got, context);
    if (const Status status = context.status(p.name); !status.ok()) return features + ": " + std::string(status.text());
    if (std::string text = got.compare(*reference, report); !text.empty()) return features + ": " + text;
    if (context.printed != report.output)
      return features + ": it prints " + context.printed + "the interpreter " + report.output;
    way.executed = true;
    if (!large || features != options.features.front()) continue;
    const std::int64_t programs = code->host()(got.frame().data(), &context);
    const std::uint64_t* frame = got.frame().data();
    const bool clears = std::any_of(p.args.begin(), p.args.end(), [](const ir::Arg& a) { return a.accumulated; });
    const Compared rate = compare_rate(recipe, c, t, way.width, [&] {
      if (clears) code->host()(frame, &context);
      context.run(code->entry(), frame, 0, programs);
    });
    result.rate = rate.ratio;
    result.against = rate.against;
  }
  return {};
}

double conversion(DType t, bool encodes) {
  static std::map<std::pair<DType, bool>, double> known;
  const auto it = known.find({t, encodes});
  if (it != known.end()) return it->second;
  const DType from = encodes ? DType::f32 : t, to = encodes ? t : DType::f32;
  const Recipe recipe = cast_recipes(to).front();
  const ir::Storage s = ir::record("conversion", [&](Kernel k) { recipe.body(k, from); });
  const ir::Program p = s.view();
  Case c = case_of(recipe, p, t, true);
  const Arguments arguments(c);
  const std::string features = best_features();
  const auto code = compile(plan(p, arguments.frame(), features).program, features, true);
  Printing context;
  const std::int64_t programs = execute(*code, arguments, context);
  std::vector<double> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(seconds([&] { context.run(code->entry(), arguments.frame().data(), 0, programs); }, 20));
  std::sort(all.begin(), all.end());
  return known[{t, encodes}] = all[2] / elements_of(c);
}

}  // namespace

Result run(const Recipe& recipe, DType type, const RunOptions& options) {
  Result result;
  result.type = type;
  ir::Storage storage;
  try {
    storage = ir::record(ir::info(recipe.op).text, [&](Kernel k) { recipe.body(k, type); });
  } catch (const UserError& e) {
    result.refusal = e.what();
    return result;
  }
  const ir::Program p = storage.view();
  if (const ir::Defect defect = ir::verify(p)) {
    result.refusal = defect.text.str();
    return result;
  }
  result.recorded = true;
  if (std::none_of(p.nodes.begin(), p.nodes.end(), [&](const ir::Node& n) { return n.op == recipe.op; })) {
    result.wrong = "the recipe has no " + std::string(ir::info(recipe.op).text);
    return result;
  }
  try {
    for (const bool large : {false, true})
      if (result.wrong.empty() && (!large || options.thorough))
        result.wrong = check(recipe, p, type, large, options, result);
  } catch (const std::exception& e) {
    result.wrong = e.what();
  }
  return result;
}

}  // namespace conformance
