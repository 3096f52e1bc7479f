// Owns the taking of entries from elsewhere. Which of two entries is better the stores decide.
#include "autotune/cli/taken.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tessera/call/errors.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

constexpr std::string_view sqlite_mark = "SQLite format 3";

void take_database(Caches& caches, const std::string& file, Taken& taken) {
  std::string error;
  if (!caches.tuned().merge(file, taken.tuned, error)) throw UserError(error);
  taken.any_tuned = true;
}

void take_pack(Caches& caches, const std::string& file, Taken& taken) {
  std::string error;
  if (!caches.objects().read_pack(file, error, taken.added, taken.kept)) throw UserError(error);
  taken.any_objects = true;
}

/// A file that goes at the end.
struct Temporary {
  std::string path;
  Temporary() {
    char name[] = "/tmp/tessera-merge-XXXXXX";
    if (const char* folder = std::getenv("TMPDIR"); folder && *folder)
      path = std::string(folder) + "/tessera-merge-XXXXXX";
    if (path.empty()) path = name;
    const int descriptor = ::mkstemp(path.data());
    if (descriptor < 0) throw DeviceError("cannot make " + path + ": " + std::strerror(errno));
    ::close(descriptor);
  }
  ~Temporary() { ::unlink(path.c_str()); }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
};

}  // namespace

Taken take_file(Caches& caches, const std::string& file) {
  std::error_code error;
  if (std::filesystem::is_directory(file, error))
    throw UserError(file + " is a folder\n  hint: tessera cache merge takes those");
  std::ifstream in(file, std::ios::binary);
  if (!in) throw UserError("cannot open " + file + ": " + std::strerror(errno));
  std::string start(sqlite_mark.size(), '\0');
  in.read(start.data(), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(in.gcount()));
  Taken taken;
  if (start == sqlite_mark) {
    take_database(caches, file, taken);
  } else if (start.find_first_not_of(" \t\r\n") != std::string::npos &&
             start[start.find_first_not_of(" \t\r\n")] == '{') {
    in.clear();
    in.seekg(0);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    std::string why;
    if (!caches.tuned().import_json(text, taken.tuned, why)) throw UserError(file + ": " + why);
    taken.any_tuned = true;
  } else {
    take_pack(caches, file, taken);
  }
  return taken;
}

Taken take_folder(Caches& caches, const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::is_directory(folder, error))
    throw UserError(folder + " is no folder\n  hint: tessera cache import takes files");
  if (fs::equivalent(folder, caches.folder(), error)) throw UserError(folder + " is this cache itself");
  Taken taken;
  jit::StoreOptions options = caches.objects().options();  // with the same key of signatures
  options.off = false;
  options.read_only = true;
  options.folder = folder;
  options.layers.clear();
  jit::ObjectStore other(options);
  if (const std::string problem = other.problem(); !problem.empty()) throw UserError(problem);
  const Temporary pack;
  jit::StoreTotals written;
  std::string why;
  if (!other.write_pack(pack.path, {}, why, written)) throw DeviceError(why);
  if (written.entries > 0) take_pack(caches, pack.path, taken);
  taken.any_objects = true;
  if (const std::string database = folder + "/tuned.sqlite"; fs::exists(database, error))
    take_database(caches, database, taken);
  return taken;
}

int tell(const std::string& from, const Taken& taken, Output& out, Json& list) {
  Json one = Json::object({{"from", from}});
  if (taken.any_objects) {
    out.line(from + ": compiled code: took " + std::to_string(taken.added.entries) + ", kept ours for " +
             std::to_string(taken.kept.entries) + " that are here already");
    one.set("objects", Json::object({{"added", taken.added.entries}, {"kept", taken.kept.entries}}));
  }
  if (taken.any_tuned) {
    const autotune::MergeReport& t = taken.tuned;
    out.line(from + ": tuned configurations: took " + std::to_string(t.added) + " new, " + std::to_string(t.better) +
             " better than ours, kept ours for " + std::to_string(t.kept) + ", refused " + std::to_string(t.refused));
    Json notes = Json::list();
    for (const std::string& note : t.notes) {
      out.line("  " + one_line(note));
      notes.push(one_line(note));
    }
    one.set("tuned", Json::object({{"added", t.added},
                                   {"better", t.better},
                                   {"kept", t.kept},
                                   {"refused", t.refused},
                                   {"notes", std::move(notes)}}));
  }
  list.push(std::move(one));
  return taken.tuned.refused > 0 ? exit_finding : exit_done;
}

}  // namespace cli
TESSERA_END
