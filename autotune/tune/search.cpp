// Owns the searches: what is picked, the race between what was picked, the descent from the winner.
#include "autotune/tune/search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>
#include <set>

TESSERA_BEGIN
namespace autotune {
namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t enumerated = 2500;     // spaces up to this size are examined whole
constexpr std::size_t all_at_most = 100000;  // of an exhaustive search

class Searcher {
 public:
  Searcher(Space& space, Bench& bench, const SearchOptions& options)
      : space_(space), bench_(bench), options_(options), start_(bench.now()) {}

  SearchResult run() {
    tell("planning");
    space_.examine(space_.initial());  // first, so that what gives the same code is called so, not this
    take_known();
    add({space_.initial()});
    switch (options_.kind) {
      case Search::exhaustive:
        exhaustive();
        break;
      case Search::random:
        random();
        break;
      case Search::guided:
        guided();
    }
    finish();
    return std::move(result_);
  }

 private:
  // ---- budgets ----
  bool out_of_time() const { return bench_.now() - start_ >= options_.seconds; }
  /// How many configurations may be tried in all.
  std::size_t most() const {
    if (options_.configurations > 0) return static_cast<std::size_t>(options_.configurations);
    if (options_.kind != Search::guided) return all_at_most;
    return static_cast<std::size_t>(std::clamp(std::ceil(space_.size() * 0.05), 8.0, 40.0));
  }
  bool full() const { return result_.tried.size() >= most(); }

  // ---- what was tried ----
  void take_known() {
    for (const Timing& timing : options_.known)
      if (const auto point = space_.point_of(timing.configuration)) {
        Tried t;
        t.point = *point;
        t.outcome = timing.outcome;
        t.seconds = {timing.low, timing.seconds, timing.high};
        t.runs = timing.runs;
        t.bits = timing.bits, t.note = timing.note;
        before_.emplace(*point, std::move(t));
      }
  }
  int find(const Point& point) const {
    const auto at = index_.find(point);
    return at == index_.end() ? -1 : at->second;
  }
  Tried& at(int i) { return result_.tried[static_cast<std::size_t>(i)]; }

  /// Tries these: those known from before are noted, the others compiled and run once. Gives the indices of the new
  /// ones that can race.
  std::vector<int> add(const std::vector<Point>& points) {
    std::vector<int> fresh;
    std::vector<std::vector<Tuned>> configurations;
    for (const Point& point : points) {
      if (index_.contains(point)) continue;
      index_.emplace(point, static_cast<int>(result_.tried.size()));
      if (const auto known = before_.find(point); known != before_.end()) {
        result_.tried.push_back(known->second);
        continue;
      }
      fresh.push_back(static_cast<int>(result_.tried.size()));
      result_.tried.emplace_back().point = point;
    }
    if (fresh.empty()) return {};
    // The bench's first is the reference: the default runs there, even where its time is known.
    if (numbers_ == 0 && fresh.front() != 0) fresh.insert(fresh.begin(), 0);
    prepare(fresh);
    std::erase_if(fresh, [&](int i) { return at(i).outcome != Outcome::ok; });
    return fresh;
  }

  void prepare(const std::vector<int>& which) {
    tell("compiling");
    std::vector<std::vector<Tuned>> configurations;
    for (const int i : which) configurations.push_back(space_.tunables(at(i).point));
    const std::vector<Prepared> prepared = bench_.prepare(configurations);
    for (std::size_t k = 0; k < which.size(); ++k) {
      Tried& t = at(which[k]);
      t.number = numbers_++;
      t.samples.assign(static_cast<std::size_t>(round_), nothing);
      ++result_.timed;
      take(t, prepared[k]);
    }
  }

  void take(Tried& t, const Prepared& p) {
    t.outcome = p.outcome, t.note = p.note, t.bits = p.bits;
    if (!options_.deterministic || t.outcome != Outcome::ok) return;
    if (t.bits == "differs from run to run") {  // as the worker says it
      t.outcome = Outcome::wrong;
      t.note = "deterministic: two runs of it differ";
    } else if (t.bits != at(0).bits) {
      t.outcome = Outcome::wrong;
      t.note = "deterministic: it sums in another order than the default configuration";
    }
  }

