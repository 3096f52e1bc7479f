// Owns the names under which libraries and drivers are installed, and the functions that tell their versions.
#include "autotune/cli/probe.hpp"

#include <dlfcn.h>

#include <array>

#include "autotune/cli/child.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

constexpr int patience = 20;  // seconds: a driver may wake a device

template <class Function>
Function symbol(void* library, const char* name) {
  return reinterpret_cast<Function>(::dlsym(library, name));
}

/// The first of several names of a library that can be opened.
void* open_one(std::initializer_list<const char*> names) {
  for (const char* name : names)
    if (void* library = ::dlopen(name, RTLD_NOW | RTLD_LOCAL)) return library;
  return nullptr;
}

/// "found …" or "absent …", as a child process can hand it over.
std::string found(const std::string& text) { return "+" + text; }
std::string absent(const std::string& text) { return "-" + text; }

Probe probe(std::string name, std::string cost, const std::function<std::string()>& ask) {
  const Trial trial = try_in_child(ask, patience);
  Probe result{std::move(name), false, {}, std::move(cost)};
  result.found = trial.finished && trial.text.rfind('+', 0) == 0;
  result.text = trial.finished ? trial.text.substr(1) : "asking it " + trial.text;
  return result;
}

std::string tbb() {
  void* library = open_one({"libtbb.so.12", "libtbb.so"});
  if (!library) return absent("libtbb.so.12 is not found");
  const auto version = symbol<const char* (*)()>(library, "TBB_runtime_version");
  return found(version ? std::string("oneTBB ") + version() : "of unknown version");
}

std::string sqlite() {
  void* library = open_one({"libsqlite3.so.0", "libsqlite3.so"});
  if (!library) return absent("libsqlite3.so.0 is not found");
  const auto version = symbol<const char* (*)()>(library, "sqlite3_libversion");
  return found(version ? std::string("SQLite ") + version() : "of unknown version");
}

std::string dotted(int number, int major, int minor) {
  return std::to_string(number / major) + "." + std::to_string(number % major / minor);
}

std::string cuda_driver() {
  void* library = open_one({"libcuda.so.1"});
  if (!library) return absent("libcuda.so.1 is not found");
  const auto init = symbol<int (*)(unsigned)>(library, "cuInit");
  const auto version = symbol<int (*)(int*)>(library, "cuDriverGetVersion");
  const auto count = symbol<int (*)(int*)>(library, "cuDeviceGetCount");
  const auto name = symbol<int (*)(char*, int, int)>(library, "cuDeviceGetName");
  const auto attribute = symbol<int (*)(int*, int, int)>(library, "cuDeviceGetAttribute");
  if (!init || !version || !count || !name || !attribute) return absent("libcuda.so.1 is no CUDA driver");
  int number = 0, devices = 0;
  if (const int error = init(0); error != 0) return absent("there is no device: cuInit gives " + std::to_string(error));
  version(&number);
  count(&devices);
  std::string text = "CUDA " + dotted(number, 1000, 10);
  for (int device = 0; device < devices; ++device) {
    std::array<char, 128> device_name{};
    int major = 0, minor = 0;
    name(device_name.data(), static_cast<int>(device_name.size() - 1), device);
    attribute(&major, 75, device);  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
    attribute(&minor, 76, device);
    text += std::string(", ") + device_name.data() + " (sm_" + std::to_string(major) + std::to_string(minor) + ")";
  }
  return devices > 0 ? found(text) : absent(text + ", but no device");
}

std::string nvrtc() {
  void* library = open_one({"libnvrtc.so", "libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"});
  if (!library) return absent("libnvrtc.so is not found");
  const auto version = symbol<int (*)(int*, int*)>(library, "nvrtcVersion");
  int major = 0, minor = 0;
  if (!version || version(&major, &minor) != 0) return absent("libnvrtc.so does not tell its version");
  return found("NVRTC " + std::to_string(major) + "." + std::to_string(minor));
}

std::string hip() {
  void* library = open_one({"libamdhip64.so", "libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so.5"});
  if (!library) return absent("libamdhip64.so is not found");
  const auto version = symbol<int (*)(int*)>(library, "hipRuntimeGetVersion");
  const auto count = symbol<int (*)(int*)>(library, "hipGetDeviceCount");
  int number = 0, devices = 0;
  if (!version || !count) return absent("libamdhip64.so is no HIP runtime");
  version(&number);
  const std::string text = "HIP " + dotted(number, 10000000, 100000);
  if (count(&devices) != 0 || devices == 0) return absent(text + ", but no device");
  return found(text + ", " + std::to_string(devices) + (devices == 1 ? " device" : " devices"));
}

}  // namespace

std::vector<Probe> probe_libraries() {
  return {probe("oneTBB", "nothing runs: libtessera_jit needs it", tbb),
          probe("SQLite", "nothing that the tuner finds is kept, and every process tunes anew", sqlite)};
}

std::vector<Probe> probe_accelerators(bool cuda, bool hip_target) {
  const auto cost = [](bool target, const char* maker) {
    return target ? std::string("no kernel runs on a GPU of ") + maker
                  : std::string("nothing yet: this build has no target for GPUs of ") + maker;
  };
  return {probe("CUDA driver", cost(cuda, "NVIDIA"), cuda_driver), probe("NVRTC", cost(cuda, "NVIDIA"), nvrtc),
          probe("HIP", cost(hip_target, "AMD"), hip)};
}

}  // namespace cli
TESSERA_END
