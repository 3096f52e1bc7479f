// Owns the tree of commands as plain data, read from CLI11's: what the manual and the completions are made of.
#pragma once

#include <string>
#include <vector>

#include "tessera/version.hpp"

namespace CLI {
class App;
}

TESSERA_BEGIN
namespace cli {

/// An option or an argument of a command.
struct TreeOption {
  std::vector<std::string> names;    ///< "-o", "--output"; of an argument: nothing
  std::string placeholder;           ///< "FILE"; of a flag: nothing
  std::vector<std::string> choices;  ///< where only these are allowed
  std::string help;
  bool required = false;
  bool repeated = false;
};

struct TreeNode {
  std::string name;  ///< "list"
  std::string path;  ///< "tessera cache list"
  std::string description;
  std::vector<TreeOption> options, arguments;
  std::vector<std::pair<std::string, std::string>> examples;  ///< a command line, and what it does
  std::vector<TreeNode> children;
};

TreeNode read_tree(const CLI::App& app);

/// The scripts that make a shell complete `tessera`. `shell` is bash, zsh or fish.
std::string completion_script(const TreeNode& tree, const std::string& shell);

/// The manual page, in the language of man(7).
std::string manual_page(const TreeNode& tree);

}  // namespace cli
TESSERA_END
