// Owns the rows of the table of mma shapes and the cutting of tiles into them.
#include "jit/loop/mma_shapes.hpp"

#include <cstdlib>
#include <map>

#include "jit/loop/machine.hpp"

TESSERA_BEGIN
namespace loop {
namespace {

constexpr auto R = Place::registers, L = Place::lane, W = Place::warp;

// A decimal number at the front of `text`, taken off it; −1 where there is none.
int take_number(std::string_view& text) {
  int n = 0, digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9' && digits < 6) {
    n = n * 10 + (text[0] - '0');
    text.remove_prefix(1);
    ++digits;
  }
  return digits > 0 ? n : -1;
}

// Whether `name` is `front`, a number, `back`.
bool has_number(std::string_view name, std::string_view front, std::string_view back, int& number) {
  if (!name.starts_with(front)) return false;
  name.remove_prefix(front.size());
  number = take_number(name);
  return number > 0 && name == back;
}

// "a", "b" or "c" of what 32 lanes hold of a 16×16, a 16×8 and a 16×8 tile, as mma.sync lays it out.
Layout sm_fragment(char which) {
  if (which == 'a') return {"a", {16, 16}, {{1, R, 2, 1}, {0, R, 2, 8}, {1, R, 2, 8}, {1, L, 4, 2}, {0, L, 8, 1}}};
  if (which == 'b') return {"b", {16, 8}, {{0, R, 2, 1}, {0, R, 2, 8}, {0, L, 4, 2}, {1, L, 8, 1}}};
  return {"c", {16, 8}, {{1, R, 2, 1}, {0, R, 2, 8}, {1, L, 4, 2}, {0, L, 8, 1}}};
}

Layout wgmma_fragment(char which, int n) {
  Layout l = sm_fragment(which);
  l.shape[0] = 64;
  l.factors.push_back({0, W, 4, 16});
  if (which == 'c') {
    l.shape[1] = n;
    l.factors.push_back({1, R, n / 8, 8});
  }
  return l;
}

int number_of_machine(std::string_view machine, std::string_view front) {
  if (!machine.starts_with(front)) return -1;
  machine.remove_prefix(front.size());
  return take_number(machine);
}

}  // namespace

std::optional<MmaShape> find_mma_shape(std::string_view name, std::string_view machine) {
  const MachineFacts facts = machine_facts(machine);
  MmaShape s;
  s.name = std::string(name);
  if (facts.kind != MachineFacts::Kind::gpu) {
    std::string_view rest = name;
    if (!rest.starts_with("outer_")) return {};
    rest.remove_prefix(6);
    s.m = take_number(rest);
    if (rest.empty() || rest[0] != 'x') return {};
    rest.remove_prefix(1);
    s.n = take_number(rest);
    s.k = 1;
    if (!rest.empty() || s.m < 1 || s.n < 1 || s.m > 65535 || s.n > 65535) return {};
    return s;
  }
  const int sm = number_of_machine(machine, "sm_");
  if (name == "m16n8k16" && sm >= 80) {
    s.m = 16, s.n = 8, s.k = 16, s.warps = 1;
    s.a = sm_fragment('a'), s.b = sm_fragment('b'), s.c = sm_fragment('c');
    return s;
  }
  if (int n = 0; has_number(name, "wgmma_m64n", "k16", n) && machine == "sm_90a") {
    if (n % 8 != 0 || n > 256) return {};
    s.m = 64, s.n = n, s.k = 16, s.warps = 4;
    s.asynchronous = s.a_in_memory = s.b_in_memory = true;
    s.a = wgmma_fragment('a', n), s.c = wgmma_fragment('c', n);
    return s;
  }
  if (machine == "gfx942" || machine == "gfx90a") {
    if (name == "mfma_32x32x8") {
      s.m = 32, s.n = 32, s.k = 8, s.warps = 1;
      s.a = {"a", {32, 8}, {{1, R, 4, 1}, {0, L, 32, 1}, {1, L, 2, 4}}};
      s.b = {"b", {8, 32}, {{0, R, 4, 1}, {1, L, 32, 1}, {0, L, 2, 4}}};
      s.c = {"c", {32, 32}, {{0, R, 4, 1}, {0, R, 4, 8}, {1, L, 32, 1}, {0, L, 2, 4}}};
      return s;
    }
    if (name == "mfma_16x16x16") {
      s.m = 16, s.n = 16, s.k = 16, s.warps = 1;
      s.a = {"a", {16, 16}, {{1, R, 4, 1}, {0, L, 16, 1}, {1, L, 4, 4}}};
      s.b = {"b", {16, 16}, {{0, R, 4, 1}, {1, L, 16, 1}, {0, L, 4, 4}}};
      s.c = {"c", {16, 16}, {{0, R, 4, 1}, {1, L, 16, 1}, {0, L, 4, 4}}};
      return s;
    }
  }
  return {};
}

