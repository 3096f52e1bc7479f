// Owns `tessera cache verify`: whether what is kept is whole. Damage is never used; this tells of it.
#include "autotune/cli/caches.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

int verify(const CacheOptions& o, Output& out) {
  Caches caches(o);
  if (const std::string problem = caches.problem(); !problem.empty()) out.line("no cache: " + problem);
  bool clean = true;
  Json layers = Json::list();
  for (const jit::VerifyReport& report : caches.objects().verify()) {
    clean = clean && report.clean();
    out.line("compiled code in " + report.layer + ": " + counted(report.entries, "object") + ", " +
             bytes_text(report.bytes) + ", " + (report.damaged == 0 ? "none" : std::to_string(report.damaged)) +
             " damaged, " + bytes_text(report.waste) + " that belong to none");
    Json notes = Json::list();
    for (const std::string& note : report.notes) {
      out.line("  " + one_line(note));
      notes.push(one_line(note));
    }
    layers.push(Json::object({{"layer", report.layer},
                              {"entries", report.entries},
                              {"bytes", report.bytes},
                              {"damaged", report.damaged},
                              {"waste", report.waste},
                              {"notes", std::move(notes)}}));
  }
  const std::vector<std::string> wrong = caches.tuned().verify();
  clean = clean && wrong.empty();
  out.line("tuned configurations: " + (wrong.empty() ? "whole" : counted(wrong.size(), "complaint")));
  Json tuned = Json::list();
  for (const std::string& text : wrong) {
    out.line("  " + one_line(text));
    tuned.push(one_line(text));
  }
  out.line(clean ? "Everything is whole." : "What is damaged is never used; tessera cache prune removes it.");
  out.set("clean", clean);
  out.set("objects", std::move(layers));
  out.set("tuned", std::move(tuned));
  return clean ? exit_done : exit_finding;
}

}  // namespace

void add_cache_verify(Command& cache) {
  auto o = std::make_shared<CacheOptions>();
  Command command = cache.command("verify", "checks every entry; exit code 1 where something is damaged");
  add_folder(command, *o);
  command.example("tessera cache verify && echo whole", "after a crash of the machine");
  command.runs([o](Output& out) { return verify(*o, out); });
}

}  // namespace cli
TESSERA_END
