// Owns `tessera cache show`: everything that is known of one entry.
#include <algorithm>

#include "autotune/cli/caches.hpp"
#include "autotune/cli/table.hpp"
#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

/// A value of a key as text: what nobody can read is told by its length.
std::string readable(const std::string& value) {
  const bool plain = std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c != 0x7f; });
  return plain && value.size() <= 200 ? value : bytes_text(value.size());
}

void show_object(const jit::ObjectEntry& entry, Output& out) {
  out.line("object " + identity(entry.key) + " in " + entry.layer);
  out.line("  key, every field of which must agree:");
  Json key = Json::object(), notes = Json::object();
  Table fields({"field", "value"}), noted({"note", "value"});
  for (const jit::Field& field : entry.key.fields()) {
    fields.add({field.name, readable(field.value)});
    key.set(field.name, readable(field.value));
  }
  for (const jit::Field& field : entry.info) {
    noted.add({field.name, readable(field.value)});
    notes.set(field.name, readable(field.value));
  }
  noted.add({"bytes of code", std::to_string(entry.image_bytes)});
  noted.add({"used", moment_text(entry.used)});
  for (const std::string& line : fields.lines("    ")) out.line(line);
  out.line("  beside it:");
  for (const std::string& line : noted.lines("    ")) out.line(line);
  out.set("object", Json::object({{"id", identity(entry.key)},
                                  {"layer", entry.layer},
                                  {"key", std::move(key)},
                                  {"notes", std::move(notes)},
                                  {"image_bytes", entry.image_bytes},
                                  {"used", entry.used}}));
}

void show_tuned(const autotune::TunedKey& key, const std::vector<autotune::Timing>& timings, Output& out) {
  out.line("tuned shape " + identity(key));
  Table fields({"field", "value"});
  fields.add({"kernel", key.kernel});
  fields.add({"program", key.program});
  fields.add({"extents", autotune::text(key.extents)});
  fields.add({"types", key.types});
  fields.add({"device", key.device});
  fields.add({"threads", std::to_string(key.threads)});
  if (!key.mode.empty()) fields.add({"mode", key.mode});
  for (const std::string& line : fields.lines()) out.line(line);
  out.line("  " + counted(timings.size(), "configuration") + ", fastest first:");
  Table table({"configuration", "time", "interval", "runs", "outcome", "measured"});
  Json list = Json::list();
  for (const autotune::Timing& t : timings) {
    const bool ok = t.outcome == autotune::Outcome::ok;
    table.add({autotune::text(t.configuration), ok ? seconds_text(t.seconds) : "",
               ok ? seconds_text(t.low) + " to " + seconds_text(t.high) : "", std::to_string(t.runs),
               std::string(autotune::name(t.outcome)) + (t.chosen ? ", chosen" : "") +
                   (t.note.empty() ? "" : ": " + one_line(t.note)),
               moment_text(t.when) + (t.stale ? ", stale" : "")});
    list.push(timing_document(t));
  }
  for (const std::string& line : table.lines("    ")) out.line(line);
  Json document = Json::object({{"id", identity(key)}});
  document.set("key", key_document(key));
  document.set("timings", std::move(list));
  out.set("tuned", std::move(document));
}

int show(const CacheOptions& o, const std::string& id, Output& out) {
  Caches caches(o);
  std::vector<jit::ObjectEntry> objects;
  std::vector<autotune::TunedKey> tuned;
  caches.objects().each([&](const jit::ObjectEntry& entry) {
    if (identity(entry.key).rfind(id, 0) == 0) objects.push_back(entry);
    return true;
  });
  caches.tuned().each([&](const autotune::TunedStore::Entry& entry) {
    if (identity(entry.key).rfind(id, 0) == 0) tuned.push_back(entry.key);
    return true;
  });
  const std::size_t found = objects.size() + tuned.size();
  if (found == 0)
    throw UserError("no entry has an id that begins with " + id + "\n  hint: tessera cache list has them");
  if (found > 1 && id.size() < 16)
    throw UserError(std::to_string(found) + " entries have ids that begin with " + id + "\n  hint: give more digits");
  for (const jit::ObjectEntry& entry : objects) show_object(entry, out);
  for (const autotune::TunedKey& key : tuned) show_tuned(key, caches.tuned().all(key), out);
  return exit_done;
}

}  // namespace

void add_cache_show(Command& cache) {
  auto o = std::make_shared<CacheOptions>();
  auto id = std::make_shared<std::string>();
  Command command =
      cache.command("show", "shows one entry: every field of its key, and every configuration that was timed");
  command.argument("ID", *id, "the first digits of an id of tessera cache list");
  add_folder(command, *o);
  command.example("tessera cache show 3fa0", "the entry whose id begins so");
  command.runs([o, id](Output& out) { return show(*o, *id, out); });
}

}  // namespace cli
TESSERA_END
