// Owns the text form of samples.
#include "tests/fuzz/sample.hpp"

#include <algorithm>
#include <sstream>
#include <stdexcept>

#include "tessera/call/extents.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/ir/parse.hpp"
#include "tessera/ir/text.hpp"

namespace fuzz {
namespace {

template <class Names>
std::size_t number_of(const Names& names, const std::string& word) {
  for (std::size_t i = 0; i < std::size(names); ++i)
    if (names[i] == word) return i;
  throw std::runtime_error("\"" + word + "\" is none of the words expected");
}

std::int64_t name_of(const ir::Program& p, const std::string& text) {
  for (std::size_t i = 0; i < p.names.size(); ++i)
    if (p.str(static_cast<std::int32_t>(i)) == text) return static_cast<std::int64_t>(i);
  throw std::runtime_error("the program has no name " + text);
}

void read_way(std::istringstream& in, Sample& s) {
  Way way;
  std::string word;
  in >> word;
  way.known = static_cast<Known>(number_of(known_names, word));
  in >> way.features;
  while (in >> word) {
    bool number = false;
    for (const auto& [name, field] : way_numbers)
      if (word == name) number = static_cast<bool>(in >> way.*field);
    if (word == "small_caches")
      way.small_caches = true;
    else if (word == "typical")
      way.typical = true;
    else if (word == "deterministic")
      way.deterministic = true;
    else if (const auto mode = std::ranges::find(numerics_names, word); mode != std::end(numerics_names))
      way.numerics = static_cast<tessera::Numerics>(mode - numerics_names);
    else if (word != "tunables" && !number)
      way.tunables.push_back(std::stoll(word));
  }
  s.ways.push_back(way);
}

void read_given(std::istringstream& in, Given& g, std::size_t args) {
  std::string word;
  while (in >> word) {
    if (word == "content") {
      in >> word;
      g.content = static_cast<Content>(number_of(content_names, word));
    } else if (word == "layout") {
      in >> word;
      g.layout = static_cast<Layout>(number_of(layout_names, word));
    } else if (word == "limit") {
      in >> g.limit;
    } else if (word == "seed") {
      in >> g.seed;
    } else if (word == "same_as") {
      in >> g.same_as;
      if (g.same_as < 0 || static_cast<std::size_t>(g.same_as) >= args) throw std::runtime_error("no such argument");
    } else if (word == "bits") {
      in >> g.scalar;
    } else if (word == "at_start") {
      g.at_start = true;
    } else {
      throw std::runtime_error("\"" + word + "\" says nothing about an argument");
    }
  }
}

}  // namespace

std::int64_t extent_value(const Sample& sample, std::int32_t extent) {
  const ir::Extent& e = sample.program.extents[static_cast<std::size_t>(extent)];
  return tessera::call::extent_value(e, sample.extents[static_cast<std::size_t>(e.base)]);
}

std::string words_of(const Way& way) {
  std::string text;
  if (way.small_caches) text += " small_caches";
  if (way.typical) text += " typical";
  if (way.deterministic) text += " deterministic";
  if (way.numerics != tessera::Numerics::standard)
    text.append(" ").append(numerics_names[static_cast<std::size_t>(way.numerics)]);
  for (const auto& [name, field] : way_numbers)
    if (way.*field != Way{}.*field) text.append(" ").append(name).append(" ").append(std::to_string(way.*field));
  return text;
}

std::string to_text(const Sample& s) {
  const ir::Program p = s.program.view();
  std::ostringstream out;
  out << "#! seed " << s.seed << '\n';
  std::vector<bool> said(p.names.size());
  for (const ir::Extent& e : p.extents) {
    if (said[static_cast<std::size_t>(e.base)]) continue;
    said[static_cast<std::size_t>(e.base)] = true;
    out << "#! extent " << p.str(e.base) << ' ' << s.extents[static_cast<std::size_t>(e.base)] << '\n';
  }
  for (std::size_t i = 0; i < s.given.size(); ++i) {
    const Given& g = s.given[i];
    out << "#! argument " << i;
    if (p.args[i].effect == ir::Effect::scalar) {
      out << " bits " << g.scalar << '\n';
      continue;
    }
    out << " content " << content_names[static_cast<std::size_t>(g.content)] << " limit " << g.limit << " layout "
        << layout_names[static_cast<std::size_t>(g.layout)] << " seed " << g.seed;
    if (g.same_as >= 0) out << " same_as " << g.same_as;
    if (g.at_start) out << " at_start";
    out << '\n';
  }
  for (const Way& w : s.ways) {
    out << "#! way " << known_names[static_cast<std::size_t>(w.known)] << ' ' << w.features << words_of(w);
    if (!w.tunables.empty()) out << " tunables";
    for (std::int64_t t : w.tunables) out << ' ' << t;
    out << '\n';
  }
  return out.str() + ir::to_text(p);
}

Sample from_text(const std::string& text) {
  Sample s;
  auto parsed = ir::parse(text);
  if (!parsed) throw std::runtime_error("Tile IR: " + parsed.error.str());
  s.program = std::move(parsed.program);
  const ir::Program p = s.program.view();
  s.extents.assign(p.names.size(), 0);
  s.given.resize(tessera::call::frame_layout(p).args);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("#!", 0) != 0) continue;
    std::istringstream in(line.substr(2));
    std::string word;
    in >> word;
    if (word == "seed") {
      in >> s.seed;
    } else if (word == "extent") {
      in >> word;
      in >> s.extents[static_cast<std::size_t>(name_of(p, word))];
    } else if (word == "argument") {
      std::size_t i = 0;
      in >> i;
      if (i >= s.given.size()) throw std::runtime_error("the program has no argument " + std::to_string(i));
      read_given(in, s.given[i], s.given.size());
    } else if (word == "way") {
      read_way(in, s);
    } else {
      throw std::runtime_error("\"" + word + "\" says nothing about a run");
    }
  }
  for (Way& w : s.ways)
    if (!w.tunables.empty() && w.tunables.size() != p.tunables.size())
      throw std::runtime_error("a way gives " + std::to_string(w.tunables.size()) + " tunables of " +
                               std::to_string(p.tunables.size()));
  return s;
}

}  // namespace fuzz
