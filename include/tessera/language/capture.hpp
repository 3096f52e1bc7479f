// Owns the capture of a kernel at compile time: TESSERA_KERNEL, and the object that it makes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

#include "tessera/call/invoke.hpp"
#include "tessera/language/image.hpp"
#include "tessera/language/live.hpp"
#include "tessera/language/signature.hpp"

TESSERA_BEGIN

/// The parameter types of a kernel, without the Kernel.
template <class... T>
struct TypeList {
  static constexpr std::size_t size = sizeof...(T);
};

namespace detail {

template <class L>
struct ParametersOf;
template <class L, class... A>
struct ParametersOf<void (L::*)(A...) const> {
  using type = TypeList<A...>;
};
template <class L, class... A>
struct ParametersOf<void (L::*)(Kernel, A...) const> {
  using type = TypeList<A...>;
};

/// Records the kernel once, in a constant evaluation, into a fixed buffer; into a larger one where that is too small.
template <class Source, class Body>
struct Recording {
  static constexpr std::size_t guess = 1536;
  template <std::size_t Words>
  static constexpr Image<Words> take() {
    Recorder r;
    record_kernel(r, Source{}(), Body{});
    Image<Words> image;
    image.write(r);
    return image;
  }
  static constexpr Image<guess> first = take<guess>();
  static constexpr const auto& image() {
    if constexpr (first.needed <= guess)
      return first;
    else
      return larger;
  }
  static constexpr Image<(first.needed > guess ? first.needed : 1)> larger = [] {
    if constexpr (first.needed > guess)
      return take<first.needed>();
    else
      return Image<1>{};
  }();
};

template <class Recording>
struct Message {
  static constexpr auto text = Recording::first.error();
  static constexpr std::string_view message() { return {text.data(), Recording::first.error_size}; }
};

}  // namespace detail

/// A captured kernel: `gemm(view(A, …), …)` runs it, `gemm.program` is its Tile IR. Made by TESSERA_KERNEL.
template <class Source, class Body>
class Captured : public call::Callable<Captured<Source, Body>> {
  using Recording = detail::Recording<Source, Body>;

 public:
  using Parameters = typename detail::ParametersOf<decltype(&Body::operator())>::type;
  /// Whether the kernel is right; if not, the compiler has shown why.
  static constexpr bool valid = Recording::first.error_size == 0;
  static constexpr std::string_view name = Source{}().name;

 private:
  static constexpr auto data_ = detail::decode<Recording>();

 public:
  static constexpr ir::Program program = data_.program(name);

 private:
  using Registered = call::Registered<&call::registration_of<Captured>>;
};

namespace detail {

template <class Source>
struct Maker {
  template <class Body>
  constexpr auto operator->*(Body) const {
    using Kernel = Captured<Source, Body>;
    if constexpr (!Kernel::valid) (void)&Report<Message<Recording<Source, Body>>>::report;
    return Kernel{};
  }
};
template <class Source>
constexpr Maker<Source> maker(Source) {
  return {};
}

}  // namespace detail
TESSERA_END

/// Opens a kernel: TESSERA_KERNEL(gemm)(Kernel k, In<f32, "M", "K"> a, …) { … }; It may follow `template <class T>`.
// The parameters' names come from their text, which no type carries: it would be in every symbol.
// clang-format off
#define TESSERA_KERNEL(NAME)                                                      \
  inline constexpr auto NAME = ::tessera::detail::maker([] {                      \
    return ::tessera::detail::Signature{#NAME, __LINE__, TESSERA_DETAIL_PARAMETERS
#define TESSERA_DETAIL_PARAMETERS(...)                                            \
  #__VA_ARGS__};                                                                  \
  })->*[](__VA_ARGS__)
// clang-format on