bool mma_takes(const MmaShape& shape, DType a, DType b, DType c) {
  if (a != b) return false;
  if (shape.warps == 0) return c == a && info(c).bits >= 16 && !info(c).is_boolean();
  const bool half = a == DType::f16 || a == DType::bf16;
  const bool narrow = c == DType::f16 && a == DType::f16 && shape.name.find("mfma") == std::string::npos;
  return half && (c == DType::f32 || narrow);
}

namespace {

// Whether `tile` is made of whole fragments: the factors of each place begin with the fragment's, the rest steps over
// whole ones.
std::string fits(const Layout& tile, const Layout& fragment, const char* which) {
  const std::string self = "the layout of " + std::string(which);
  if (tile.shape.size() != 2) return self + " has no two dimensions";
  for (int place = 0; place < place_count; ++place) {
    std::vector<Factor> mine, wanted;
    for (const Factor& f : tile.factors)
      if (static_cast<int>(f.place) == place && f.size > 1) mine.push_back(f);
    for (const Factor& f : fragment.factors)
      if (static_cast<int>(f.place) == place && f.size > 1) wanted.push_back(f);
    for (std::size_t i = 0; i < wanted.size(); ++i)
      if (i >= mine.size() || mine[i] != wanted[i])
        return self + " does not begin with the fragment's factors over " + std::string(place_names[place]);
    for (std::size_t i = wanted.size(); i < mine.size(); ++i) {
      if (static_cast<Place>(place) == Place::lane) return self + " spreads over more lanes than a warp has";
      if (mine[i].stride % fragment.shape[mine[i].dim] != 0) return self + " steps over part of a fragment";
    }
  }
  return {};
}

using Corner = std::pair<std::int64_t, std::int64_t>;

std::map<Corner, std::int32_t> blocks(const Layout& tile, const Layout& fragment, int warp) {
  std::map<Corner, std::int32_t> out;
  const std::int64_t held = extent(fragment, Place::registers), all = extent(tile, Place::registers);
  for (std::int64_t r = 0; r < all; r += held) {
    const Coordinate c = coordinate(tile, {r, 0, warp, 0, 0});
    out.emplace(Corner{c[0], c[1]}, static_cast<std::int32_t>(r / held));
  }
  return out;
}

}  // namespace

MmaPlan plan_mma(const MmaShape& shape, const Layout* a, const Layout* b, const Layout& c, int depth) {
  MmaPlan plan;
  const auto refuse = [&](std::string why) {
    plan.error = std::move(why);
    return plan;
  };
  if (c.shape.size() != 2 || (a && a->shape.size() != 2) || (b && b->shape.size() != 2))
    return refuse("its tiles have two dimensions");
  if ((a && (a->shape[0] != c.shape[0] || a->shape[1] != depth)) ||
      (b && (b->shape[1] != c.shape[1] || b->shape[0] != depth)))
    return refuse("the shapes of its tiles do not go together");
  if (c.shape[0] % shape.m != 0 || c.shape[1] % shape.n != 0 || depth % shape.k != 0)
    return refuse("its tiles are no multiples of " + std::to_string(shape.m) + "×" + std::to_string(shape.n) + "×" +
                  std::to_string(shape.k));
  if (shape.warps == 0) {
    if (c.shape[0] != shape.m || c.shape[1] != shape.n) return refuse("its tiles are not of the shape " + shape.name);
    return plan;
  }
  std::string why = fits(c, shape.c, "c");
  if (why.empty() && a) why = fits(*a, shape.a, "a");
  if (why.empty() && b) why = fits(*b, shape.b, "b");
  if (!why.empty()) return refuse(why);
  const int groups = static_cast<int>(extent(c, Place::warp)) / shape.warps;
  for (int g = 0; g < groups; ++g) {
    const int warp = g * shape.warps;
    const auto of_a = a ? blocks(*a, shape.a, warp) : std::map<Corner, std::int32_t>{};
    const auto of_b = b ? blocks(*b, shape.b, warp) : std::map<Corner, std::int32_t>{};
    auto& steps = plan.groups.emplace_back();
    for (const auto& [corner, block] : blocks(c, shape.c, warp))
      for (int k = 0; k < depth; k += shape.k) {
        MmaStep s{0, 0, block, static_cast<std::int32_t>(corner.first), static_cast<std::int32_t>(corner.second), k};
        if (a) {
          const auto it = of_a.find({corner.first, k});
          if (it == of_a.end()) return refuse("a warp does not hold the rows of a that its part of c needs");
          s.a = it->second;
        }
        if (b) {
          const auto it = of_b.find({k, corner.second});
          if (it == of_b.end()) return refuse("a warp does not hold the columns of b that its part of c needs");
          s.b = it->second;
        }
        steps.push_back(s);
      }
  }
  return plan;
}

}  // namespace loop
TESSERA_END
