// Owns the writing of dumps: texts of stages, and a self-contained page that steps through them.
#include "jit/runtime/dump.hpp"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "jit/runtime/html.hpp"
#include "jit/runtime/log.hpp"

TESSERA_BEGIN
namespace jit {
namespace {

// File names: letters, digits, '-' and '_' of the kernel's name.
std::string plain(const std::string& name) {
  std::string out;
  for (char c : name.substr(0, 60))
    out += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ? c : '_';
  return out.empty() ? "kernel" : out;
}

constexpr const char page_head[] =
    R"(<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Tessera dump</title><style>
body{margin:0;font:14px/1.4 system-ui,sans-serif;background:#fafafa;color:#222;display:flex;flex-direction:column;height:100vh}
header{padding:8px 14px;background:#263238;color:#fff;display:flex;gap:14px;align-items:baseline;flex-wrap:wrap}
header b{font-size:16px}header span{opacity:.8}
main{display:flex;flex:1;min-height:0}section{flex:1;min-width:0;display:flex;flex-direction:column;border-right:1px solid #ccc}
nav{padding:4px 8px;background:#eceff1}nav button{border:0;background:none;padding:4px 8px;cursor:pointer;font:inherit;border-radius:4px}
nav button.on{background:#90caf9}pre{margin:0;padding:8px 12px;overflow:auto;flex:1;font:12px/1.45 ui-monospace,monospace}
mark{background:#ffe082}input{font:inherit;padding:2px 6px}
@media(prefers-color-scheme:dark){body{background:#1e1e1e;color:#ddd}nav{background:#2b2b2b}nav button{color:#ddd}nav button.on{background:#1565c0}mark{background:#8d6e00;color:#fff}}
</style></head><body>
)";

constexpr const char page_tail[] = R"(<main id="panes"></main><script>
const names=[...document.querySelectorAll('template')].map(t=>t.dataset.name);
const texts=[...document.querySelectorAll('template')].map(t=>t.content.textContent);
const find=document.getElementById('find'),panes=document.getElementById('panes');
const shown=[0,Math.min(1,texts.length-1)];
const safe=s=>s.replace(/&/g,'&amp;').replace(/</g,'&lt;').replace(/>/g,'&gt;');
function fill(p){const pre=panes.children[p].querySelector('pre');let html=safe(texts[shown[p]]);const w=safe(find.value);
 if(w)html=html.split(w).join('<mark>'+w+'</mark>');pre.innerHTML=html;
 [...panes.children[p].querySelectorAll('button')].forEach((b,i)=>b.classList.toggle('on',i===shown[p]));}
for(const p of [0,1]){const s=document.createElement('section'),n=document.createElement('nav');
 names.forEach((name,i)=>{const b=document.createElement('button');b.textContent=name;b.onclick=()=>{shown[p]=i;fill(p);};n.append(b);});
 s.append(n,document.createElement('pre'));panes.append(s);fill(p);}
find.oninput=()=>{fill(0);fill(1);};
document.onkeydown=e=>{if(e.target===find)return;const d=e.key==='ArrowRight'?1:e.key==='ArrowLeft'?-1:0;if(!d)return;
 const to=shown[0]+d;if(to<0||to+1>=texts.length)return;shown[0]=to;shown[1]=to+1;fill(0);fill(1);};
</script></body></html>
)";

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

}  // namespace

const std::string& dump_folder() {
  static const std::string folder = [] {
    const char* name = std::getenv("TESSERA_DUMP");
    return std::string(name ? name : "");
  }();
  return folder;
}

std::string write_dump(const std::string& folder, const std::string& kernel, const std::string& title,
                       std::span<const Stage> stages) noexcept {
  try {
    static std::atomic<int> next{1};
    namespace fs = std::filesystem;
    fs::create_directories(folder);
    fs::path place;
    do {  // another process may dump into the same folder: create_directory tells who was first
      char number[16];
      std::snprintf(number, sizeof number, "%03d-", next++);
      place = fs::path(folder) / (number + plain(kernel));
    } while (!fs::create_directory(place));
    std::string page = page_head;
    page += "<header><b>" + escaped(kernel) + "</b><span>" + escaped(title) +
            "</span><input id=\"find\" placeholder=\"find\"><span>← → step through the stages</span></header>\n";
    for (std::size_t i = 0; i < stages.size(); ++i) {
      write_file(place / (std::to_string(i) + "-" + plain(stages[i].name) + ".txt"), stages[i].text);
      page += "<template data-name=\"" + escaped(stages[i].name) + "\">" + escaped(stages[i].text) + "</template>\n";
    }
    write_file(place / "index.html", page + page_tail);
    return place.string();
  } catch (const std::exception& e) {
    log(LogLevel::warn, std::string("no dump of ") + kernel + ": " + e.what());
    return {};
  }
}

}  // namespace jit
TESSERA_END
