// Owns `tessera completion`: scripts for bash, zsh and fish, made from the tree of commands.
#include <memory>

#include "autotune/cli/command.hpp"
#include "autotune/cli/tree.hpp"

TESSERA_BEGIN
namespace cli {
namespace {

/// Text between single quotes of a shell.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// "tessera cache list" as the words that the scripts compare: "cache list".
std::string words(const TreeNode& node) {
  const auto space = node.path.find(' ');
  return space == std::string::npos ? "" : node.path.substr(space + 1);
}

template <class Visit>
void each(const TreeNode& node, const Visit& visit) {
  visit(node);
  for (const TreeNode& child : node.children) each(child, visit);
}

/// What bash completes a value with: a list of words, or files.
std::string bash_values(const TreeOption& option) {
  std::string list;
  for (const std::string& choice : option.choices) list.append(list.empty() ? "" : " ").append(choice);
  if (!list.empty()) return "COMPREPLY=($(compgen -W " + quoted(list) + " -- \"$cur\"))";
  if (option.placeholder == "FILE" || option.placeholder == "LIB.so") return "COMPREPLY=($(compgen -f -- \"$cur\"))";
  if (option.placeholder == "FOLDER") return "COMPREPLY=($(compgen -d -- \"$cur\"))";
  if (option.placeholder == "KERNEL")
    return "COMPREPLY=($(compgen -W \"$(tessera kernels --names \"$first\" 2>/dev/null)\" -- \"$cur\"))";
  return "COMPREPLY=()";
}

std::string bash(const TreeNode& tree) {
  std::string text = R"(# Completion of tessera for bash, made by `tessera completion bash`.
_tessera() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command= first= count=0 word i
  # The command, and how many arguments it has before the cursor.
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case "$command $word" in
)";
  std::string commands, takers, bodies;
  each(tree, [&](const TreeNode& node) {
    if (!words(node).empty()) {
      const std::string parent = words(node).substr(0, words(node).size() - node.name.size());
      commands.append(commands.empty() ? "" : " | ")
          .append(quoted((parent.empty() ? "" : parent.substr(0, parent.size() - 1)) + " " + node.name));
    }
    for (const TreeOption& option : node.options)
      if (!option.placeholder.empty())
        for (const std::string& name : option.names)
          takers.append(takers.empty() ? "" : " | ").append(quoted(words(node) + " " + name));
    bodies += "    " + quoted(words(node)) + ")\n      case $prev in\n";
    std::string names, children;
    for (const TreeOption& option : node.options) {
      std::string pattern;
      for (const std::string& name : option.names) {
        names.append(names.empty() ? "" : " ").append(name);
        pattern.append(pattern.empty() ? "" : " | ").append(name);
      }
      if (!option.placeholder.empty()) bodies += "        " + pattern + ") " + bash_values(option) + "; return ;;\n";
    }
    bodies += "      esac\n      case $cur in -*) COMPREPLY=($(compgen -W " + quoted(names) +
              " -- \"$cur\")); return ;; esac\n";
    for (const TreeNode& child : node.children) children.append(children.empty() ? "" : " ").append(child.name);
    if (!children.empty()) bodies += "      COMPREPLY=($(compgen -W " + quoted(children) + " -- \"$cur\"))\n";
    for (std::size_t i = 0; i < node.arguments.size(); ++i)
      bodies += "      [ $count -ne " + std::to_string(i) + " ] || " + bash_values(node.arguments[i]) + "\n";
    bodies += "      ;;\n";
  });
  text += "      " + commands + ") command=\"${command:+$command }$word\" ;;\n";
  text += "      " + takers + ") ((++i)) ;;\n";
  text += R"(      *' '-*) ;;
      *) [ $count -gt 0 ] || first=$word; ((++count)) ;;
    esac
  done
  COMPREPLY=()
  case $command in
)";
  return text + bodies + "  esac\n}\ncomplete -o filenames -F _tessera tessera\n";
}

/// What zsh's _arguments takes for a value: `:FILE:_files`.
std::string zsh_values(const TreeOption& option) {
  std::string list;
  for (const std::string& choice : option.choices) list.append(list.empty() ? "" : " ").append(choice);
  if (!list.empty()) return "(" + list + ")";
  if (option.placeholder == "FILE" || option.placeholder == "LIB.so") return "_files";
  if (option.placeholder == "FOLDER") return "_files -/";
  if (option.placeholder == "KERNEL") return "_tessera_kernels";
  return " ";
}

/// Text within a description of zsh: no bracket, colon or quote has a meaning there.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

