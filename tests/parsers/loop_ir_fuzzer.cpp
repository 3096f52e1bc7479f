// A libFuzzer target: any text is a Loop IR program, or is refused with a message; verifier, printer and interpreter
// bear whatever was read.
#include <cstdint>
#include <string>
#include <string_view>

#include "jit/loop/interpret.hpp"
#include "jit/loop/parse.hpp"
#include "jit/loop/text.hpp"
#include "jit/loop/verify.hpp"
#include "tests/parsers/mutate.hpp"

using namespace tessera;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const loop::Parsed parsed = loop::parse(std::string_view(reinterpret_cast<const char*>(data), size));
  fuzz::hold(parsed.ok == parsed.error.empty());
  const std::string printed = loop::print(parsed.program);
  const bool sound = loop::verify(parsed.program).empty();
  if (!parsed.ok || !sound) return 0;
  const loop::Parsed again = loop::parse(printed);
  fuzz::hold(again.ok);
  fuzz::hold(loop::verify(again.program).empty());
  fuzz::hold(loop::print(again.program) == printed);
  // Frame words that point to 64 bytes, and small extents.
  float cells[16] = {};
  const auto address = reinterpret_cast<std::uint64_t>(cells);
  const std::uint64_t frame[] = {address, address, address, 2, 3, 2, 2, 3, 3};
  const loop::Memory memory[] = {{cells, sizeof cells, true, true}};
  loop::InterpretOptions options;
  options.step_limit = 500;
  loop::interpret(parsed.program, frame, memory, options);
  return 0;
}
