// Owns the configuration spaces that are declared beside kernels: values worth trying for each tunable.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "tessera/call/process_list.hpp"
#include "tessera/call/record.hpp"
#include "tessera/call/registration.hpp"
#include "tessera/language/dim.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN

/// A tunable and the values worth trying.
struct Candidates {
  std::string name;
  std::vector<std::int64_t> values;

  Candidates(std::string tunable, std::vector<std::int64_t> worth_trying)
      : name(std::move(tunable)), values(std::move(worth_trying)) {}
  template <tessera::name N>
  Candidates(Dim<N>, std::vector<std::int64_t> worth_trying)
      : name(std::string(Dim<N>::text())), values(std::move(worth_trying)) {}
};

namespace call {

class SpaceRegistration;

using SpaceList = ProcessList<SpaceRegistration>;

}  // namespace call
TESSERA_END

/// In libtessera_jit: the process's tessera::call::SpaceList. Weak, since kernels can be captured without it.
extern "C" [[gnu::weak]] void* tessera_spaces_0_1();

TESSERA_BEGIN
namespace call {

inline constinit SpaceList own_spaces;  // of programs without libtessera_jit

inline SpaceList& spaces() noexcept {
  if (&tessera_spaces_0_1 == nullptr) return own_spaces;
  return *static_cast<SpaceList*>(tessera_spaces_0_1());
}

/// One kernel's declared space, a static object beside it.
class SpaceRegistration {
 public:
  SpaceRegistration(const KernelRecord& kernel, std::initializer_list<Candidates> candidates)
      : program_(kernel.program), candidates_(candidates), list_(spaces()) {
    list_.enter(*this);
  }
  ~SpaceRegistration() { list_.leave(*this); }
  SpaceRegistration(const SpaceRegistration&) = delete;
  SpaceRegistration& operator=(const SpaceRegistration&) = delete;

  const ir::Program* program() const noexcept { return program_; }
  const std::vector<Candidates>& candidates() const noexcept { return candidates_; }
  const SpaceRegistration* next() const noexcept { return next_; }

 private:
  friend SpaceList;

  const ir::Program* program_;
  std::vector<Candidates> candidates_;
  SpaceList& list_;
  SpaceRegistration* next_ = nullptr;
};

/// What is declared for a program; nothing where nothing is.
inline std::vector<Candidates> declared_space(const ir::Program& program) {
  SpaceList& list = spaces();
  list.lock();
  const SpaceRegistration* found = list.first;
  while (found != nullptr && found->program() != &program) found = found->next();
  list.unlock();
  return found != nullptr ? found->candidates() : std::vector<Candidates>{};
}

}  // namespace call
TESSERA_END

/// Declares, beside a kernel, the values worth trying: TESSERA_TUNE_SPACE(gemm, {BM, {32, 64, 96}}, {BN, {64, 128}});
/// A tunable that is left out gets the values that the target thinks worth trying. Conditions over tunables are the
/// kernel's own: `k.expects(BM * BN <= 16384, "…")` prunes.
#define TESSERA_TUNE_SPACE(NAME, ...)                                 \
  inline const ::tessera::call::SpaceRegistration NAME##_tune_space { \
    ::std::remove_cv_t<decltype(NAME)>::record(), { __VA_ARGS__ }     \
  }