  // ---- the race ----
  /// Races `entrants` with the best so far, until one is surely best, or they are surely alike, or it takes too long.
  void race(std::vector<int> entrants) {
    if (leader_ >= 0) entrants.insert(entrants.begin(), leader_);
    std::erase_if(entrants, [&](int i) { return at(i).outcome != Outcome::ok; });
    // What is known from before races by its samples, so it is prepared now if it is to defend itself.
    std::vector<int> absent;
    for (const int i : entrants)
      if (at(i).number < 0) absent.push_back(i);
    if (!absent.empty()) {
      if (numbers_ == 0 && absent.front() != 0 && at(0).number < 0) absent.insert(absent.begin(), 0);
      prepare(absent);
      std::erase_if(entrants, [&](int i) { return at(i).outcome != Outcome::ok; });
    }
    for (int r = 0; r < options_.most && !entrants.empty(); ++r) {
      sample(entrants);
      std::erase_if(entrants, [&](int i) { return at(i).outcome != Outcome::ok; });
      if (entrants.empty()) break;
      leader_ = best_of(entrants);
      tell("racing");
      bool alike = true;
      std::vector<int> next;
      for (const int i : entrants) {
        if (i == leader_) {
          next.push_back(i);
          continue;
        }
        const Interval slower = slower_by(at(i).samples, at(leader_).samples);
        // One sample may be an outlier, and looking often finds what is not there: the fewer rounds, the surer it must
        // be.
        const bool hopeless = slower.low > std::log(r < 2 || (i == 0 && r < 5) ? 6.0 : 1.25);
        const bool lost = r >= 5 && slower.low > 0 && slower.middle > options_.tie;
        if (hopeless || (lost && i != 0)) continue;  // the target's own choice stays, as the yardstick
        alike = alike && slower.high < options_.tie;
        next.push_back(i);
      }
      entrants = std::move(next);
      if (entrants.size() == 1 && r > 0) break;
      if (r + 1 >= options_.fewest && alike) break;
      if (out_of_time() && r >= 2) break;
    }
    if (leader_ >= 0 && at(leader_).outcome != Outcome::ok) leader_ = -1;
  }

  void sample(const std::vector<int>& entrants) {
    std::vector<int> numbers;
    for (const int i : entrants) numbers.push_back(at(i).number);
    if (round_ % 2 == 1) std::reverse(numbers.begin(), numbers.end());  // whoever follows another does so both ways
    std::vector<double> seconds = bench_.time(numbers);
    if (round_ % 2 == 1) std::reverse(seconds.begin(), seconds.end());
    ++round_;
    for (Tried& t : result_.tried) t.samples.resize(static_cast<std::size_t>(round_), nothing);
    for (std::size_t k = 0; k < entrants.size(); ++k) {
      Tried& t = at(entrants[k]);
      if (std::isnan(seconds[k])) {
        take(t, bench_.state(t.number));
        if (t.outcome == Outcome::ok) t.outcome = Outcome::failed;
        continue;
      }
      t.samples.back() = seconds[k];
      ++t.runs;
      t.seconds = median_interval(t.samples);
    }
  }

  int best_of(const std::vector<int>& entrants) {
    int best = entrants.front();
    for (const int i : entrants)
      if (slower_by(at(i).samples, at(best).samples).middle < 0) best = i;
    return best;
  }

  /// The fastest known from before, if it can defend itself.
  void defend() {
    for (int i = 0; i < static_cast<int>(result_.tried.size()); ++i)
      if (at(i).number < 0 && at(i).outcome == Outcome::ok &&
          (leader_ < 0 || at(i).seconds.middle < at(leader_).seconds.middle))
        leader_ = i;
  }

  // ---- picking ----
  void exhaustive() {
    const std::vector<Point> points = space_.all(all_at_most);
    space_.examine_all(points);
    run_all(points);
  }

