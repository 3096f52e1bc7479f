// Owns the command line of tessera_fuzz: many programs, one program, a file, a folder of files.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/fuzz/generate.hpp"
#include "tests/fuzz/shrink.hpp"
#include "tests/fuzz/workers.hpp"

namespace {

using namespace fuzz;

constexpr const char* verdict_names[] = {"agrees", "discarded", "mismatch", "broken"};

bool is_finding(Verdict v) { return v == Verdict::mismatch || v == Verdict::broken; }

std::string read(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

int judge(const Sample& sample, const CheckOptions& options, const std::string& what) {
  const Outcome o = check_apart(sample, options, 60);
  std::printf("%s: %s%s%s\n", what.c_str(), verdict_names[static_cast<int>(o.verdict)], o.text.empty() ? "" : ": ",
              o.text.c_str());
  return is_finding(o.verdict) ? 1 : 0;
}

int replay_folder(const std::string& folder, const CheckOptions& options) {
  int passed = 0, failed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".tile") continue;
    const Outcome o = check_apart(from_text(read(entry.path())), options, 60);
    ++(o.verdict == Verdict::agrees ? passed : failed);
    if (o.verdict != Verdict::agrees)
      std::printf("%s: %s: %s\n", entry.path().filename().c_str(), verdict_names[static_cast<int>(o.verdict)],
                  o.text.c_str());
  }
  std::printf("%d passed, %d failed, 0 skipped\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

// The text of the shrunk sample goes to a file; gives its name.
std::string write_shrunk(const Sample& sample, const CheckOptions& options, const std::string& folder, int seconds) {
  const Sample small = shrink(sample, options, seconds);
  Outcome o = check_apart(small, options, 60);
  std::replace(o.text.begin(), o.text.end(), '\n', ' ');  // it stands in one line of comment
  std::filesystem::create_directories(folder);
  const std::string path = folder + "/seed_" + std::to_string(sample.seed) + ".tile";
  std::ofstream(path) << "# " << o.text << '\n' << to_text(small);
  return path;
}

int many(const RunOptions& options, const std::string& folder, int shrink_seconds, bool table, bool all) {
  const Figures f = run(options);
  std::uint64_t discarded = 0;
  for (const auto& [why, n] : f.discarded) {
    discarded += n;
    std::printf("  discarded %llu: %s\n", static_cast<unsigned long long>(n), why.c_str());
  }
  for (const Found& found : f.found) {
    std::printf("  seed %llu: %s\n", static_cast<unsigned long long>(found.seed), found.text.c_str());
    if (shrink_seconds > 0)
      std::printf("    %s\n", write_shrunk(generate(found.seed), options.check, folder, shrink_seconds).c_str());
    std::fflush(stdout);
  }
  if (table) std::printf("%s", f.table.c_str());
  std::printf("  %s\n", f.coverage.c_str());
  std::printf(
      "fuzz: seeds %llu..%llu: %llu programs, %llu compared (%llu ways, %llu pairs of them by bits, %llu elements, "
      "%llu "
      "unbounded), %llu discarded (%llu of them ran), %zu mismatches, %.0f s\n",
      static_cast<unsigned long long>(options.first_seed),
      static_cast<unsigned long long>(options.first_seed + options.programs - 1),
      static_cast<unsigned long long>(f.programs), static_cast<unsigned long long>(f.compared),
      static_cast<unsigned long long>(f.ways), static_cast<unsigned long long>(f.same_bits),
      static_cast<unsigned long long>(f.elements), static_cast<unsigned long long>(f.unbounded),
      static_cast<unsigned long long>(discarded), static_cast<unsigned long long>(f.survived), f.found.size(),
      f.seconds);
  std::printf("%llu passed, %zu failed, 0 skipped\n", static_cast<unsigned long long>(f.compared), f.found.size());
  if (all && !f.never.empty()) std::printf("not all of the language was drawn: %s\n", f.coverage.c_str());
  return f.found.empty() && (!all || f.never.empty()) ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Random Tile IR programs: machine code against the interpreter");
  RunOptions options;
  std::string file, folder, out = "build/fuzz";
  std::uint64_t one = 0, show = 0;
  int shrink_seconds = 60;
  bool table = false, plan = false, all = false;
  app.add_option("programs", options.programs, "how many programs");
  app.add_option("--seed", options.first_seed, "of the first program; each next one has the next");
  auto* just = app.add_option("--one", one, "the program of this seed only");
  auto* text = app.add_option("--show", show, "the text of the program of this seed");
  app.add_option("--file", file, "a program and its run, as a text");
  app.add_option("--replay", folder, "every .tile of a folder: all must agree");
  app.add_option("--workers", options.workers, "processes");
  app.add_option("--findings", options.most_findings, "ends when there are as many");
  app.add_option("--opt", options.check.opt_level,
                 "of LLVM's code generator, 0 to 3; -1: 2 for every 16th seed, else 0");
  app.add_option("--out", out, "the folder of shrunk programs");
  app.add_option("--shrink", shrink_seconds, "at most so many seconds for each finding; 0: not at all");
  app.add_flag("--verify", options.check.verify, "checks LLVM IR too");
  app.add_flag("--plan", plan, "with --file: prints the Loop IR instead");
  app.add_flag("--table", table, "prints how often each operation ran with each type, and each kind of thing");
  app.add_flag("--all", all, "fails where an operation or a kind of thing was in no program that was compared");
  CLI11_PARSE(app, argc, argv);
  try {
    if (*text) {
      std::printf("%s", to_text(generate(show)).c_str());
      return 0;
    }
    setenv("TESSERA_CACHE", "off", 1);  // what is compiled here is nobody's kernel
    prepare();
    if (*just && !plan) {
      const int status = judge(generate(one), options.check, "seed " + std::to_string(one));
      if (status != 0 && shrink_seconds > 0)
        std::printf("%s\n", write_shrunk(generate(one), options.check, out, shrink_seconds).c_str());
      return status;
    }
    if (plan) return std::printf("%s", planned(file.empty() ? generate(one) : from_text(read(file))).c_str()) < 0;
    if (!file.empty()) return judge(from_text(read(file)), options.check, file);
    if (!folder.empty()) return replay_folder(folder, options.check);
    return many(options, out, shrink_seconds, table, all);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "fuzz: %s\n", e.what());
    return 2;
  }
}
