// Owns the run of one case for the CPU target's tests, and tests that it finds what is wrong.
#include "tests/targets/cpu/support.hpp"

#include <cmath>
#include <cstdlib>
#include <exception>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <tuple>

#include "jit/loop/text.hpp"
#include "jit/loop/verify.hpp"
#include "jit/runtime/compile.hpp"
#include "jit/specialisation.hpp"
#include "targets/cpu/features.hpp"
#include "targets/cpu/plan/plan.hpp"
#include "tests/support/differential.hpp"
#include "tests/support/guarded_context.hpp"

namespace cpu_test {
namespace {

using tessera_test::Arguments;
using namespace tessera;

enum class Known { exact, unit_strides, nothing };
const char* text(Known k) {
  return k == Known::exact ? "all known" : k == Known::unit_strides ? "unit strides known" : "nothing known";
}

std::vector<std::optional<std::int64_t>> given(const Case& c) { return {c.tunables.begin(), c.tunables.end()}; }

jit::Specialisation specialisation(const Case& c, const std::vector<std::uint64_t>& frame, Known known) {
  auto spec = jit::Specialisation::generic(*c.program);
  const auto layout = call::frame_layout(*c.program);
  for (std::size_t w = layout.first_extent(); w < layout.words(); ++w) {
    const auto value = static_cast<std::int64_t>(frame[w]);
    const bool unit = w >= layout.stride_word(0) && (value == 0 || value == 1);
    if (known == Known::exact || (known == Known::unit_strides && unit)) spec.words[w] = value;
  }
  return spec;
}

loop::Program plan(const Case& c, const jit::Specialisation& spec, const cpu::Machine& machine) {
  const auto tunables = cpu::choose_tunables(*c.program, spec, given(c), machine);
  loop::Program p = cpu::plan(*c.program, spec, tunables, machine);
  const auto wrong = loop::verify(p);
  if (!wrong.empty()) throw std::runtime_error("Loop IR: " + wrong.front());
  return p;
}

jit::CompileOptions options(const std::string& features) {
  jit::CompileOptions o;
  o.features = features;
  o.verify = true;
  return o;
}

using GenericKey = std::tuple<const void*, std::string, Known, std::vector<std::int64_t>, std::vector<std::int64_t>>;

std::shared_ptr<jit::Compiled> compiled(const Case& c, const std::vector<std::uint64_t>& frame, Known known,
                                        const std::string& features) {
  static std::map<GenericKey, std::shared_ptr<jit::Compiled>> made;  // general code serves every shape
  const auto spec = specialisation(c, frame, known);
  std::vector<std::int64_t> known_words;
  for (const auto& w : spec.words) known_words.push_back(w.value_or(-1));
  const GenericKey key{c.program, features, known, c.tunables, known_words};
  if (const auto it = made.find(key); known != Known::exact && it != made.end()) return it->second;
  auto code = jit::compile_loop(plan(c, spec, cpu::machine(features, 1)), options(features));
  if (known != Known::exact) made[key] = code;
  return code;
}

}  // namespace

std::string run(const Case& c) {
  const std::string name(c.program->name);
  std::string wrong, shape;
  for (const auto& [extent, value] : c.extents) shape += " " + extent + "=" + std::to_string(value);
  try {
    Arguments reference(c);
    const auto report = interpret(*c.program, reference.frame(), c.tunables);
    if (!report.ok()) return name + shape + ": the interpreter: " + report.text();
    for (const std::string& features : {std::string("avx2"), std::string("sse2"), std::string("avx512")}) {
      if (!cpu::runs(features)) continue;
      for (Known known : {Known::exact, Known::unit_strides, Known::nothing}) {
        if (known == Known::exact && c.row_padding != 0 && features != "avx2") continue;  // general code saw the shape
        const std::string where = name + shape + " (" + features + ", " + text(known) + "): ";
        try {
          Arguments got(c);
          const auto code = compiled(c, got.frame(), known, features);
          const std::int64_t programs = code->host()(got.frame().data(), nullptr);
          tessera_test::GuardedContext context;
          const bool beside = !context.run(code->entry(), got.frame().data(), 0, programs);
          const std::string difference =
              beside ? "bytes beside its scratch are written" : got.compare(reference, report);
          if (difference.empty()) continue;
          wrong += where + difference + "\n";
          if (std::getenv("TESSERA_TEST_DUMP") != nullptr) wrong += loop::print(code->program());
        } catch (const std::exception& e) {
          wrong += where + e.what() + "\n";
        }
      }
    }
    if (!cpu::runs("avx512")) {
      for (Known known : {Known::exact, Known::nothing}) {
        try {
          plan(c, specialisation(c, reference.frame(), known), cpu::machine("avx512", 1));
        } catch (const std::exception& e) {
          wrong += name + shape + " (plan for avx512): " + e.what() + "\n";
        }
      }
    }
  } catch (const std::exception& e) {
    wrong += name + shape + ": " + e.what() + "\n";
  }
  return wrong;
}

std::string run_large(const Case& c, std::size_t output, double tolerance,
                      const std::function<double(const Arguments&, std::int64_t)>& expected) {
  std::string wrong;
  for (const char* features : {"avx2", "sse2", "avx512"}) {
    if (!cpu::runs(features)) continue;
    for (Known known : {Known::exact, Known::nothing}) {
      const std::string where = std::string(c.program->name) + " (" + features + ", " + text(known) + "): ";
      try {
        Arguments got(c);
        const auto code = jit::compile_loop(plan(c, specialisation(c, got.frame(), known), cpu::machine(features, 1)),
                                            options(features));
        tessera_test::GuardedContext context;
        if (!context.run(code->entry(), got.frame().data(), 0, code->host()(got.frame().data(), nullptr)))
          wrong += where + "bytes beside its scratch are written\n";
        const auto& a = c.program->args[output];
        std::mt19937_64 random(c.seed);
        std::int64_t elements = 1;
        const auto layout = call::frame_layout(*c.program);
        for (int d = 0; d < a.rank; ++d)
          elements *= static_cast<std::int64_t>(got.frame()[layout.extent_word(
              static_cast<std::size_t>(c.program->arg_extents[static_cast<std::size_t>(a.first_extent + d)]))]);
        for (int i = 0; i < 400; ++i) {
          const auto e = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(elements));
          const double x = to_double(a.type, load_packed(a.type, got.memory(output), static_cast<std::size_t>(e)));
          const double y = expected(got, e);
          if (std::abs(x - y) <= tolerance) continue;
          wrong +=
              where + "element " + std::to_string(e) + " is " + std::to_string(x) + ", not " + std::to_string(y) + "\n";
          break;
        }
      } catch (const std::exception& e) {
        wrong += where + e.what() + "\n";
      }
    }
  }
  return wrong;
}

