// Owns `tessera man`: the manual page, made from the tree of commands.
#include <memory>

#include "autotune/cli/command.hpp"
#include "autotune/cli/tree.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

/// Text as roff takes it: no dash becomes a hyphen, no line a request.
std::string plain(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return !out.empty() && (out[0] == '.' || out[0] == '\'') ? "\\&" + out : out;
}

std::string bold(const std::string& text) { return "\\fB" + plain(text) + "\\fR"; }
std::string italic(const std::string& text) { return "\\fI" + plain(text) + "\\fR"; }

std::string synopsis(const TreeNode& node) {
  std::string line = ".B " + plain(node.path) + "\n";
  if (!node.options.empty()) line += "[\\fIoptions\\fR]\n";
  for (const TreeOption& argument : node.arguments) {
    const std::string name = italic(argument.placeholder) + (argument.repeated ? " ..." : "");
    line += argument.required ? name + "\n" : "[" + name + "]\n";
  }
  return line;
}

void describe(const TreeNode& node, std::string& page) {
  if (node.children.empty()) {
    page += ".SS " + plain(node.path.substr(node.path.find(' ') + 1)) + "\n.PP\n" + synopsis(node) + ".PP\n" +
            plain(node.description) + ".\n";
    for (const TreeOption& argument : node.arguments)
      page += ".TP\n" + italic(argument.placeholder) + "\n" + plain(argument.help) + "\n";
    for (const TreeOption& option : node.options) {
      if (option.names.back() == "--help") continue;  // said once
      page += ".TP\n";
      for (std::size_t i = 0; i < option.names.size(); ++i) page += (i > 0 ? ", " : "") + bold(option.names[i]);
      page += (option.placeholder.empty() ? "" : " " + italic(option.placeholder)) + "\n" + plain(option.help) + "\n";
    }
  }
  for (const TreeNode& child : node.children) describe(child, page);
}

void examples(const TreeNode& node, std::string& page) {
  for (const auto& [line, what] : node.examples) page += ".TP\n" + bold(line) + "\n" + plain(what) + "\n";
  for (const TreeNode& child : node.children) examples(child, page);
}

}  // namespace

std::string manual_page(const TreeNode& tree) {
  std::string page = ".\\\" Made by `tessera man` from the program's own commands.\n";
  page += ".TH TESSERA 1 \"\" \"Tessera " TESSERA_VERSION "\" \"Tessera\"\n";
  page += ".SH NAME\ntessera \\- looks at, compiles and tunes tile kernels, and cares for their caches\n";
  page += ".SH SYNOPSIS\n.B tessera\n.I command\n[\\fIoptions\\fR]\n[\\fIarguments\\fR]\n";
  page += ".SH DESCRIPTION\nEvery command takes " + bold("--help") + ". With " + bold("--json") +
          " a command writes one JSON document with the members tessera (the version), schema, command, and result or "
          "error; schema grows when a member changes its meaning.\n";
  page += ".SH COMMANDS\n";
  describe(tree, page);
  page +=
      ".SH EXIT STATUS\n"
      ".TP\n.B 0\nDone, and nothing is wrong.\n"
      ".TP\n.B 1\nDone; what was looked for is wrong, missing or refused, and the output says what.\n"
      ".TP\n.B 2\nThe command line, or what it names, is wrong.\n"
      ".TP\n.B 3\nA device, a compiler, a disk or memory is missing or failed.\n"
      ".TP\n.B 4\nTessera contradicts itself: please report it.\n"
      ".TP\n.B 130\nEnded by the user.\n"
      ".PP\nA failure is one line on standard error. A reader that goes away is no failure.\n";
  page += ".SH ENVIRONMENT\n";
  const std::pair<const char*, const char*> variables[] = {
      {"TESSERA_CACHE_DIR", "the folder of the caches; otherwise $XDG_CACHE_HOME/tessera, or ~/.cache/tessera"},
      {"TESSERA_CACHE", "off: nothing is read from or written to disk"},
      {"TESSERA_CACHE_LAYERS", "folders, separated by colons, that are searched too and only read"},
      {"TESSERA_CACHE_READONLY", "1: the folder of the caches is only read"},
      {"TESSERA_CACHE_SIZE", "most bytes of compiled code that are kept, as in 512M"},
      {"TESSERA_CACHE_KEY_FILE", "a file of secret bytes that entries are signed with"},
      {"TESSERA_TUNE", "background: shapes that were not tuned are tuned while a program goes on"},
      {"TESSERA_CPU_FEATURES", "what calls are compiled for: native, avx2, sse2, or another set that doctor names"},
      {"TESSERA_LOG", "error, warn, info, debug or trace: what is said on standard error"},
      {"TESSERA_DUMP", "a folder that every stage of every compilation is written to"},
  };
  for (const auto& [name, what] : variables) page += ".TP\n" + bold(name) + "\n" + plain(what) + "\n";
  page += ".SH EXAMPLES\n";
  examples(tree, page);
  return page;
}

void add_man(Command& root, const CLI::App& tree) {
  Command command = root.command("man", "prints this program's manual page, for man -l");
  command.example("tessera man | man -l -", "reads the manual where none is installed");
  command.runs(
      [&tree](Output& out) {
        out.raw(manual_page(read_tree(tree)));
        return exit_done;
      },
      false);
}

}  // namespace cli
TESSERA_END