  void random() {
    std::mt19937_64 random(options_.seed);
    std::vector<Point> points;
    if (space_.size() <= enumerated) {
      points = space_.all(enumerated);
      for (std::size_t i = points.size(); i > 1; --i) std::swap(points[i - 1], points[random() % i]);
    } else {
      std::set<Point> seen;
      for (std::size_t i = 0; i < 4 * enumerated && seen.size() < enumerated; ++i) {
        Point point;
        for (const Dimension& d : space_.dimensions())
          point.push_back(static_cast<std::uint16_t>(random() % d.values.size()));
        if (seen.insert(point).second) points.push_back(point);
      }
    }
    run_all(points);
  }

  void run_all(const std::vector<Point>& points) {
    constexpr std::size_t batch = 16;
    std::vector<Point> next;
    for (std::size_t i = 0; i <= points.size(); ++i) {
      const bool end = i == points.size() || full() || out_of_time();
      if (!end && !index_.contains(points[i]) && space_.examine(points[i]).pruned.empty()) next.push_back(points[i]);
      if (next.size() == batch || (end && !next.empty()) || result_.tried.size() + next.size() >= most()) {
        compete(next);
        next.clear();
      }
      if (end) {
        result_.stopped = i == points.size() ? "every configuration was tried" : why_full();
        return;
      }
    }
  }

  void compete(const std::vector<Point>& points) {
    std::vector<int> fresh = add(points);
    defend();
    if (fresh.empty()) return;
    if (leader_ < 0) fresh.insert(fresh.begin(), 0);
    std::sort(fresh.begin(), fresh.end());
    fresh.erase(std::unique(fresh.begin(), fresh.end()), fresh.end());
    if (leader_ >= 0) std::erase(fresh, leader_);
    race(fresh);
  }

  void guided() {
    std::vector<Point> ranked = rank();
    const std::size_t first = std::min(most(), std::max<std::size_t>(3, most() * 3 / 5));
    std::vector<Point> picks;
    for (const auto& hint : options_.hints) {
      const Point point = space_.nearest(hint);
      if (space_.examine(point).pruned.empty() && picks.size() < 3 && picks.size() + 1 < first)
        take_pick(picks, point, 0);
    }
    for (const unsigned distance : {2u, 1u})  // different ones first: the best predicted are often all alike
      for (const Point& point : ranked)
        if (picks.size() + 1 < first) take_pick(picks, point, distance);
    compete(picks);
    if (numbers_ == 0 && !options_.chosen.empty())  // nothing new is worth a try
      if (const auto point = space_.point_of(options_.chosen); point && before_.contains(*point)) {
        add({*point});
        result_.stopped = "what would be tried first is known from before";
        return;
      }
    if (leader_ < 0 && at(0).outcome == Outcome::ok) leader_ = 0;
    result_.stopped = "no step along a tunable was faster";
    std::set<Point> left;  // from where all steps were tried
    // From the one that would win now, not from the fastest of those that tie: noise must not choose the way.
    for (int from = best_choice(); from >= 0 && !left.contains(at(from).point); from = best_choice()) {
      tell("descending");
      std::vector<Point> steps;
      for (const Point& point : space_.neighbours(at(from).point)) {
        const bool far = predicted(point) > 3 * predicted(at(from).point);
        if (!index_.contains(point) && !far && result_.tried.size() + steps.size() < most()) steps.push_back(point);
      }
      left.insert(at(from).point);
      if (!steps.empty()) compete(steps);
      if (full() || out_of_time()) {
        result_.stopped = why_full();
        return;
      }
    }
  }

  double predicted(const Point& point) { return std::max(0.0, space_.examine(point).estimate.seconds); }

  void take_pick(std::vector<Point>& picks, const Point& point, unsigned distance) {
    const auto near = [&](const Point& other) {
      unsigned apart = 0;
      for (std::size_t d = 0; d < point.size(); ++d)
        apart += static_cast<unsigned>(std::abs(static_cast<int>(point[d]) - static_cast<int>(other[d])));
      return apart < std::max(1u, distance);
    };
    if (near(space_.initial()) || std::any_of(picks.begin(), picks.end(), near)) return;
    picks.push_back(point);
  }

