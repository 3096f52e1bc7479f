// A program that calls one kernel of a library, on zeros: `call_kernel LIB.so KERNEL M=8 N=100 [BM=4]`. It fills
// caches.
#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "tessera/call/config.hpp"
#include "tessera/call/extents.hpp"
#include "tessera/call/registry.hpp"
#include "tessera/call/statistics.hpp"

using namespace tessera;

namespace {

/// Addresses of zeros, extents, and strides of dense arrays.
std::vector<std::uint64_t> frame_of(const ir::Program& program, const std::map<std::string, std::int64_t>& extents,
                                    std::vector<std::vector<char>>& arrays) {
  const call::FrameLayout layout = call::frame_layout(program);
  std::vector<std::uint64_t> frame(layout.words());
  for (std::size_t i = 0; i < program.extents.size(); ++i)
    frame[layout.extent_word(i)] = static_cast<std::uint64_t>(
        call::extent_value(program.extents[i], extents.at(std::string(program.str(program.extents[i].base)))));
  for (std::size_t a = 0; a < layout.args; ++a) {
    const ir::Arg& arg = program.args[a];
    if (!call::is_array(arg)) continue;
    std::uint64_t stride = 1;
    for (int axis = arg.rank - 1; axis >= 0; --axis) {
      const auto entry = static_cast<std::size_t>(arg.first_extent + axis);
      frame[layout.stride_word(entry)] = stride;
      stride *= frame[layout.extent_word(static_cast<std::size_t>(program.arg_extents[entry]))];
    }
    arrays.emplace_back(stride * 8 + 64);
    frame[layout.arg_word(a)] = (reinterpret_cast<std::uintptr_t>(arrays.back().data()) + 63) / 64 * 64;
  }
  return frame;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3 || !dlopen(argv[1], RTLD_NOW)) return 2;
  std::map<std::string, std::int64_t> extents;
  Config config;
  for (const RegisteredKernel& kernel : registered_kernels()) {
    if (kernel.name != argv[2]) continue;
    const ir::Program& program = *kernel.record->program;
    for (int i = 3; i < argc; ++i) {
      const std::string text = argv[i], name = text.substr(0, text.find('='));
      const std::int64_t value = std::atoll(text.c_str() + name.size() + 1);
      bool tunable = false;
      for (const ir::Tunable& t : program.tunables) tunable |= program.str(t.name) == name;
      if (tunable)
        config.tunables.push_back({name, value});
      else
        extents[name] = value;
    }
    std::vector<std::vector<char>> arrays;
    const auto frame = frame_of(program, extents, arrays);
    const Status status =
        call::launch(*kernel.record, frame.data(), frame.size(), config.tunables.empty() ? nullptr : &config);
    std::printf("%s%zu compiled\n", std::string(status.message()).c_str(), compilations().size());
    return status ? 0 : 1;
  }
  return 2;
}
