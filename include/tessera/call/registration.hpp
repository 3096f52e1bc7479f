// Owns the process-wide list that kernels enter when their program or shared library is loaded, and leave at its end.
#pragma once

#include "tessera/call/process_list.hpp"
#include "tessera/call/record.hpp"
#include "tessera/version.hpp"

TESSERA_BEGIN
namespace call {

class Registration;

using RegistrationList = ProcessList<Registration>;

}  // namespace call
TESSERA_END

/// In libtessera_jit: its list, a tessera::call::RegistrationList. Weak, since kernels can be captured without it.
extern "C" [[gnu::weak]] void* tessera_registrations_0_1();

TESSERA_BEGIN
namespace call {

/// The list of programs without libtessera_jit.
inline constinit RegistrationList own_registrations;

/// The process's list. It is libtessera_jit's where that is loaded, so that a program sees the kernels of the shared
/// libraries that it opens; otherwise each program or library that does not export its symbols has one of its own.
inline RegistrationList& registrations() noexcept {
  if (&tessera_registrations_0_1 == nullptr) return own_registrations;
  return *static_cast<RegistrationList*>(tessera_registrations_0_1());
}

/// One kernel's entry: a static object that enters its record when it is made, and takes it out when it ends.
class Registration {
 public:
  explicit Registration(KernelRecord& kernel) noexcept : record_(kernel), list_(registrations()) { list_.enter(*this); }
  ~Registration() {
    list_.leave(*this);
    if (auto* retire = record_.retire.load()) retire(record_);
  }
  Registration(const Registration&) = delete;
  Registration& operator=(const Registration&) = delete;

  KernelRecord& record() const noexcept { return record_; }
  const Registration* next() const noexcept { return next_; }

 private:
  friend RegistrationList;

  KernelRecord& record_;
  RegistrationList& list_;
  Registration* next_ = nullptr;
};

/// The record of a captured kernel in this program or shared library.
template <class Captured>
inline constinit KernelRecord record_of{Captured::program};

template <class Captured>
inline Registration registration_of{record_of<Captured>};

/// Naming `Registered<&registration_of<Captured>>` as a type registers the kernel, called or not: a static of a
/// template is made only when something uses its address.
template <Registration* Kernel>
struct Registered {
  static constexpr bool value = true;
};

}  // namespace call
TESSERA_END