  /// What can run, the best predicted first. Large spaces are descended along their dimensions, from several starts.
  std::vector<Point> rank() {
    if (space_.size() <= enumerated) {
      space_.examine_all(space_.all(enumerated));
    } else {
      std::vector<Point> starts{space_.initial()};
      for (const auto& hint : options_.hints) starts.push_back(space_.nearest(hint));
      std::mt19937_64 random(1);  // always the same: what is predicted must not depend on the run
      for (int i = 0; i < 4; ++i) {
        Point& point = starts.emplace_back();
        for (const Dimension& d : space_.dimensions())
          point.push_back(static_cast<std::uint16_t>(random() % d.values.size()));
      }
      for (Point point : starts) {
        bool moved = true;
        for (int sweep = 0; moved && sweep < 3 && !out_of_time(); ++sweep) {
          moved = false;
          for (std::size_t d = 0; d < point.size(); ++d) moved |= slide(point, d);
        }
      }
    }
    std::vector<Point> ranked;
    best_predicted_ = std::numeric_limits<double>::infinity();
    for (const auto& [point, examined] : space_.examined())
      if (examined.pruned.empty()) {
        ranked.push_back(point);
        if (examined.estimate.seconds > 0) best_predicted_ = std::min(best_predicted_, examined.estimate.seconds);
      }
    std::stable_sort(ranked.begin(), ranked.end(),
                     [&](const Point& a, const Point& b) { return predicted(a) < predicted(b); });
    return ranked;
  }

  /// Moves to the best predicted value along one dimension.
  bool slide(Point& point, std::size_t d) {
    std::vector<Point> line(space_.dimensions()[d].values.size(), point);
    for (std::size_t i = 0; i < line.size(); ++i) line[i][d] = static_cast<std::uint16_t>(i);
    space_.examine_all(line);
    const auto cost = [&](const Point& p) {
      const Examined& e = space_.examine(p);
      const bool runs = e.pruned.empty() || e.estimate.seconds > 0;  // the same code as another is as good
      return runs ? e.estimate.seconds : std::numeric_limits<double>::infinity();
    };
    Point best = point;
    for (const Point& p : line)
      if (cost(p) < cost(best)) best = p;
    const bool moved = best != point;
    point = best;
    return moved;
  }

  std::string why_full() const {
    if (out_of_time()) return "the budget of " + std::to_string(static_cast<int>(options_.seconds)) + " s is spent";
    return "the budget of " + std::to_string(most()) + " configurations is spent";
  }

  // ---- the end ----
  /// Rounds in which both took part.
  std::int64_t common(const Tried& a, const Tried& b) const {
    std::int64_t rounds = 0;
    for (std::size_t r = 0; r < std::min(a.samples.size(), b.samples.size()); ++r)
      rounds += !std::isnan(a.samples[r]) && !std::isnan(b.samples[r]);
    return rounds;
  }

  /// Who came near the best at any time races once more with it, side by side: times of other rounds, or of another
  /// day, are no proof.
  void final_race() {
    const int timed = leader_;
    defend();
    std::vector<int> near;
    if (timed >= 0 && leader_ != timed && at(timed).number >= 0) near.push_back(timed);
    std::vector<int> order;
    for (int i = 0; i < static_cast<int>(result_.tried.size()); ++i)
      if (at(i).number >= 0 && at(i).outcome == Outcome::ok && at(i).runs > 0) order.push_back(i);
    std::sort(order.begin(), order.end(), [&](int a, int b) { return at(a).seconds.middle < at(b).seconds.middle; });
    constexpr std::size_t most_finalists = 6;
    std::stable_partition(order.begin(), order.end(), [](int i) { return i == 0; });  // the yardstick is always there
    const double fastest = leader_ >= 0 ? at(leader_).seconds.middle : 0;
    for (const int i : order)
      if (near.size() < most_finalists && i != leader_ && i != timed &&
          at(i).seconds.middle <= (i == 0 ? 1.15 : 1.06) * fastest)
        near.push_back(i);
    if (!near.empty()) race(near);
  }

