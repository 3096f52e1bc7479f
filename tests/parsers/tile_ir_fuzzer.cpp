// A libFuzzer target: any text is a Tile IR program, or is refused with a message; what is a program reads back.
#include <string>
#include <string_view>

#include "tessera/ir/canonical.hpp"
#include "tessera/ir/hash.hpp"
#include "tessera/ir/parse.hpp"
#include "tests/parsers/mutate.hpp"

using namespace tessera;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ir::Parsed any = ir::parse(text, false);
  if (!any) {
    fuzz::hold(any.error.size() > 0 && any.program.nodes.empty());
    return 0;
  }
  const std::string printed = ir::to_text(any.program.view());
  const bool sound = !ir::verify(any.program.view());
  const ir::Parsed checked = ir::parse(text);
  fuzz::hold(static_cast<bool>(checked) == sound);
  if (!sound) return 0;
  const ir::Parsed again = ir::parse(printed);
  fuzz::hold(static_cast<bool>(again));
  fuzz::hold(ir::to_text(again.program.view()) == printed);
  const ir::Hash hash = ir::hash_of(any.program.view());
  fuzz::hold(ir::hash_of(again.program.view()) == hash);
  const ir::Storage canonical = ir::canonical(any.program.view());
  fuzz::hold(!ir::verify(canonical.view()));
  fuzz::hold(ir::hash_of(canonical.view()) == hash);
  return 0;
}