std::string run_plans_of_others(const Case& c) {
  if (!cpu::runs("avx2")) return {};
  std::string wrong;
  try {
    Arguments reference(c);
    const auto report = interpret(*c.program, reference.frame(), c.tunables);
    if (!report.ok()) return std::string(c.program->name) + ": the interpreter: " + report.text();
    cpu::Machine wide = cpu::machine("avx512bf16", 1), narrow = cpu::machine("avx2", 1);
    wide.has_narrow_masks = false;  // LLVM does them a lane at a time, at length
    narrow.has_byte_dots = narrow.has_bf16_dots = true;
    for (cpu::Machine machine : {wide, narrow}) {
      machine.numerics = tessera::Numerics::fast;
      Arguments got(c);
      const auto spec = specialisation(c, got.frame(), Known::exact);
      const auto code = jit::compile_loop(plan(c, spec, machine), options("avx2"));
      const std::int64_t programs = code->host()(got.frame().data(), nullptr);
      tessera_test::GuardedContext context;
      if (!context.run(code->entry(), got.frame().data(), 0, programs))
        wrong += "bytes beside its scratch are written\n";
      const std::string difference = got.compare(reference, report);
      if (!difference.empty())
        wrong += std::to_string(machine.vector_bytes) + " bytes a vector, dots of groups: " + difference + "\n";
    }
  } catch (const std::exception& e) {
    wrong += std::string(c.program->name) + ": " + e.what() + "\n";
  }
  return wrong;
}

std::string assembly_for(const Case& c, const std::string& features) {
  Arguments arguments(c);
  auto o = options(features);
  o.load = false;
  cpu::Machine machine = cpu::machine(features, 1);
  machine.numerics = tessera::Numerics::fast;
  return jit::compile_loop(plan(c, specialisation(c, arguments.frame(), Known::exact), machine), o)->assembly();
}

std::string compile_avx512(const Case& c, const std::string& features) {
  try {
    Arguments arguments(c);
    auto o = options(features);
    o.load = false;
    cpu::Machine machine = cpu::machine(features, 1);
    if (machine.has_bf16_dots) machine.numerics = tessera::Numerics::fast;
    for (Known known : {Known::exact, Known::nothing}) {
      const auto code = jit::compile_loop(plan(c, specialisation(c, arguments.frame(), known), machine), o);
      if (code->object_bytes() == 0) return std::string(c.program->name) + ": no object";
    }
  } catch (const std::exception& e) {
    return std::string(c.program->name) + " (" + features + "): " + e.what();
  }
  return {};
}

}  // namespace cpu_test
