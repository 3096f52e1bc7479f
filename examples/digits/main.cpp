// Owns the example's program: reads handwritten digits with kernels written in Tessera, and says how well and how fast.
#include <tessera/call/statistics.hpp>
#include <tessera/tune.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "read.hpp"
#include "screen.hpp"
#include "support/peak.hpp"

#ifndef TESSERA_EXAMPLE_DIR
#define TESSERA_EXAMPLE_DIR "."
#endif

namespace digits {
namespace {

constexpr std::size_t known_images = 1000;

template <class F>
double milliseconds(F&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

void heading(const char* text) { std::printf("\n%s\n", strong(text).c_str()); }

void show_accuracy(const char* who, const Reading& reading, const Images& images, double ms) {
  const std::size_t right = reading.right(images);
  std::printf("  %-26s %4zu of %zu  %7.3f %%  %9.2f ms\n", who, right, images.count(),
              100.0 * static_cast<double>(right) / static_cast<double>(images.count()), ms);
}

void show_compilations() {
  heading("Compilations");
  double total = 0;
  for (const Compilation& c : compilations()) {
    const std::string shape = c.known.substr(0, c.known.find(" stride"));
    std::printf("  %-14s %8.2f ms  %s\n", c.kernel.c_str(), c.milliseconds,
                faint(shape + ": " + c.choices + (c.threads == 1 ? ", one thread" : "")).c_str());
    total += c.milliseconds;
  }
  const Counts c = counts();
  std::printf(
      "  %-14s %8.2f ms  %s\n", "together", total,
      faint(c.compiled > 0 ? "each once on a machine; the first opens LLVM" : "all of it is kept from before").c_str());
  std::printf("  %llu compiled, %llu tuned, %llu loaded\n", static_cast<unsigned long long>(c.compiled),
              static_cast<unsigned long long>(c.timed), static_cast<unsigned long long>(c.loaded));
}

// What is found is kept beside the compiled code: the next run finds it there, and times nothing.
void tune_distances(Reader& reader) {
#if DIGITS_TUNES
  const char* cache = std::getenv("TESSERA_CACHE");
  if (cache && std::strcmp(cache, "off") == 0) return;
  heading("Tuning");
  const TuneResult found = reader.distances(tune(digits::distances, {.seconds = 5,
                                                                     .configurations = 16,
                                                                     .space = {{BM, {16, 32, 64, 128, 256}},
                                                                               {BN, {64, 128, 256, 512, 1000}},
                                                                               {BP, {64}},
                                                                               {"cpu.kc", {0}},
                                                                               {"cpu.mc", {0}}}}));
  std::string choice;
  for (const Tuned& t : found.config.tunables)
    choice += (choice.empty() ? "" : " ") + t.name + "=" + std::to_string(t.value);
  std::printf("  %-26s %9.2f x     %s\n", "distances, over untuned", found.default_seconds / found.seconds,
              faint(choice + (found.timed > 0 ? ": " + std::to_string(found.timed) + " configurations timed, kept"
                                              : ": known from before"))
                  .c_str());
#else
  (void)reader;
#endif
}

// Both by turns, so that what else the machine does meets both; the best of each.
void show_speed(Reader& reader) {
  heading("Speed of the distances");
  const auto one_thread = digits::distances.with(Config{.threads = 1});
  const double operations = 2.0 * static_cast<double>(reader.m) * static_cast<double>(reader.n) * pixels;
  reader.distances(one_thread);
  double best = 0, peak = 0, all = 1e30;
  for (int i = 0; i < 40; ++i) {
    best = std::max(best, operations / 1e6 / milliseconds([&] { reader.distances(one_thread); }));
    peak = std::max(peak, example::measure_peak());
    all = std::min(all, milliseconds([&] { reader.read(); }));
  }
  std::printf("  %-26s %9.2f GFLOP/s  %s\n", "kernel, one thread", best,
              faint("2 x " + std::to_string(reader.m) + " x " + std::to_string(reader.n) + " x " +
                    std::to_string(pixels) + " operations; best of 40")
                  .c_str());
  std::printf("  %-26s %9.2f GFLOP/s  %s\n", "peak of a core, measured", peak,
              faint(std::string("multiply-adds in registers: ") + example::peak_vectors()).c_str());
  std::printf("  %-26s %9.2f %%\n", "kernel / peak", 100 * best / peak);
  std::printf("  %-26s %9.2f ms       %s\n", "all kernels, all threads", all,
              faint("norms, distances and votes; best of 40").c_str());
}

int run(bool small) {
  const Images images = load(TESSERA_EXAMPLE_DIR "/data/digits.csv.gz");
  Split split = digits::split(images, known_images);

  std::vector<float> norms(known_images);
  square_norms(view(split.known.ink, {known_images, pixels}), norms);
  const bool compiled = counts().compiled + counts().loaded > 0;  // here or before; otherwise interpreted
  if (!compiled) {  // the interpreter is exact and slow: a few are enough to show it
    split.unread.ink.resize(20 * pixels);
    split.unread.label.resize(20);
  }

  std::printf("%s\n", strong("Handwritten digits, read by kernels written in Tessera").c_str());
  std::printf("%zu images of 8 x 8 pixels; the first %zu are known, %zu are read by the vote of their %zu nearest\n",
              images.count(), split.known.count(), split.unread.count(), voters);
  std::printf("%s\n",
              faint("E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits, UCI, CC BY 4.0").c_str());

  heading("Accuracy");
  Reader reader{split};
  Reading reading, again, expected;
  const double first = milliseconds([&] { reading = reader.read(); });
  const double second = compiled ? milliseconds([&] { again = reader.read(); }) : first;
  const double plain = milliseconds([&] { expected = read_in_float64(split); });
  show_accuracy(compiled ? "Tessera, f32" : "Tessera, interpreted", reading, split.unread, second);
  show_accuracy("plain C++ loops, float64", expected, split.unread, plain);
  const bool same = reading.digit == expected.digit && reading.nearest == expected.nearest;
  std::printf("  %s\n",
              same ? "every image is read the same, from the same neighbours"
                   : strong("NOT the same: pixels are whole numbers, so f32 is exact here and must agree").c_str());
  if (compiled) {
    std::printf("  %s\n", faint("(the first run, with what it compiled or loaded: " +
                                std::to_string(static_cast<int>(first + 0.5)) + " ms)")
                              .c_str());
    if (!small) tune_distances(reader);
    show_speed(reader);
    show_compilations();
  }

  heading("Misread");
  std::printf("  %s\n\n%s", faint("beside each: the nearest known image, and what the three nearest are").c_str(),
              draw_misread(split, reading, 4).c_str());
  return same ? 0 : 1;
}

}  // namespace
}  // namespace digits

int main(int count, char** arguments) {
  try {
    return digits::run(count > 1 && std::strcmp(arguments[1], "--small") == 0);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "digits: %s\n", e.what());
    return 2;
  }
}