  /// Who takes the place of the fastest so far: of those that tie with it, the target's own choice, else the best
  /// predicted. −1: all is lost.
  int best_choice() {
    if (leader_ < 0) return -1;
    std::vector<int> equal;
    for (int i = 0; i < static_cast<int>(result_.tried.size()); ++i) {
      const Tried &t = at(i), &best = at(leader_);
      if (t.outcome != Outcome::ok || t.seconds.middle <= 0) continue;
      bool ties = i == leader_;
      if (common(t, best) >= 3) {
        const Interval slower = slower_by(t.samples, best.samples);
        // The target's own choice stays unless another is surely faster by more than what ties.
        ties = ties || slower.middle <= options_.tie || (i == 0 && slower.low <= options_.tie);
      } else if (result_.timed == 0) {
        ties = ties || t.seconds.middle <= best.seconds.middle * (1 + options_.tie);
      }
      if (ties) equal.push_back(i);
    }
    if (equal.empty()) return leader_;
    return *std::min_element(equal.begin(), equal.end(), [&](int a, int b) {
      if ((a == 0) != (b == 0)) return a == 0;
      const double pa = predicted(at(a).point), pb = predicted(at(b).point);
      return pa != pb ? pa < pb : at(a).point < at(b).point;
    });
  }

  /// Samples those that may tie with the best until it is plain which do: another run must see it alike.
  void settle() {
    constexpr int most = 64;
    constexpr double most_seconds = 2;  // long calls are told apart by fewer samples, or not
    const double from = bench_.now();
    for (int r = 0; r < most && leader_ >= 0 && !out_of_time() && bench_.now() - from < most_seconds; ++r) {
      std::vector<int> near{leader_};
      bool open = false;
      for (int i = 0; i < static_cast<int>(result_.tried.size()); ++i) {
        if (i == leader_ || at(i).outcome != Outcome::ok || common(at(i), at(leader_)) < 3) continue;
        const Interval slower = slower_by(at(i).samples, at(leader_).samples);
        if (slower.low > options_.tie) continue;
        near.push_back(i);
        open = open || slower.high > options_.tie;
      }
      if (!open) return;
      std::sort(near.begin(), near.end());
      sample(near);
      std::erase_if(near, [&](int i) { return at(i).outcome != Outcome::ok; });
      leader_ = near.empty() ? -1 : best_of(near);
    }
  }

  void finish() {
    final_race();
    settle();
    if (leader_ < 0) {
      result_.stopped = "every configuration was lost";
      return;
    }
    result_.winner = best_choice();
    if (result_.timed == 0 && !options_.chosen.empty())  // nothing new was learnt: it stays as it was decided
      if (const auto point = space_.point_of(options_.chosen); point && find(*point) >= 0)
        result_.winner = find(*point);
    tell("done");
  }

  void tell(const char* stage) {
    if (!options_.watch) return;
    TuneProgress p;
    p.tried = result_.tried.size();
    p.planned = options_.kind == Search::guided
                    ? most()
                    : static_cast<std::size_t>(std::min<double>(space_.size(), static_cast<double>(most())));
    p.elapsed = bench_.now() - start_;
    p.left = std::max(0.0, options_.seconds - p.elapsed);
    const int best = result_.winner >= 0 ? result_.winner : leader_;
    if (best >= 0) p.best = at(best).seconds.middle, p.configuration = text_of(space_.tunables(at(best).point));
    if (!result_.tried.empty()) p.initial = at(0).seconds.middle;
    p.stage = stage;
    options_.watch(p);
  }

  Space& space_;
  Bench& bench_;
  const SearchOptions& options_;
  const double start_;
  SearchResult result_;
  std::map<Point, int> index_;
  std::map<Point, Tried> before_;
  int leader_ = -1;
  int numbers_ = 0;  ///< configurations given to the bench
  int round_ = 0;
  double best_predicted_ = std::numeric_limits<double>::infinity();
};

}  // namespace

SearchResult search(Space& space, Bench& bench, const SearchOptions& options) {
  return Searcher(space, bench, options).run();
}

}  // namespace autotune
TESSERA_END
