// Owns the way from a variant to the interpreter: it runs as the variant's prologue; its entry reports what was found.
#include "jit/runtime/interpreted.hpp"

#include <cstdio>
#include <string>

#include "tessera/interpret.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

struct Interpreted {
  ir::Program program;
  std::vector<std::int64_t> tunables;
  bool checked = false;
};

/// What the last interpretation on this thread found, until its entry has reported it.
thread_local std::string found;

bool is_error(interpreter::FindingKind kind, bool checked) {
  using K = interpreter::FindingKind;
  return checked || kind == K::check || kind == K::expects || kind == K::limit || kind == K::configuration;
}

void run(const call::Variant& variant, const std::uint64_t* frame) {
  const auto& self = *static_cast<const Interpreted*>(variant.owner);
  interpreter::Options options;
  options.bounds = false;
  options.races = self.checked;
  options.most_iterations = INT64_MAX;
  found.clear();
  const interpreter::Report report =
      interpret(self.program, {frame, call::frame_layout(self.program).words()}, self.tunables, options);
  if (!report.output.empty()) std::fwrite(report.output.data(), 1, report.output.size(), stdout);
  for (const interpreter::Finding& finding : report.findings)
    if (is_error(finding.kind, self.checked)) {
      found = finding.text;
      return;
    }
}

std::int64_t one_program(const call::Variant&, const std::uint64_t*) { return 1; }

void report(const std::uint64_t*, std::int64_t, std::int64_t, Context* context) {
  if (!found.empty()) context->fail(context, 0, found.c_str());
}

}  // namespace

std::unique_ptr<BuiltVariant> interpreted_variant(const ir::Program& program, std::vector<std::int64_t> tunables,
                                                  bool checked) {
  auto self = std::make_shared<Interpreted>(Interpreted{program, std::move(tunables), checked});
  auto built = std::make_unique<BuiltVariant>();
  built->variant.entry = report;
  built->variant.prologue = run;
  built->variant.programs = one_program;
  built->variant.needs_context = true;
  built->variant.inline_limit = 1;
  built->variant.threads = 1;
  built->variant.owner = self.get();
  built->keep = std::move(self);
  return built;
}

}  // namespace jit
TESSERA_END
