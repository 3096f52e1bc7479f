// Owns the stages of a compilation, in order.
#include "jit/runtime/pipeline.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "jit/cache/object_store.hpp"
#include "jit/loop/text.hpp"
#include "jit/runtime/configuration_source.hpp"
#include "jit/runtime/dump.hpp"
#include "jit/runtime/interpreted.hpp"
#include "jit/runtime/log.hpp"
#include "jit/runtime/object_key.hpp"
#include "jit/runtime/run_context.hpp"
#include "jit/runtime/statistics.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/call/uniform.hpp"
#include "tessera/ir/text.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

double now() {
  using namespace std::chrono;
  return duration<double, std::milli>(steady_clock::now().time_since_epoch()).count();
}

// The host function clears what += starts from and counts the grid.
std::int64_t count_programs(const call::Variant& variant, const std::uint64_t* frame) {
  RunContext context;
  return static_cast<const BuiltVariant*>(variant.owner)->code->host()(frame, &context);
}

std::int64_t attribute(const loop::Program& program, std::string_view name, std::int64_t otherwise) {
  for (const auto& [key, value] : program.attributes)
    if (key == name) return value;
  return otherwise;
}

// The programs of the grid of a call, as the kernel writes it; 0 where that depends on memory. Planning may cut
// differently: this is for guesses.
std::int64_t written_grid(const ir::Program& program, const std::uint64_t* frame,
                          const std::vector<std::int64_t>& tunables) {
  double total = 1;
  for (const ir::Node& node : program.nodes) {
    const auto value = [&](int operand) {
      const std::int32_t id = program.operand(node, operand);
      if (call::uniformity(program, id) == call::Uniformity::no) return std::int64_t{0};
      const call::Uniform u = call::evaluate_uniform(program, id, frame, tunables);
      return u.defined ? u.integer() : std::int64_t{0};
    };
    if (node.op == ir::Op::grid_index) {
      total *= static_cast<double>(value(0));
    } else if (node.op == ir::Op::grid_block) {
      const std::int64_t cut = value(0);
      if (cut <= 0) return 0;
      const std::int64_t length = node.count == 4 ? value(3)
                                                  : call::FrameView{frame, call::frame_layout(program)}.extent(
                                                        static_cast<std::size_t>(program.axes[node.axes[0]].extent));
      total *= static_cast<double>(length / cut + (length % cut != 0));
    }
  }
  return static_cast<std::int64_t>(std::clamp(total, 0.0, 1e18));
}

bool region_needs_context(const loop::Region& region) {
  for (const loop::Inst& inst : region.body) {
    if (inst.op == loop::Op::alloc || inst.op == loop::Op::print || inst.op == loop::Op::fail) return true;
    for (const loop::Region& inner : inst.regions)
      if (region_needs_context(inner)) return true;
  }
  return false;
}

}  // namespace

bool needs_context(const loop::Program& program) {
  if (attribute(program, "calls", 0) != 0) return true;
  return std::any_of(program.functions.begin(), program.functions.end(), [](const loop::Function& f) {
    return f.kind != loop::FunctionKind::host && region_needs_context(f.body);
  });
}

GridShape grid_shape(const ir::Program& program, const std::uint64_t* frame, std::int64_t programs) {
  // Bytes of the arrays, times what loops and costly operations do with each of them: in units of about 50 ps.
  const call::FrameView view{frame, call::frame_layout(program)};
  double bytes = 0;
  for (const ir::Arg& arg : program.args) {
    if (!call::is_parameter(arg) || !call::is_array(arg)) continue;
    double size = info(arg.type).bits / 8.0;
    for (int axis = 0; axis < arg.rank; ++axis)
      size *= static_cast<double>(view.extent(
          static_cast<std::size_t>(program.arg_extents[static_cast<std::size_t>(arg.first_extent + axis)])));
    bytes += size;
  }
  double weight = 1;
  for (const ir::Node& node : program.nodes) {
    const ir::OpClass c = info(node.op).op_class;
    if (node.op == ir::Op::dot || node.op == ir::Op::while_loop || node.op == ir::Op::for_range)
      weight = std::max(weight, 16.0);
    else if (c == ir::OpClass::reduction || c == ir::OpClass::scan || node.op == ir::Op::for_blocks)
      weight = std::max(weight, 4.0);
  }
  const double work = std::max(1.0, bytes * weight);
  constexpr double small = 128 << 10;  // some microseconds: what waking a thread costs
  GridShape shape;
  const double each = work / static_cast<double>(std::max<std::int64_t>(programs, 1));
  shape.grain = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(small / 4 / each, 1e9)));
  shape.inline_limit = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::min(small / each, 1e9)));
  return shape;
}

