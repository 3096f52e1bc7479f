// Owns the space of configurations: its dimensions, and what pruning finds out about a configuration.
#include "autotune/tune/space.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <set>
#include <thread>

#include "jit/loop/work.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/call/uniform.hpp"

TESSERA_BEGIN
namespace autotune {
namespace {

/// Whether a condition is made of tunables at all: others were checked with the call.
bool has_tunable(const ir::Program& p, std::int32_t id) {
  const ir::Node& n = p.node(id);
  if (n.op == ir::Op::tunable) return true;
  const auto operands = p.operands_of(n);
  return std::any_of(operands.begin(), operands.end(), [&](std::int32_t o) { return has_tunable(p, o); });
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::string text_of(const std::vector<Tuned>& tunables) {
  std::string text;
  for (const Tuned& t : tunables) text += (text.empty() ? "" : " ") + t.name + "=" + std::to_string(t.value);
  return text.empty() ? "the target's choice" : text;
}

Problem::Problem(const ir::Program& p, std::vector<std::uint64_t> words, const jit::Target& t, const Config& config)
    : program(p),
      frame(std::move(words)),
      target(t),
      features(config.features.empty() ? t.features().front() : config.features),
      threads(config.threads),
      numerics(config.numerics),
      deterministic(config.deterministic),
      known(jit::SpecialisationPolicy().next(p, frame.data(), 0)) {}

Space::Space(Problem problem, const std::vector<Candidates>& given, const std::vector<Candidates>& declared,
             const Config& fixed)
    : problem_(std::move(problem)), fixed_(fixed.tunables) {
  const ir::Program& p = problem_.program;
  const auto listed = [](const std::vector<Candidates>& list, const std::string& name) -> const Candidates* {
    const auto found = std::find_if(list.begin(), list.end(), [&](const Candidates& c) { return c.name == name; });
    return found == list.end() ? nullptr : &*found;
  };
  const auto is_fixed = [&](const std::string& name) {
    return std::any_of(fixed_.begin(), fixed_.end(), [&](const Tuned& t) { return t.name == name; });
  };
  std::set<std::string> names;
  const auto add = [&](const std::string& name, const std::vector<std::int64_t>& own, std::int64_t initial) {
    names.insert(name);
    if (is_fixed(name)) return;
    const Candidates* c = listed(given, name);
    if (c == nullptr) c = listed(declared, name);
    std::set<std::int64_t> values(own.begin(), own.end());
    if (c != nullptr) values = {c->values.begin(), c->values.end()};
    const std::int64_t least = call::is_choice(name) ? 0 : 1;
    if (!values.empty() && *values.begin() < least)
      throw UserError(std::string(p.name) + ": tuning: " + name + " cannot be " + std::to_string(*values.begin()) +
                      "\n  hint: values are " + std::to_string(least) + " or more");
    values.insert(initial);  // the target's choice always competes
    Dimension d{name, {values.begin(), values.end()}, 0};
    d.initial = static_cast<std::size_t>(std::distance(values.begin(), values.find(initial)));
    if (d.values.size() > 4096)
      throw UserError(std::string(p.name) + ": tuning: " + name + " has " + std::to_string(d.values.size()) +
                      " values to try\n  hint: at most 4095");
    dimensions_.push_back(std::move(d));
  };
  const std::vector<std::int64_t> own = problem_.target.tunables(p, problem_.known, &fixed);
  const auto proposed = problem_.target.candidates(p, problem_.known, &fixed);
  for (std::size_t t = 0; t < p.tunables.size(); ++t)
    add(std::string(p.str(p.tunables[t].name)), t < proposed.size() ? proposed[t] : std::vector<std::int64_t>{},
        own[t]);
  jit::PlanRequest plain{p, problem_.known, own, {}, problem_.features, problem_.threads};
  for (const jit::Choice& choice : problem_.target.choices(plain)) add(choice.name, choice.values, 0);
  for (const auto* list : {&given, &declared})
    for (const Candidates& c : *list)
      if (!names.contains(c.name)) {
        std::string all;
        for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
        throw UserError(std::string(p.name) + ": tuning: there is no tunable " + c.name +
                        "\n  hint: " + (all.empty() ? "this kernel has none" : "there are " + all));
      }
}

double Space::size() const {
  double all = 1;
  for (const Dimension& d : dimensions_) all *= static_cast<double>(d.values.size());
  return all;
}

Point Space::initial() const {
  Point point;
  for (const Dimension& d : dimensions_) point.push_back(static_cast<std::uint16_t>(d.initial));
  return point;
}

std::vector<Point> Space::all(std::size_t limit) const {
  std::vector<Point> points;
  Point point(dimensions_.size(), 0);
  while (points.size() < limit) {
    points.push_back(point);
    std::size_t d = dimensions_.size();
    while (d > 0 && point[d - 1] + 1u == dimensions_[d - 1].values.size()) point[--d] = 0;
    if (d == 0) break;
    ++point[d - 1];
  }
  return points;
}

std::vector<Point> Space::neighbours(const Point& point) {
  std::vector<Point> near;
  for (std::size_t d = 0; d < dimensions_.size(); ++d)
    for (const int step : {-1, 1}) {
      Point next = point;
      for (int at = point[d] + step; at >= 0 && at < static_cast<int>(dimensions_[d].values.size()); at += step) {
        next[d] = static_cast<std::uint16_t>(at);
        if (!examine(next).pruned.empty()) continue;  // what cannot run, or is the same code, is stepped over
        near.push_back(next);
        break;
      }
    }
  std::stable_sort(near.begin(), near.end(), [&](const Point& a, const Point& b) {
    return examine(a).estimate.seconds < examine(b).estimate.seconds;
  });
  return near;
}

std::vector<Tuned> Space::tunables(const Point& point) const {
  std::vector<Tuned> all = fixed_;
  for (std::size_t d = 0; d < dimensions_.size(); ++d) {
    const std::int64_t value = dimensions_[d].values[point[d]];
    if (value != 0 || !call::is_choice(dimensions_[d].name)) all.push_back({dimensions_[d].name, value});
  }
  return all;
}

std::optional<Point> Space::point_of(const std::vector<Tuned>& tunables) const {
  Point point;
  for (const Dimension& d : dimensions_) {
    const auto given = std::find_if(tunables.begin(), tunables.end(), [&](const Tuned& t) { return t.name == d.name; });
    if (given == tunables.end() && !call::is_choice(d.name)) return std::nullopt;
    const std::int64_t value = given == tunables.end() ? 0 : given->value;
    const auto at = std::find(d.values.begin(), d.values.end(), value);
    if (at == d.values.end()) return std::nullopt;
    point.push_back(static_cast<std::uint16_t>(at - d.values.begin()));
  }
  for (const Tuned& t : tunables) {
    const auto same = [&](const auto& other) { return other.name == t.name; };
    if (std::any_of(dimensions_.begin(), dimensions_.end(), same)) continue;
    const auto given = std::find_if(fixed_.begin(), fixed_.end(), same);
    if (given == fixed_.end() || given->value != t.value) return std::nullopt;
  }
  return point;
}

Point Space::nearest(const std::vector<Tuned>& tunables) const {
  Point point = initial();
  for (std::size_t d = 0; d < dimensions_.size(); ++d)
    for (const Tuned& t : tunables) {
      if (t.name != dimensions_[d].name) continue;
      double best = INFINITY;
      for (std::size_t i = 0; i < dimensions_[d].values.size(); ++i) {
        const double ratio = std::abs(
            std::log2((static_cast<double>(dimensions_[d].values[i]) + 0.5) / (static_cast<double>(t.value) + 0.5)));
        if (ratio < best) best = ratio, point[d] = static_cast<std::uint16_t>(i);
      }
    }
  return point;
}

jit::PlanRequest Space::request(const Point& point) const {
  Config config{.tunables = tunables(point), .threads = problem_.threads, .features = problem_.features};
  jit::PlanRequest r{problem_.program,         problem_.known,    {},
                     jit::choices_of(&config), problem_.features, problem_.threads};
  r.numerics = problem_.numerics, r.deterministic = problem_.deterministic;
  for (const ir::Tunable& tunable : problem_.program.tunables)
    for (const Tuned& t : config.tunables)
      if (t.name == problem_.program.str(tunable.name)) r.tunables.push_back(t.value);
  return r;
}

Examined Space::look(const Point& point) const {
  Examined found;
  const ir::Program& p = problem_.program;
  const jit::PlanRequest r = request(point);
  for (std::int32_t id = 0; id < static_cast<std::int32_t>(p.size()); ++id) {
    const ir::Node& n = p.node(id);
    if (n.op != ir::Op::expects || !has_tunable(p, p.operand(n, 0))) continue;
    if (call::uniformity(p, p.operand(n, 0)) == call::Uniformity::no) continue;
    const call::Uniform holds = call::evaluate_uniform(p, p.operand(n, 0), problem_.frame.data(), r.tunables);
    if (!holds.defined || holds.word == 0) {
      found.pruned = "the kernel expects: " + std::string(p.str(static_cast<std::int32_t>(n.imm)));
      return found;
    }
  }
  try {
    found.pruned = first_line(problem_.target.legal(r));
    if (!found.pruned.empty()) return found;
    const loop::Program planned = problem_.target.plan(r, {});
    found.plan = loop::fingerprint(planned);
    found.estimate = problem_.target.estimate(r, planned);
  } catch (const std::exception& e) {
    found.pruned = first_line(e.what());
  }
  return found;
}

void Space::remember(const Point& point, Examined found) {
  if (found.pruned.empty()) {
    const auto [first, fresh] = plans_.emplace(found.plan, point);
    if (!fresh) found.pruned = "the same code as " + text_of(tunables(first->second));
  }
  examined_.emplace(point, std::move(found));
}

const Examined& Space::examine(const Point& point) {
  const auto known = examined_.find(point);
  if (known != examined_.end()) return known->second;
  remember(point, look(point));
  return examined_.at(point);
}

void Space::examine_all(const std::vector<Point>& points) {
  std::vector<Point> open;
  for (const Point& point : points)
    if (!examined_.contains(point)) open.push_back(point);
  std::vector<Examined> found(open.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < open.size() && !(stopped_ && stopped_()); i = next++) found[i] = look(open[i]);
  };
  const std::size_t cores = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::jthread> threads;
  for (std::size_t i = 1; i < std::min(cores, open.size() / 4); ++i) threads.emplace_back(work);
  work();
  threads.clear();  // joins
  throw_if_stopped(stopped_);
  for (std::size_t i = 0; i < open.size(); ++i)
    if (!examined_.contains(open[i])) remember(open[i], std::move(found[i]));
}

}  // namespace autotune
TESSERA_END
