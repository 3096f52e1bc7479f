// Owns elementwise nests that read across the run of what they write, such as a transposition: square tiles are read
// along the run of their source and turned in registers.
#include <algorithm>

#include "targets/cpu/plan/planner.hpp"

TESSERA_BEGIN
namespace cpu {

/// The axis along which something lies side by side that `vector_axis` steps over; what is read so goes to `crossing`.
int Planner::crossing_axis(const Target& target, int vector_axis, std::vector<int>& crossing) {
  std::vector<std::int64_t> steps(program_.axes.size(), 0);
  for (int axis : target.axes) {
    if (axis == vector_axis) continue;
    crossing.clear();
    for (int root : roots_of(target))
      for_each_fused(root, [&](int id) {
        const Node& n = program_.node(id);
        const bool kept = slots_[static_cast<std::size_t>(id)] && n.op != Op::var;
        if ((n.op != Op::load && !kept) || !program_.has_axis(n, axis) || !program_.has_axis(n, vector_axis)) return;
        for (int i = 0; i < n.rank; ++i)  // an axis that `at` takes away has no lane here
          if (std::find(target.axes.begin(), target.axes.end(), n.axes[i]) == target.axes.end()) return;
        if (n.op == Op::load) {
          const int arg = static_cast<int>(n.imm & 0xffffffff);
          if (n.flags & (ir::flag_masked | ir::flag_padded)) return;
          for (int d = 0; d < program_.args[static_cast<std::size_t>(arg)].rank; ++d)
            if (!bare_over(program_.node(program_.operand(n, d)), arg, d)) return;
        }
        const auto step = [&](int along) {
          std::fill(steps.begin(), steps.end(), 0);
          steps[static_cast<std::size_t>(along)] = 1;
          return access_step(id, steps).value_or(0);
        };
        if (step(axis) == 1 && std::abs(step(vector_axis)) > 1) crossing.push_back(id);
      });
    if (!crossing.empty()) return axis;
  }
  return -1;
}

/// Lines of the source are read whole, and runs of the target grow by a vector at a time: for a strip of the vector
/// axis, for each line of the crossing axis, down the strip. What is no whole tile is done as any other nest.
void Planner::turned_nest(const Target& target, Env env, int vector_axis, int cross_axis,
                          const std::vector<int>& crossing) {
  constexpr std::int64_t strip = 512;
  const int width = env.width, line = std::max(width, 64 * 8 / std::max<int>(8, info(target.type).bits));
  const AxisState &v = axis_[static_cast<std::size_t>(vector_axis)], &c = axis_[static_cast<std::size_t>(cross_axis)];
  const std::vector<int> roots = roots_of(target);
  const auto whole = [&](Value from, Value to, int unit) {
    const Value count = b_->max(b_->sub(to, from), i64(0));
    return b_->add(from, b_->round_down(count, unit));
  };
  const auto tile = [&](const Env& at, Value row, Value column) {
    for (int id : crossing) {
      std::vector<Value> rows;
      for (int i = 0; i < width; ++i) {
        Env e = bind(bind(at, vector_axis, b_->add(row, i64(i)), 0), cross_axis, column, 1);
        rows.push_back(machine(eval(id, e), e, true));
      }
      turn(*b_, rows);
      for (int j = 0; j < width; ++j)
        remember(id, bind(bind(at, vector_axis, row, 1), cross_axis, b_->add(column, i64(j)), 0),
                 wrap(rows[static_cast<std::size_t>(j)]));
    }
    for (int j = 0; j < width; ++j) {
      Env e = bind(bind(at, vector_axis, row, 1), cross_axis, b_->add(column, i64(j)), 0);
      write_point(target, e);
    }
  };
  const auto plain = [&](const Env& at, Value from, Value to, Value v_from) {
    b_->for_loop(from, to, i64(1), [&](Value column) {
      scoped([&] {
        Env e = bind(at, cross_axis, column);
        for (int r : roots) hoist(e, r);
        vector_loop(e, vector_axis, v_from, v.hi, width, 1, [&](std::span<Env> envs) { write_point(target, envs[0]); });
      });
    });
  };

  std::vector<int> others;
  for (int a : target.axes)
    if (a != vector_axis && a != cross_axis) others.push_back(a);
  loops(env, others, -1, 1, 1, roots, [&](std::span<Env> envs) {
    const Env at = envs[0];
    const Value v_whole = whole(v.lo, v.hi, width), c_lines = whole(c.lo, c.hi, line),
                c_whole = whole(c.lo, c.hi, width);
    b_->for_loop(v.lo, v_whole, i64(strip), [&](Value top) {
      const Value bottom = b_->min(b_->add(top, i64(strip)), v_whole);
      const auto columns = [&](Value from, Value to, int step) {
        b_->for_loop(from, to, i64(step), [&](Value column) {
          b_->for_loop(top, bottom, i64(width), [&](Value row) {
            scoped([&] {
              for (int g = 0; g < step; g += width) tile(at, row, b_->add(column, i64(g)));
            });
          });
        });
      };
      columns(c.lo, c_lines, line);
      if (line > width) columns(c_lines, c_whole, width);
    });
    plain(at, c.lo, c_whole, v_whole);
    plain(at, c_whole, c.hi, v.lo);
  });
}

/// Transposes n × n elements in log2(n) rounds of two-input shuffles (Eklundh 1972), for rows of n lanes.
void turn(loop::Builder& b, std::vector<Value>& rows) {
  const int n = static_cast<int>(rows.size());
  for (int s = n / 2; s >= 1; s /= 2) {
    std::vector<int> upper(static_cast<std::size_t>(n)), lower(static_cast<std::size_t>(n));
    for (int l = 0; l < n; ++l) {
      upper[static_cast<std::size_t>(l)] = l & s ? n + l - s : l;
      lower[static_cast<std::size_t>(l)] = l & s ? n + l : l + s;
    }
    for (int i = 0; i < n; ++i) {
      if (i & s) continue;
      const Value x = rows[static_cast<std::size_t>(i)], y = rows[static_cast<std::size_t>(i + s)];
      rows[static_cast<std::size_t>(i)] = b.shuffle(x, y, upper);
      rows[static_cast<std::size_t>(i + s)] = b.shuffle(x, y, lower);
    }
  }
}

}  // namespace cpu
TESSERA_END
