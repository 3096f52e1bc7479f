// Owns the space of configurations of one kernel for one call: what can be tried, what is pruned before it is compiled
// and why, and what each is predicted to take.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "autotune/tune/stop.hpp"
#include "jit/specialisation.hpp"
#include "jit/target.hpp"
#include "tessera/call/config.hpp"
#include "tessera/call/space.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// What is tuned: a program, a call of it, and the machine.
struct Problem {
  const ir::Program& program;
  std::vector<std::uint64_t> frame;
  const jit::Target& target;
  std::string features;
  int threads = 0;  ///< 0: all
  Numerics numerics = Numerics::standard;
  bool deterministic = false;
  jit::Specialisation known;

  Problem(const ir::Program& p, std::vector<std::uint64_t> words, const jit::Target& t, const Config& config);
};

/// One tunable, or one choice of the target's.
struct Dimension {
  std::string name;
  std::vector<std::int64_t> values;  ///< ascending
  std::size_t initial = 0;           ///< the target's own choice
};

/// A configuration: for each dimension, which of its values.
using Point = std::vector<std::uint16_t>;

/// What is known of a configuration without compiling it.
struct Examined {
  std::string pruned;  ///< why it is not worth compiling; empty: it is
  std::uint64_t plan = 0;
  jit::Estimate estimate;
};

/// The space. Examining plans the program, in about a millisecond, and remembers what came out.
class Space {
 public:
  /// Dimensions: the tunables and the target's choices, with values from `given`, else from what is `declared`, else
  /// from the target. What `fixed` gives is no dimension. Throws UserError for values that cannot be.
  Space(Problem problem, const std::vector<Candidates>& given, const std::vector<Candidates>& declared,
        const Config& fixed);

  const Problem& problem() const { return problem_; }
  const std::vector<Dimension>& dimensions() const { return dimensions_; }
  /// The number of configurations.
  double size() const;
  /// What the target chooses unasked.
  Point initial() const;
  /// Every configuration in canonical order, the last dimension fastest; at most `limit`.
  std::vector<Point> all(std::size_t limit) const;
  /// One step along each dimension, over what is pruned, those with the better predictions first.
  std::vector<Point> neighbours(const Point& point);

  const Examined& examine(const Point& point);
  /// Examines many, on all cores. Throws Stopped.
  void examine_all(const std::vector<Point>& points);
  /// Lets examine_all be stopped.
  void stop_when(StopRequest stopped) { stopped_ = std::move(stopped); }
  /// All that was examined, in canonical order.
  const std::map<Point, Examined>& examined() const { return examined_; }

  /// The tunables and choices of a point, with what is fixed; choices that are left to the target are left out.
  std::vector<Tuned> tunables(const Point& point) const;
  /// The point that has these values; nothing where a dimension lacks one.
  std::optional<Point> point_of(const std::vector<Tuned>& tunables) const;
  /// The point nearest to these values, by their ratios.
  Point nearest(const std::vector<Tuned>& tunables) const;

 private:
  Examined look(const Point& point) const;
  jit::PlanRequest request(const Point& point) const;
  void remember(const Point& point, Examined found);

  Problem problem_;
  std::vector<Tuned> fixed_;
  std::vector<Dimension> dimensions_;
  std::map<Point, Examined> examined_;
  std::map<std::uint64_t, Point> plans_;  ///< the first point that gave a plan
  StopRequest stopped_;
};

/// "BK=64 BM=32", in the order of the dimensions; "the target's choice" of nothing.
std::string text_of(const std::vector<Tuned>& tunables);

}  // namespace autotune
TESSERA_END
