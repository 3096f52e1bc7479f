// Owns the policy of specialisation: what a new variant takes as known, given what was seen before.
#include "jit/specialisation.hpp"

#include <algorithm>

TESSERA_BEGIN
namespace jit {

Specialisation Specialisation::generic(const ir::Program& program) {
  const call::FrameLayout layout = call::frame_layout(program);
  Specialisation s;
  s.words.resize(layout.words());
  s.multiples.assign(layout.words(), 1);
  for (const ir::Arg& arg : program.args) s.alignment.push_back(std::max(1, info(arg.type).bits / 8));
  return s;
}

std::vector<call::Guard> Specialisation::guards() const {
  std::vector<call::Guard> list;
  for (std::size_t w = 0; w < words.size(); ++w) {
    if (words[w])
      list.push_back(call::Guard::equal(w, static_cast<std::uint64_t>(*words[w])));
    else if (multiples[w] > 1)
      list.push_back(call::Guard::multiple_of(w, static_cast<std::uint64_t>(multiples[w])));
  }
  return list;
}

std::string Specialisation::describe(const ir::Program& program) const {
  const call::FrameLayout layout = call::frame_layout(program);
  std::string text;
  const auto add = [&](const std::string& name, std::size_t word) {
    if (!words[word] && multiples[word] == 1) return;
    text += (text.empty() ? "" : " ") + name;
    text += words[word] ? "=" + std::to_string(*words[word]) : "%" + std::to_string(multiples[word]) + "=0";
  };
  for (std::size_t i = 0; i < program.extents.size(); ++i) {
    const ir::Extent& e = program.extents[i];
    std::string name(program.str(e.base));
    if (e.plus != 0) name += (e.plus > 0 ? "+" : "") + std::to_string(e.plus);
    if (e.divide != 1) name += "/" + std::to_string(e.divide);
    add(name, layout.extent_word(i));
  }
  for (const ir::Arg& arg : program.args) {
    if (!call::is_parameter(arg)) break;
    if (!call::is_array(arg)) continue;
    for (int axis = 0; axis < arg.rank; ++axis)
      add("stride(" + std::string(program.str(arg.name)) + "," + std::to_string(axis) + ")",
          layout.stride_word(static_cast<std::size_t>(arg.first_extent + axis)));
  }
  return text.empty() ? "generic" : text;
}

Specialisation SpecialisationPolicy::next(const ir::Program& program, const std::uint64_t* frame,
                                          std::size_t variants) {
  const call::FrameLayout layout = call::frame_layout(program);
  Specialisation s = Specialisation::generic(program);
  for (std::size_t w = 0; w < layout.words(); ++w) s.typical.push_back(static_cast<std::int64_t>(frame[w]));
  if (variants + 1 >= max_variants) return s;
  seen_.resize(layout.words());
  for (std::size_t w = layout.first_extent(); w < layout.words(); ++w) {
    const auto value = static_cast<std::int64_t>(frame[w]);
    auto& values = seen_[w];
    if (values.size() < patience && std::find(values.begin(), values.end(), value) == values.end())
      values.push_back(value);
    const bool telling =
        w >= layout.first_stride() && (value == 0 || value == 1);  // what decides how code reads memory
    if (variants + 2 >= max_variants ? telling : telling || values.size() < patience) s.words[w] = value;
  }
  return s;
}

}  // namespace jit
TESSERA_END
