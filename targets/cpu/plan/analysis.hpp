// Owns what planning must know of a Tile IR program before it writes code: users, regions, costs, hazards, and which
// values are kept in buffers.
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace cpu {

/// A structured region of a program: nodes (begin, end), both exclusive, opened by node `begin`.
struct RegionSpan {
  int begin = -1, end = -1, parent = -1;
};

/// How a node's value comes to be.
enum class Form : std::uint8_t {
  dead,    ///< nobody needs it
  scalar,  ///< rank 0: computed where it stands
  point,   ///< computed where it is needed, at each point (fused)
  buffer,  ///< computed where it stands, kept in a buffer
  core,    ///< a reduction or dot computed inside the job of another node (Analysis::core_of)
  effect,  ///< control, stores, sets, prints
};

struct Analysis {
  explicit Analysis(const ir::Program& p);

  const ir::Program& program;
  std::vector<std::vector<int>> users;  ///< of each node, each user once per operand
  std::vector<int> region;              ///< of each node: index into regions
  std::vector<int> region_of_opener;    ///< of a region-opening node: the region it opens, else −1
  std::vector<RegionSpan> regions;      ///< 0 is the whole program
  std::vector<Form> form;
  std::vector<int> core_of;              ///< job root → the reduction or dot computed inside its nest, or −1
  std::vector<int> filled_with;          ///< of a reduction: the kept value that its job makes as it goes, or −1
  std::vector<bool> filled;              ///< whether a kept value is made so, and not where it stands
  std::vector<bool> var_read_elsewhere;  ///< of a `set`: its value reads the Var at other coordinates

  bool expensive(int node) const { return cost_[static_cast<std::size_t>(node)] >= 6; }
  /// Rough operations a point costs, down to what is kept in buffers.
  int cost(int node) const { return cost_[static_cast<std::size_t>(node)]; }
  bool combines_in_steps(int opener) const;
  bool in_region(int node, int region_index) const;
  /// Whether a fused value is the same at a place in every turn of a loop region.
  bool unchanged_in(int node, int region_index) const;
  /// Whether a ≤ b wherever both are evaluated and neither is NaN: b is a maximum over a, for instance.
  bool at_most(int a, int b) const;
  /// Whether a value is ≤ 0 or NaN: the distance from a maximum.
  bool nonpositive(int node) const;

 private:
  void find_regions();
  void find_users();
  void find_live();
  void find_costs();
  void choose_forms();
  void fuse_cores();
  void keep_hazards();
  void find_filled();
  int filled_by_reduction(int node) const;
  bool reaches(int from, int node) const;
  bool reached_directly(int from, int node) const;
  bool is_minus_infinity(int node) const;
  void find_self_reads();
  bool same_axes(const ir::Node& a, const ir::Node& b) const;
  int last_evaluation(int node) const;
  bool changed_between(int node, int from, int to) const;

  std::vector<int> cost_;
  std::vector<bool> live_;
};

}  // namespace cpu
TESSERA_END
