// Owns the canonical order of a program's nodes: it follows from effects and operands, not from the order of recording.
#pragma once

#include <cstdint>
#include <vector>

#include "tessera/ir/fields.hpp"
#include "tessera/ir/tile.hpp"

TESSERA_BEGIN
namespace ir::detail {

/// A fixed number of zeros, cheaper in constant evaluation than std::vector.
template <class T>
class Zeros {
 public:
  constexpr explicit Zeros(std::size_t size) : data_(new T[size + 1]{}) {}
  Zeros(const Zeros&) = delete;
  Zeros& operator=(const Zeros&) = delete;
  constexpr ~Zeros() { delete[] data_; }
  constexpr T& operator[](std::int64_t i) { return data_[i]; }
  constexpr const T& operator[](std::int64_t i) const { return data_[i]; }

 private:
  T* data_;
};

// The order: anchors (is_anchor) keep theirs. Before each of them come, depth first and in operand order, the nodes it
// needs that have not come yet, each in its own region, so that what a loop body needs from outside comes before the
// loop. A combining function's region comes with the first node that needs its result. A read of a Var or of an array
// that the program also writes must not slip behind a write that followed it: it comes before that write at the latest;
// several such reads come in the order in which their users would have asked for them. Hence two walks: the first finds
// that order, and what is dead; the second, made only where the first let a read slip, obeys the writes.
//
// Two recordings of one kernel that differ in the order of pure nodes, reads and Var declarations between two anchors
// give the same order.
class Order {
 public:
  constexpr explicit Order(const Program& p)
      : p_(p),
        size_(static_cast<int>(p.size())),
        close_(p.size()),
        region_(p.size()),
        head_(p.size() + 1),
        tail_(p.size() + 1),
        next_(p.size()),
        rank_(p.size()),
        done_(p.size()),
        entered_(p.size()),
        last_write_(p.size() + p.args.size()),
        first_read_(p.size() + p.args.size()),
        next_read_(p.size()),
        block_(p.axes.size()) {
    find_regions();
    walk(false);
    if (slipped_) {
      for (int i = 0; i < size_; ++i) rank_[i] = done_[i];
      find_reads();
      walk(true);
    }
  }

  /// The live nodes in their new order, as indices of the old.
  constexpr std::vector<std::int32_t> nodes() const {
    std::vector<std::int32_t> out;
    out.reserve(static_cast<std::size_t>(size_));
    for (int i = head_[0]; i != 0; i = next_[i - 1]) out.push_back(i - 1);
    return out;
  }

 private:
  struct Frame {
    int node, dependency;
  };

  // Regions are named by the node that opens them, plus 1: 0 is the top level. Links are node + 1 too: 0 ends a list.
  constexpr void find_regions() {
    std::vector<int> open;
    for (int i = 0; i < size_; ++i) {
      region_[i] = open.empty() ? 0 : open.back() + 1;
      const Node& n = p_.node(i);
      if (info(n.op).op_class == OpClass::block && n.rank == 1 && block_[n.axes[0]] == 0) block_[n.axes[0]] = i + 1;
      if (opens_region(n.op)) open.push_back(i);
      if (closes_region(n.op) && !open.empty()) {
        close_[open.back()] = i;
        open.pop_back();
      }
    }
  }

  // What a read reads, or −1: the Var's node, or size_ + the array that the program may also write.
  constexpr int read_target(const Node& n) const {
    if (n.op == Op::get) return p_.operand(n, 0);
    if (n.op == Op::load && p_.args[static_cast<std::size_t>(n.imm)].effect != Effect::in)
      return size_ + static_cast<int>(n.imm);
    return -1;
  }
  constexpr int write_target(const Node& n) const {
    if (writes_var(n.op)) return p_.operand(n, 0);
    return writes_array(n.op) ? size_ + static_cast<int>(imm_fields(n.op).field[0].get(n.imm)) : -1;
  }

  constexpr void find_reads() {
    for (int i = size_ - 1; i >= 0; --i) {
      const int target = rank_[i] != 0 ? read_target(p_.node(i)) : -1;
      if (target < 0) continue;
      next_read_[i] = first_read_[target];
      first_read_[target] = i + 1;
    }
  }

  constexpr void walk(bool obey) {
    obey_ = obey;
    counter_ = 0;
    for (int i = 0; i <= size_; ++i) head_[i] = tail_[i] = 0;
    for (int i = 0; i < size_; ++i) next_[i] = done_[i] = 0, entered_[i] = false;
    process(-1);
  }

