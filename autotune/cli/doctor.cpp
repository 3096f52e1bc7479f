// Owns `tessera doctor`: what is here, what is missing, and what that costs. Absence is never a failure.
#include <algorithm>
#include <memory>

#include "autotune/cli/caches.hpp"
#include "autotune/cli/command.hpp"
#include "autotune/cli/probe.hpp"
#include "jit/target.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

/// One section of the report.
class Section {
 public:
  Section(Output& out, std::string name) : out_(out), name_(std::move(name)) { out_.line(name_); }
  void add(const std::string& item, bool present, const std::string& text, const std::string& cost) {
    std::string line = present ? "  here     " : "  missing  ";
    line.append(item).append(item.size() < 15 ? 15 - item.size() : 0, ' ').append(" ").append(one_line(text));
    out_.line(line);
    if (!present && !cost.empty()) out_.line("           " + std::string(15, ' ') + " costs: " + cost);
    Json one = Json::object({{"name", item}, {"present", present}, {"text", one_line(text)}});
    if (!present && !cost.empty()) one.set("cost", cost);
    items_.push(std::move(one));
    missing_ += present ? 0 : 1;
  }

  int missing() const { return missing_; }
  Json document() { return Json::object({{"name", name_}, {"items", std::move(items_)}}); }

 private:
  Output& out_;
  std::string name_;
  Json items_ = Json::list();
  int missing_ = 0;
};

bool has_target(std::string_view name) {
  const auto all = jit::targets();
  return std::any_of(all.begin(), all.end(), [&](const jit::Target* target) { return target->name() == name; });
}

void examine_cache(Section& section) {
  Caches caches({});
  const jit::StoreOptions& options = caches.objects().options();
  const std::string problem = caches.problem(), tuned_problem = caches.tuned().problem();
  const bool writable = problem.empty() && !options.read_only;
  section.add(
      "folder", writable, problem.empty() ? caches.folder() + (options.read_only ? ", only read" : "") : problem,
      problem.empty() ? "what is compiled and tuned here is not kept" : "every process compiles anew what it calls");
  const jit::StoreTotals objects = caches.objects().totals();
  section.add(
      "compiled code", true,
      counted(objects.entries, "object") + ", " + bytes_text(objects.bytes) + " of " + bytes_text(options.most_bytes),
      "");
  if (problem.empty() && !tuned_problem.empty()) {
    section.add("tuned", false, tuned_problem, "calls take the cost model's configuration, and tuning is not kept");
  } else {
    const autotune::TunedStore::Totals tuned = caches.tuned().totals();
    section.add("tuned", true,
                counted(tuned.keys, "shape") + ", " + counted(tuned.timings, "timing") + ", " +
                    std::to_string(tuned.stale) + " stale" +
                    (problem.empty() ? "; journal " + caches.tuned().journal() : ""),
                "");
  }
  for (const std::string& layer : options.layers) section.add("layer", true, layer + ", only read", "");
}

int examine(Output& out) {
  Json sections = Json::list();
  int missing = 0;
  const auto close = [&](Section& section) {
    missing += section.missing();
    sections.push(section.document());
  };
  out.line("tessera " TESSERA_VERSION);

  // Drivers are asked in child processes, which wants a process of one thread: before anything else starts some.
  const std::vector<Probe> libraries = probe_libraries(),
                           accelerators = probe_accelerators(has_target("cuda"), has_target("hip"));
  for (const jit::Target* target : jit::targets()) {
    Section section(out, "target " + std::string(target->name()));
    std::string why;
    const bool available = target->available(why);
    section.add("device", available, available ? target->describe() : why,
                "kernels run elsewhere, at worst in the interpreter");
    for (const jit::Fact& fact : target->inspect()) section.add(fact.name, fact.present, fact.value, fact.cost);
    close(section);
  }
  Section used(out, "libraries");
  for (const Probe& probe : libraries) used.add(probe.name, probe.found, probe.text, probe.cost);
  close(used);
  Section gpus(out, "accelerators");
  for (const Probe& probe : accelerators) gpus.add(probe.name, probe.found, probe.text, probe.cost);
  close(gpus);

  Section cache(out, "cache");
  examine_cache(cache);
  close(cache);

  out.line();
  out.line(missing == 0 ? "Nothing is missing."
                        : counted(static_cast<std::uint64_t>(missing), "thing") + (missing == 1 ? " is" : " are") +
                              " missing; kernels run without, at the cost that is said.");
  out.set("sections", std::move(sections));
  out.set("missing", missing);
  return exit_done;
}

}  // namespace

void add_doctor(Command& root) {
  Command command = root.command("doctor", "tells what is here, what is missing, and what that costs");
  command.example("tessera doctor",
                  "the processor, libraries, drivers and the cache; it never fails for what is absent");
  command.example("tessera doctor --json", "the same for programs: sections of items, each present or not");
  command.runs([](Output& out) { return examine(out); });
}

}  // namespace cli
TESSERA_END
