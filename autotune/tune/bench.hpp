// Owns Bench, what a search asks of whoever compiles and times configurations.
#pragma once

#include <string>
#include <vector>

#include "autotune/store/tuned_store.hpp"
#include "tessera/call/config.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace autotune {

/// What came of compiling a configuration, running it once and checking its results.
struct Prepared {
  Outcome outcome = Outcome::ok;
  std::string note;  ///< why it is lost, in a sentence
  std::string bits;  ///< of its results: equal texts, bitwise equal results
};

/// Compiles, checks and times configurations, which have numbers in the order in which they came. The first one is the
/// reference of the others. A configuration that is lost costs no other one anything.
class Bench {
 public:
  virtual ~Bench() = default;
  /// Compiles these side by side, then runs and checks them one after the other.
  virtual std::vector<Prepared> prepare(const std::vector<std::vector<Tuned>>& configurations) = 0;
  /// One sample of each, one after the other: seconds of a call; NaN of what is lost.
  virtual std::vector<double> time(const std::vector<int>& numbers) = 0;
  /// What is known of one by now.
  virtual const Prepared& state(int number) const = 0;
  /// Seconds since some start.
  virtual double now() = 0;
};

}  // namespace autotune
TESSERA_END