void zsh_node(const TreeNode& node, std::string& text) {
  std::string function = node.path;
  for (char& c : function) c = c == ' ' ? '_' : c;
  for (const TreeNode& child : node.children) zsh_node(child, text);
  text += "_" + function + "() {\n  local context state line\n  typeset -A opt_args\n  _arguments -C \\\n";
  for (const TreeOption& option : node.options)
    for (const std::string& name : option.names)
      text +=
          "    " +
          quoted((option.repeated ? "*" : "") + name + "[" + zsh_text(option.help) + "]" +
                 (option.placeholder.empty() ? "" : ":" + zsh_text(option.placeholder) + ":" + zsh_values(option))) +
          " \\\n";
  if (node.children.empty()) {
    for (const TreeOption& argument : node.arguments)
      text += "    " +
              quoted((argument.repeated   ? "*:"
                      : argument.required ? ":"
                                          : "::") +
                     zsh_text(argument.placeholder) + ":" + zsh_values(argument)) +
              " \\\n";
    text += "    && return 0\n}\n";
    return;
  }
  text += "    '1: :->command' '*:: :->rest' && return 0\n  case $state in\n    command)\n      local -a commands=(\n";
  for (const TreeNode& child : node.children)
    text += "        " + quoted(child.name + ":" + zsh_text(child.description)) + "\n";
  text += "      )\n      _describe command commands ;;\n    rest)\n      case $line[1] in\n";
  for (const TreeNode& child : node.children)
    text += "        " + child.name + ") _" + function + "_" + child.name + " ;;\n";
  text += "      esac ;;\n  esac\n}\n";
}

std::string zsh(const TreeNode& tree) {
  std::string text = "#compdef tessera\n# Completion of tessera for zsh, made by `tessera completion zsh`.\n";
  text += R"zsh(_tessera_kernels() {
  local -a names=(${(f)"$(tessera kernels --names $line[1] 2>/dev/null)"})
  compadd -a names
}
)zsh";
  zsh_node(tree, text);
  return text + "if [ \"$funcstack[1]\" = _tessera ]; then _tessera \"$@\"; else compdef _tessera tessera; fi\n";
}

std::string fish(const TreeNode& tree) {
  std::string text = "# Completion of tessera for fish, made by `tessera completion fish`.\n";
  text += R"(function __tessera_at
  # Whether the words so far, without options, begin with this command and go on with none of its own.
  set -l words (commandline -opc | string match -v -- '-*')[2..-1]
  test (count $words) -ge (count $argv); or return 1
  test (count $argv) -eq 0; or test "$words[1..(count $argv)]" = "$argv"
end
complete -c tessera -f
)";
  each(tree, [&](const TreeNode& node) {
    const std::string words_of = words(node);
    std::string names;
    for (const TreeNode& child : node.children) names.append(" ").append(child.name);
    const std::string here = quoted("__tessera_at " + words_of);
    for (const TreeNode& child : node.children)
      text += "complete -c tessera -n " +
              quoted("__tessera_at " + words_of + "; and not __fish_seen_subcommand_from" + names) + " -a " +
              child.name + " -d " + quoted(child.description) + "\n";
    if (!node.children.empty() && !words_of.empty()) return;
    for (const TreeOption& option : node.options) {
      text += "complete -c tessera -n " + here;
      for (const std::string& name : option.names)
        text += name[1] == '-' ? " -l " + name.substr(2) : " -s " + name.substr(1);
      text += option.placeholder.empty() ? "" : " -r";
      if (option.placeholder == "FILE" || option.placeholder == "FOLDER") text += " -F";
      if (!option.choices.empty()) {
        std::string list;
        for (const std::string& choice : option.choices) list.append(list.empty() ? "" : " ").append(choice);
        text += " -a " + quoted(list);
      }
      text += " -d " + quoted(option.help) + "\n";
    }
    for (const TreeOption& argument : node.arguments) {
      if (argument.placeholder == "LIB.so" || argument.placeholder == "FILE" || argument.placeholder == "FOLDER")
        text += "complete -c tessera -n " + here + " -F\n";
      else if (!argument.choices.empty())
        for (const std::string& choice : argument.choices)
          text += "complete -c tessera -n " + here + " -a " + choice + "\n";
    }
  });
  return text;
}

}  // namespace

std::string completion_script(const TreeNode& tree, const std::string& shell) {
  return shell == "bash" ? bash(tree) : shell == "zsh" ? zsh(tree) : fish(tree);
}

void add_completion(Command& root, const CLI::App& tree) {
  auto shell = std::make_shared<std::string>();
  Command command = root.command("completion", "prints a script that makes a shell complete this program's words");
  command.choice("SHELL", {"bash", "zsh", "fish"}, *shell, "bash, zsh or fish").required();
  command.example("source <(tessera completion bash)", "for this shell; installed packages have it in place already");
  command.runs(
      [shell, &tree](Output& out) {
        out.raw(completion_script(read_tree(tree), *shell));
        return exit_done;
      },
      false);
}

}  // namespace cli
TESSERA_END
