// Owns the making of a call from extents by name, for tuning without a caller's data.
#include <algorithm>

#include "autotune/tune/tune.hpp"
#include "tessera/call/argument.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/call/extents.hpp"
#include "tessera/call/frame.hpp"
#include "tessera/call/registry.hpp"
#include "tessera/call/uniform.hpp"
#include "tessera/types/convert.hpp"

TESSERA_BEGIN
namespace autotune {

Job Job::made_for(const ir::Program& program, const std::map<std::string, std::int64_t>& extents,
                  const std::map<std::string, double>& scalars) {
  const std::string kernel(program.name);
  const call::FrameLayout layout = call::frame_layout(program);
  Job job{program, std::vector<std::uint64_t>(layout.words(), 0), true, call::declared_space(program)};
  std::map<std::string, bool> used;
  for (std::size_t i = 0; i < program.extents.size(); ++i) {
    const ir::Extent& e = program.extents[i];
    const std::string base(program.str(e.base));
    const auto given = extents.find(base);
    if (given == extents.end())
      throw UserError(kernel + ": extent " + base + " is not given\n  hint: " + base + "=… gives it");
    if (given->second < 0)
      throw UserError(kernel + ": extent " + base + " is " + std::to_string(given->second) +
                      "\n  hint: extents are 0 or more");
    used[base] = true;
    job.frame[layout.extent_word(i)] = static_cast<std::uint64_t>(call::extent_value(e, given->second));
  }
  for (const auto& [name, value] : extents)
    if (!used.contains(name)) {
      std::string all;
      for (const auto& [known, yes] : used) all += (all.empty() ? "" : ", ") + known;
      throw UserError(kernel + ": there is no extent " + name +
                      "\n  hint: " + (all.empty() ? "this kernel has none" : "there are " + all));
    }
  double bytes = 0;
  std::map<std::string, bool> numbers;
  for (std::size_t a = 0; a < layout.args; ++a) {
    const ir::Arg& arg = program.args[a];
    const std::string name(program.str(arg.name));
    if (!call::is_array(arg)) {
      numbers[name] = true;
      const auto given = scalars.find(name);
      job.frame[a] = call::extend(arg.type, bits_from_double(arg.type, given == scalars.end() ? 1.0 : given->second));
      continue;
    }
    // Rows of packed elements start with a byte, and whatever is made is dense otherwise.
    const std::int64_t unit = info(arg.type).bits < 8 ? 8 : 1;
    std::int64_t stride = 1;
    for (int d = arg.rank; d-- > 0;) {
      const auto entry = static_cast<std::size_t>(arg.first_extent + d);
      job.frame[layout.stride_word(entry)] = static_cast<std::uint64_t>(stride);
      const auto extent = static_cast<std::int64_t>(
          job.frame[layout.extent_word(static_cast<std::size_t>(program.arg_extents[entry]))]);
      const bool fits = !__builtin_mul_overflow(stride, std::max<std::int64_t>(1, extent), &stride);
      if (!fits || stride > (std::int64_t{1} << 46))
        throw UserError(kernel + ": argument " + name + " of these extents is larger than any memory");
      if (d == arg.rank - 1 && arg.rank > 1) stride = (stride + unit - 1) / unit * unit;
    }
    bytes += static_cast<double>(stride) * info(arg.type).bits / 8;
    job.frame[a] = 4096;  // as aligned as memory that is made will be
  }
  for (const auto& [name, value] : scalars)
    if (!numbers.contains(name)) throw UserError(kernel + ": there is no scalar " + name);
  if (bytes > 64e9) throw UserError(kernel + ": arrays of these extents take more than 64 GB");
  for (std::size_t id = 0; id < program.nodes.size(); ++id) {
    const ir::Node& node = program.nodes[id];
    if (node.op != ir::Op::expects) continue;
    const std::int32_t condition = program.operand(node, 0);
    if (call::uniformity(program, condition) != call::Uniformity::frame) continue;
    const call::Uniform holds = call::evaluate_uniform(program, condition, job.frame.data());
    if (!holds.defined || holds.word == 0)
      throw UserError(kernel + ": expects: " + std::string(program.str(static_cast<std::int32_t>(node.imm))));
  }
  return job;
}

}  // namespace autotune
TESSERA_END