namespace {

std::unique_ptr<BuiltVariant> interpret_instead(const ir::Program& program, const Config* config) {
  std::vector<std::int64_t> tunables(program.tunables.size(), 16);
  for (std::size_t i = 0; config && i < tunables.size(); ++i)
    for (const Tuned& tuned : config->tunables)
      if (program.str(program.tunables[i].name) == tuned.name) tunables[i] = tuned.value;
  return interpreted_variant(program, std::move(tunables), config && config->checked);
}

// What a launch needs to know of code, beside the code.
struct CodeFacts {
  bool needs_context = true, serial_grid = false;
  std::int64_t programs = -1;  // of the grid, where planning knows

  static CodeFacts of(const loop::Program& planned) {
    return {jit::needs_context(planned), attribute(planned, "serial_grid", 0) != 0, attribute(planned, "programs", -1)};
  }
};

std::string choices_text(const PlanRequest& request) {
  const ir::Program& program = request.program;
  std::string text;
  for (std::size_t i = 0; i < program.tunables.size(); ++i)
    text.append(text.empty() ? "" : " ")
        .append(program.str(program.tunables[i].name))
        .append("=")
        .append(std::to_string(request.tunables[i]));
  for (const Tuned& choice : request.choices)
    text.append(text.empty() ? "" : " ").append(choice.name).append("=").append(std::to_string(choice.value));
  return text;
}

// The object's notes, in and out.
std::vector<Field> notes_of(const PlanRequest& request, const CodeImage& image, const CodeFacts& facts,
                            double milliseconds) {
  return {{"kernel", std::string(request.program.name)},
          {"known", request.known.describe(request.program)},
          {"choices", choices_text(request)},
          {"milliseconds", std::to_string(milliseconds)},
          {"entry", image.entry},
          {"host", image.host},
          {"needs context", facts.needs_context ? "1" : "0"},
          {"serial grid", facts.serial_grid ? "1" : "0"},
          {"programs", std::to_string(facts.programs)}};
}

CodeFacts facts_of(const StoredObject& object) {
  return {object.note("needs context") != "0", object.note("serial grid") == "1",
          std::strtoll(std::string(object.note("programs")).c_str(), nullptr, 10)};
}

// Code from the cache, or nothing: then `why` may say what was wrong with it.
std::unique_ptr<BuiltVariant> load_variant(const Target& target, const PlanRequest& request, const ObjectKey& key,
                                           CodeFacts& facts, std::string& why) {
  const double start = now();
  const auto object = ObjectStore::process().get(key, &why);
  if (!object) return nullptr;
  auto built = std::make_unique<BuiltVariant>();
  try {
    built->code = target.load({object->image, std::string(object->note("entry")), std::string(object->note("host"))});
  } catch (const Error& e) {
    why = e.what();
    return nullptr;
  }
  facts = facts_of(*object);
  record_load();
  if (logs(LogLevel::info)) {
    char time[64];
    std::snprintf(time, sizeof time, ": %.3f ms, %zu bytes", now() - start, built->code->bytes());
    log(LogLevel::info, "loaded " + std::string(request.program.name) + " for " + request.features + " " +
                            choices_text(request) + ", for " + request.known.describe(request.program) + time);
  }
  return built;
}

std::unique_ptr<BuiltVariant> make_variant(const Target& target, const PlanRequest& request, const ObjectKey& key,
                                           CodeFacts& facts) {
  const ir::Program& program = request.program;
  const std::string kernel(program.name);
  if (std::string why; !target.can_compile(why)) throw DeviceError(why);
  const double start = now();
  const bool dumps = !dump_folder().empty();
  std::vector<Stage> stages;
  if (dumps) stages.push_back({"tile", ir::to_text(program)});
  const loop::Program planned = target.plan(request, [&](const char* pass, const ir::Program& p) {
    if (dumps) stages.push_back({pass, ir::to_text(p)});
  });
  const double planned_at = now();
  auto built = std::make_unique<BuiltVariant>();
  built->code = target.compile(planned, request);
  const double end = now();
  facts = CodeFacts::of(planned);
  try {
    if (ObjectStore& store = ObjectStore::process(); !store.options().off)
      if (const CodeImage image = built->code->image(); !image.bytes.empty())
        (void)store.put(key, notes_of(request, image, facts, end - start), image.bytes);
  } catch (const std::exception& e) {  // the code runs all the same
    log(LogLevel::info, kernel + " is not cached: " + e.what());
  }

  const std::string choices = choices_text(request);
  const std::string what = std::string(target.name()) + " " + request.features + (choices.empty() ? "" : " ") +
                           choices + ", for " + request.known.describe(program);
  record({kernel, std::string(target.name()), request.features, request.known.describe(program), choices, end - start,
          planned_at - start, built->code->bytes(), request.threads});
  if (logs(LogLevel::info)) {
    const StageTimes t = built->code->times();
    char times[160];
    std::snprintf(times, sizeof times, ": %.2f ms (plan %.2f, emit %.2f, codegen %.2f, link %.2f), %zu bytes",
                  end - start, planned_at - start, t.emit, t.codegen, t.link, built->code->bytes());
    log(LogLevel::info, "compiled " + kernel + " for " + what + times);
  }
  if (dumps) {
    stages.push_back({"loop", loop::print(planned)});
    for (Stage& stage : built->code->stages()) stages.push_back(std::move(stage));
    const std::string place = write_dump(dump_folder(), kernel, what, stages);
    if (!place.empty()) log(LogLevel::info, "dumped " + kernel + " into " + place);
  }
  return built;
}

// Of all threads and processes that need an object, one makes it; a dump shows how it is made, so it is made.
std::unique_ptr<BuiltVariant> load_or_make(const Target& target, const PlanRequest& request, CodeFacts& facts) {
  const ObjectKey key = object_key(target, request);
  std::string why;
  if (!dump_folder().empty()) return make_variant(target, request, key, facts);
  if (auto built = load_variant(target, request, key, facts, why)) return built;
  ObjectStore& store = ObjectStore::process();
  const auto lock = store.lock(key);
  if (auto built = load_variant(target, request, key, facts, why)) return built;
  if (logs(LogLevel::info) && !store.options().off)
    log(LogLevel::info, std::string(request.program.name) + " is not in the cache: " + store.explain(key));
  return make_variant(target, request, key, facts);
}

// Tunables that were measured elsewhere are advice: what does not fit the program, or is not legal, is left.
void use_tuned(const Target& target, const std::vector<Tuned>& found, PlanRequest& request, const Config* config) {
  Config tuned = config ? *config : Config{};
  tuned.tunables = found;
  if (!call::check_config(request.program, tuned)) return;
  PlanRequest wanted = request;
  wanted.tunables = target.tunables(request.program, request.known, &tuned);
  wanted.choices = choices_of(&tuned);
  if (target.legal(wanted).empty()) request = std::move(wanted);
}

std::unique_ptr<BuiltVariant> compile_variant(const Target& target, const ir::Program& program,
                                              const Specialisation& known, const std::uint64_t* frame,
                                              const Config* config) {
  const std::string kernel(program.name);
  PlanRequest request;
  request.program = program;
  request.known = known;
  request.features = config && !config->features.empty() ? config->features : target.features().front();
  request.threads = config ? config->threads : 0;
  request.checked = config && config->checked;
  request.numerics = config ? config->numerics : Numerics::standard;
  request.deterministic = config && config->deterministic;
  request.tunables = target.tunables(program, known, config);
  request.choices = choices_of(config);
  if (!config || config->tunables.empty())
    if (const auto found =
            ask_configuration({program, known, frame, target, request.features, request.threads, config}))
      use_tuned(target, *found, request, config);
  if (std::string why = target.legal(request); !why.empty()) throw UserError(kernel + ": " + why);

  CodeFacts facts;
  auto built = load_or_make(target, request, facts);
  call::Variant& variant = built->variant;
  variant.entry = built->code->entry();
  variant.owner = built.get();
  variant.needs_context = facts.needs_context;
  variant.threads = request.threads;
  if (built->code->host()) variant.programs = count_programs;
  if (facts.serial_grid) {
    variant.threads = 1;
    variant.inline_limit = INT64_MAX;
  } else {
    const std::int64_t programs = facts.programs >= 0 ? facts.programs : written_grid(program, frame, request.tunables);
    const GridShape shape = grid_shape(program, frame, programs > 0 ? programs : 64);
    variant.inline_limit = shape.inline_limit;
    variant.grain = shape.grain;
  }
  return built;
}

}  // namespace

std::unique_ptr<BuiltVariant> build_variant(const ir::Program& program, const Specialisation& known,
                                            const std::uint64_t* frame, const Config* config) {
  const std::string name = config ? config->target : "";
  if (name == "interpreter" || (config && config->checked)) return interpret_instead(program, config);
  if (!name.empty()) return compile_variant(find_target(name), program, known, frame, config);
  const Target* target = nullptr;
  try {
    target = &find_target("");
  } catch (const DeviceError& e) {
    say_once(std::string(e.what()) + "\n  kernels run in the interpreter, which is slow");
    return interpret_instead(program, config);
  }
  try {
    return compile_variant(*target, program, known, frame, config);
  } catch (const InternalError& e) {  // a kernel that the target cannot plan yet
    say_once(std::string(e.what()) + "\n  it runs in the interpreter, which is slow");
    return interpret_instead(program, config);
  } catch (const DeviceError& e) {  // nothing can be compiled here, and no cache has it
    say_once(std::string(e.what()) + "\n  kernels run in the interpreter, which is slow");
    return interpret_instead(program, config);
  }
}

}  // namespace jit
TESSERA_END
