// Owns Command, one node of the tree of subcommands: what a subcommand's file needs of CLI11 without its headers.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "autotune/cli/exit_code.hpp"
#include "autotune/cli/output.hpp"
#include "tessera/version.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

TESSERA_BEGIN
namespace cli {

/// What a command does: gives the exit code; throws an Error, which ends in one line on standard error.
using Action = std::function<int(Output&)>;

struct Choice {
  Action action;
  std::string name;  ///< of the command, with those above it: "cache list"
  bool json = false;
};

/// A command while it is described. Values are written to by the parser and must live as long as the tree does.
/// Placeholders decide what shells complete: FILE, FOLDER, LIB.so and KERNEL.
class Command {
 public:
  Command(CLI::App& app, Choice& choice, std::string path) : app_(&app), choice_(&choice), path_(std::move(path)) {}

  /// A subcommand of this one.
  Command command(const std::string& name, const std::string& description);

  /// The words after the options: one that must be there, one that may be, any number.
  Command& argument(const std::string& placeholder, std::string& value, const std::string& help);
  Command& optional(const std::string& placeholder, std::string& value, const std::string& help);
  Command& arguments(const std::string& placeholder, std::vector<std::string>& values, const std::string& help);

  /// Options with a value; `names` as in "-o,--output".
  Command& option(const std::string& names, const std::string& placeholder, std::string& value,
                  const std::string& help);
  Command& option(const std::string& names, const std::string& placeholder, std::vector<std::string>& values,
                  const std::string& help);  ///< may be repeated
  Command& option(const std::string& names, const std::string& placeholder, std::int64_t& value, std::int64_t least,
                  const std::string& help);
  Command& choice(const std::string& names, const std::vector<std::string>& choices, std::string& value,
                  const std::string& help);
  Command& flag(const std::string& names, bool& value, const std::string& help);
  /// The option or argument described last must be given.
  Command& required();

  /// A command line and what it does, for --help and the manual.
  Command& example(const std::string& line, const std::string& what);

  /// Ends the description of a command that does something: adds --json, and says what it does.
  void runs(Action action, bool with_json = true);

 private:
  CLI::App* app_;
  Choice* choice_;
  std::string path_;
  CLI::Option* last_ = nullptr;
};

// Each subcommand's file describes it.
void add_doctor(Command& root);
void add_kernels(Command& root);
void add_ir(Command& root);
void add_compile(Command& root);
void add_tune(Command& root);
void add_cache(Command& root);
void add_completion(Command& root, const CLI::App& tree);
void add_man(Command& root, const CLI::App& tree);

}  // namespace cli
TESSERA_END