  // The region that `opener` opens (−1: the program), anchor by anchor.
  constexpr void process(int opener) {
    const int last = opener < 0 ? size_ : close_[opener] + 1;
    for (int i = opener + 1; i < last;) {
      const Op op = p_.node(i).op;
      if (opens_control(op)) {
        i = control(i);
      } else if (opens_combine(op)) {
        i = close_[i] + 1;
      } else {
        if (is_anchor(op)) demand(i);
        ++i;
      }
    }
  }

  // A loop, or a condition together with its else, between which nothing may come. Returns the node that follows.
  constexpr int control(int opener) {
    const int then = close_[opener] + 1;
    const bool has_else = p_.node(opener).op == Op::if_region && then < size_ && p_.node(then).op == Op::else_region;
    if (p_.node(opener).count != 0) demand(p_.operand(p_.node(opener), 0));
    process(opener);
    if (has_else) process(then);
    append_region(opener);
    if (has_else) append_region(then);
    return has_else ? close_[then] + 1 : then;
  }

  constexpr void append(int node) {
    const int r = region_[node];
    (tail_[r] != 0 ? next_[tail_[r] - 1] : head_[r]) = node + 1;
    tail_[r] = node + 1;
    done_[node] = ++counter_;
  }
  constexpr void append_region(int opener) {
    append(opener);
    if (head_[opener + 1] == 0) return;
    next_[opener] = head_[opener + 1];
    tail_[region_[opener]] = tail_[opener + 1];
  }

  // The k-th node that `n` needs: operands, then the blocks that define its axes; −1 for none, −2 after the last.
  constexpr int dependency(int index, const Node& n, int k) const {
    if (k < n.count) return p_.operand(n, k);
    k -= n.count;
    if (k >= n.rank) return -2;
    const int block = block_[n.axes[k]] - 1;
    if (block < 0 || block == index) return -1;
    // An axis that a rename made first may have a block of its own later, as<"J">(…), which depends on nothing between.
    const Node& b = p_.node(block);
    const bool could_precede = b.op == Op::alias && region_[block] == region_[index] && p_.operand(b, 0) < index;
    return block < index || could_precede ? block : -1;
  }

  constexpr void demand(int wanted) {
    if (done_[wanted] != 0) return;
    const std::size_t base = stack_.size();
    stack_.push_back({wanted, 0});
    while (stack_.size() > base) {
      Frame& frame = stack_.back();
      const int node = frame.node;
      const Node& n = p_.node(node);
      const int needed = done_[node] != 0 ? -2 : dependency(node, n, frame.dependency++);
      if (needed >= 0 && done_[needed] == 0) stack_.push_back({needed, 0});
      if (needed != -2) continue;
      stack_.pop_back();
      if (done_[node] == 0) finish(node, n);
    }
  }

  constexpr void finish(int node, const Node& n) {
    if (const int target = write_target(n); target >= 0) {
      if (obey_) flush(target, node);
      last_write_[target] = node;
    }
    if (const int target = read_target(n); target >= 0 && last_write_[target] > node) slipped_ = true;
    if (opens_combine(n.op)) {
      entered_[node] = true;
      process(node);
      append_region(node);
    } else {
      append(node);
    }
  }

  // Brings the live reads of `target` that were recorded before `write`.
  constexpr void flush(int target, int write) {
    std::vector<int> reads;
    int& first = first_read_[target];
    for (; first != 0 && first - 1 < write; first = next_read_[first - 1])
      if (done_[first - 1] == 0) reads.push_back(first - 1);
    for (std::size_t i = 1; i < reads.size(); ++i)
      for (std::size_t j = i; j > 0 && rank_[reads[j]] < rank_[reads[j - 1]]; --j) {
        const int other = reads[j];
        reads[j] = reads[j - 1];
        reads[j - 1] = other;
      }
    for (int read : reads) demand(outermost_combine(read));
  }
  constexpr int outermost_combine(int node) const {
    int found = node;
    for (int r = region_[node]; r != 0; r = region_[r - 1])
      if (opens_combine(p_.node(r - 1).op) && !entered_[r - 1]) found = r - 1;
    return found;
  }

  const Program& p_;
  int size_;
  bool obey_ = false, slipped_ = false;
  int counter_ = 0;
  Zeros<int> close_, region_, head_, tail_, next_, rank_, done_;
  Zeros<bool> entered_;
  Zeros<int> last_write_, first_read_, next_read_;
  Zeros<int> block_;  // of each axis: the first block that has it, plus 1
  std::vector<Frame> stack_;
};

}  // namespace ir::detail
TESSERA_END
