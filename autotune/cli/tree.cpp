// Owns the reading of CLI11's tree.
#include "autotune/cli/tree.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

TESSERA_BEGIN
namespace cli {
namespace {

TreeOption read_option(const CLI::Option& option) {
  TreeOption result;
  for (const std::string& name : option.get_snames()) result.names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) result.names.push_back("--" + name);
  if (option.get_positional())
    result.placeholder = option.get_name(true);
  else if (option.get_expected_max() > 0 && option.get_type_size_max() > 0)
    result.placeholder = option.get_type_name();
  if (const std::string type = option.get_type_name(); type.find('|') != std::string::npos) {  // Command::choice
    std::istringstream list(type);
    for (std::string one; std::getline(list, one, '|');) result.choices.push_back(one);
  }
  result.help = option.get_description();
  result.required = option.get_required();
  result.repeated = option.get_items_expected_max() > 1;
  return result;
}

void read(const CLI::App& app, const std::string& above, TreeNode& node) {
  node.name = app.get_name();
  node.path = above.empty() ? node.name : above + " " + node.name;
  node.description = app.get_description();
  for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; }))
    (option->get_positional() ? node.arguments : node.options).push_back(read_option(*option));
  std::istringstream footer(app.get_footer());
  for (std::string line; std::getline(footer, line);) {  // as Command::example writes it
    if (line.rfind("      ", 0) == 0 && !node.examples.empty())
      node.examples.back().second = line.substr(6);
    else if (line.rfind("  ", 0) == 0)
      node.examples.emplace_back(line.substr(2), "");
  }
  for (const CLI::App* child : app.get_subcommands([](const CLI::App*) { return true; }))
    read(*child, node.path, node.children.emplace_back());
}

}  // namespace

TreeNode read_tree(const CLI::App& app) {
  TreeNode root;
  read(app, "", root);
  return root;
}

}  // namespace cli
TESSERA_END
