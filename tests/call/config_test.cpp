// Tests that every field of Config counts in its key, by reflection: a field that is added and forgotten fails here.
#include "tessera/call/config.hpp"

#include <doctest/doctest.h>

#include <boost/hana/accessors.hpp>
#include <boost/hana/adapt_struct.hpp>
#include <boost/hana/for_each.hpp>
#include <boost/hana/length.hpp>
#include <boost/hana/second.hpp>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

BOOST_HANA_ADAPT_STRUCT(tessera::Config, tunables, threads, checked, target, features, numerics, deterministic);

namespace {

using tessera::Config;

// How many fields Config has: with how many values of any type it can be made.
struct Any {
  template <class T>
  operator T() const;  // NOLINT(google-explicit-constructor): that is its use
};
template <class... Values>
consteval std::size_t field_count() {
  if constexpr (requires { Config{Values{}..., Any{}}; })
    return field_count<Values..., Any>();
  else
    return sizeof...(Values);
}
static_assert(field_count() == decltype(boost::hana::length(boost::hana::accessors<Config>()))::value,
              "Config has fields that this test does not know: add them above, and to Config::key()");

void change(std::vector<tessera::Tuned>& v) { v.push_back({"BM", 64}); }
void change(int& v) { ++v; }
void change(tessera::Numerics& v) { v = tessera::Numerics::strict; }
void change(bool& v) { v = !v; }
void change(std::string& v) { v += "x"; }

}  // namespace

TEST_CASE("every field of Config changes its key, and no two alike") {
  std::set<std::uint64_t> keys{Config{}.key()};
  std::size_t fields = 0;
  boost::hana::for_each(boost::hana::accessors<Config>(), [&](auto field) {
    Config config;
    change(boost::hana::second(field)(config));
    CHECK(keys.insert(config.key()).second);
    CHECK(config.key() != 0);
    ++fields;
  });
  CHECK(keys.size() == fields + 1);
}
