// Owns dlopen of libraries of kernels, and the reading of Tile IR texts.
#include "autotune/cli/library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "autotune/cli/child.hpp"
#include "tessera/call/errors.hpp"
#include "tessera/ir/parse.hpp"
#include "tessera/ir/text.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

constexpr int longest_opening = 60;  // seconds: constructors of a library may do much

/// The names that tell kernels apart, for messages; a dozen at most.
std::string names_of(const std::vector<RegisteredKernel>& kernels, bool with_hash) {
  std::string text;
  std::size_t count = 0;
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    const std::string& name = kernels[i].name;
    if (!with_hash && i > 0 && kernels[i - 1].name == name) continue;
    if (++count > 12) return text + " …";
    text.append(text.empty() ? "" : ", ").append(name);
    if (with_hash) text.append("@").append(hash_text(kernels[i]).substr(0, 8));
  }
  return text;
}

/// What dlopen said, without the path that it starts with.
std::string reason(std::string text, const std::string& path) {
  if (text.rfind(path + ": ", 0) == 0) text.erase(0, path.size() + 2);
  return text;
}

}  // namespace

std::string hash_text(const RegisteredKernel& kernel) { return kernel.hash.hex(); }

Library::Library(const std::string& path) : path_(path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) throw UserError(path + " is a folder, not a library of kernels");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw UserError("cannot open " + path + ": " + std::strerror(errno));
  std::string start(ir::text_header.size(), '\0');
  file.read(start.data(), static_cast<std::streamsize>(start.size()));
  if (file && start == ir::text_header)
    open_text(start + std::string(std::istreambuf_iterator<char>(file), {}));
  else
    open_library();
}

void Library::open_text(const std::string& text) {
  ir::Parsed parsed = ir::parse(text);
  if (!parsed) throw UserError(path_ + ": " + parsed.error.str());
  storage_ = std::make_unique<ir::Storage>(std::move(parsed.program));
  program_ = std::make_unique<ir::Program>(storage_->view());
  record_ = std::make_unique<call::KernelRecord>(*program_);
  kernels_.push_back(call::describe(*record_));
}

void Library::open_library() {
  std::error_code error;
  const std::string absolute = std::filesystem::absolute(path_, error).string();  // dlopen searches for bare names
  const auto open = [&]() -> std::string {
    return ::dlopen(absolute.c_str(), RTLD_NOW | RTLD_LOCAL) ? "" : reason(::dlerror(), absolute);
  };
  const Trial trial = try_in_child(open, longest_opening);
  if (!trial.finished) throw UserError("opening " + path_ + " " + trial.text);
  const std::vector<RegisteredKernel> before = registered_kernels();
  if (const std::string why = trial.text.empty() ? open() : trial.text; !why.empty())
    throw UserError(path_ + " is not a library that can be opened: " + why);
  for (RegisteredKernel& kernel : registered_kernels())
    if (std::none_of(before.begin(), before.end(), [&](const auto& old) { return old.record == kernel.record; }))
      kernels_.push_back(std::move(kernel));
  if (kernels_.empty())
    throw UserError(path_ +
                    " has no kernels\n  hint: a library of kernels uses TESSERA_KERNEL, of Tessera " TESSERA_VERSION);
}

const RegisteredKernel& Library::kernel(const std::string& name) const {
  if (name.empty()) {
    if (kernels_.size() == 1) return kernels_.front();
    throw UserError(path_ + " has " + std::to_string(kernels_.size()) +
                    " kernels: name one\n  hint: " + names_of(kernels_, false));
  }
  const auto at = name.find('@');
  const std::string plain = name.substr(0, at), digits = at == std::string::npos ? "" : name.substr(at + 1);
  std::vector<RegisteredKernel> fit;
  const RegisteredKernel* found = nullptr;
  for (const RegisteredKernel& kernel : kernels_) {
    if (kernel.name != plain || hash_text(kernel).rfind(digits, 0) != 0) continue;
    if (!found || found->hash != kernel.hash) fit.push_back(kernel);
    found = &kernel;
  }
  if (fit.size() == 1) return *found;
  if (fit.empty())
    throw UserError(path_ + " has no kernel " + name + "\n  hint: it has " +
                    names_of(kernels_, at != std::string::npos));
  throw UserError(path_ + " has " + std::to_string(fit.size()) + " kernels " + name +
                  ", instances of a template\n  hint: say which: " + names_of(fit, true));
}

}  // namespace cli
TESSERA_END
