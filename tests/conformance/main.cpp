// Owns the command line of tessera_conformance: the short form that tests run, and the whole, which writes the report.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>

#include "targets/cpu/features.hpp"
#include "tests/conformance/report.hpp"

namespace {

using namespace conformance;
using namespace tessera;

struct Selection {
  bool short_form = false;
  std::string op, type;
  bool shows_rates() const { return !op.empty() || !type.empty(); }  // those of some, for who works on them
};

// The short form takes some types of each operation, and all where it has none of these.
bool selected(const Recipe& recipe, DType t, const Selection& s) {
  if (!s.op.empty() && ir::info(recipe.op).text != s.op) return false;
  if (!s.type.empty()) return dtype_name(t) == s.type;
  constexpr Types some = one(DType::f32) | one(DType::bf16) | one(DType::i32) | one(DType::u8) | one(DType::b8);
  return !s.short_form || (recipe.types & some) == 0 || has(some, t);
}

std::vector<Row> run_all(const std::vector<Recipe>& recipes, const Selection& s, const RunOptions& options, int& gaps) {
  std::vector<Row> rows;
  for (const Recipe& recipe : recipes) {
    Row& row = rows.emplace_back();
    row.recipe = &recipe;
    for (int i = 0; i < dtype_count; ++i) {
      const auto t = static_cast<DType>(i);
      if (!selected(recipe, t, s)) {
        row.results.push_back({});
        row.results.back().type = t;
        continue;
      }
      row.results.push_back(run(recipe, t, options));
      if (const Result& r = row.results.back(); s.shows_rates() && r.rate >= 0)
        std::printf("%s %s %s: %.3f\n", std::string(ir::info(recipe.op).text).c_str(), recipe.how.c_str(),
                    std::string(dtype_name(t)).c_str(), r.rate);
      const std::string wrong = gap(recipe, row.results.back());
      if (wrong.empty()) continue;
      ++gaps;
      std::printf("%s\n", wrong.c_str());
      std::fflush(stdout);
    }
  }
  return rows;
}

std::string read(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Every operation with every element type: interpreted, compiled, executed, compared.");
  Selection selection;
  std::string page_path, write_path;
  app.add_flag("--short", selection.short_form, "some element types of each operation, small data, no rates");
  app.add_option("--op", selection.op, "only this operation");
  app.add_option("--type", selection.type, "only this element type");
  app.add_option("--check", page_path, "the report, to be compared in its rows and types");
  app.add_option("--write", write_path, "where the report goes");
  CLI11_PARSE(app, argc, argv);
  if (!write_path.empty() && (selection.short_form || !selection.op.empty() || !selection.type.empty())) {
    std::fprintf(stderr, "--write takes all operations and types\n");
    return 2;
  }

  RunOptions options;
  options.thorough = !selection.short_form;
  options.features.clear();
  for (const char* features : {"avx512", "avx2", "sse2"})
    if (cpu::runs(features)) options.features.emplace_back(features);
  if (selection.short_form)
    options.features.resize(1);
  else if (!cpu::runs("avx512"))
    options.features.emplace_back("avx512");

  const std::vector<Recipe> recipes = all_recipes();
  std::vector<Recipe> casts;
  for (int t = dtype_count; t-- > 0;)
    for (Recipe& r : cast_recipes(static_cast<DType>(t))) casts.push_back(std::move(r));
  int gaps = 0;
  const std::vector<Row> rows = run_all(recipes, selection, options, gaps);
  std::vector<Row> cast_rows;
  if (!selection.short_form && (selection.op.empty() || selection.op == "cast"))
    cast_rows = run_all(casts, selection, options, gaps);

  std::map<Op, int> covered;
  int passed = 0;
  for (const std::vector<Row>* list : {&rows, static_cast<const std::vector<Row>*>(&cast_rows)})
    for (const Row& row : *list)
      for (const Result& r : row.results)
        if (r.recorded && gap(*row.recipe, r).empty()) ++passed, ++covered[row.recipe->op];
  for (int op = 0; op < ir::op_count && selection.op.empty() && selection.type.empty(); ++op)
    if (!covered[static_cast<Op>(op)]) {
      std::printf("%s: no kernel\n", std::string(ir::op_table[op].text).c_str());
      ++gaps;
    }
  if (!page_path.empty())
    if (const std::string wrong = stale(read(page_path), rows); !wrong.empty()) {
      std::printf("%s: out of date, ./dev conformance writes it:\n%s", page_path.c_str(), wrong.c_str());
      ++gaps;
    }
  if (!write_path.empty()) std::ofstream(write_path) << page(rows, cast_rows);
  std::printf("%d passed, %d failed, 0 skipped\n", passed, gaps);
  return gaps == 0 ? 0 : 1;
}
