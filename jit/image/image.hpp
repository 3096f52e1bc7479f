// Owns shared images: a relocatable object made into a self-contained ELF library, and its loading without LLVM.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/version.hpp"

TESSERA_BEGIN
namespace jit {

/// Links a relocatable x86-64 ELF object into a shared library that needs no other file: `exported` names are its
/// dynamic symbols; undefined ones stay dynamic and are looked up in the process. Throws InternalError for what it
/// cannot link.
std::string link_image(std::string_view object, const std::vector<std::string>& exported);

/// A loaded image; when the last copy goes, its memory is released.
class LoadedImage {
 public:
  virtual ~LoadedImage() = default;
  /// The address of an exported symbol, or null.
  virtual void* symbol(const std::string& name) const = 0;
};

/// Loads an image that link_image made. Throws DeviceError, saying what the system refused, or what the image lacks.
std::shared_ptr<LoadedImage> load_image(std::string_view image);

}  // namespace jit
TESSERA_END
