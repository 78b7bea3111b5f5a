#include "tools/figures/page.hpp"

#include "tools/figures/svg.hpp"

#include <string_view>

namespace qnfv {

namespace {

constexpr std::string_view sheet =
  "body{max-width:1000px;margin:2rem auto;padding:0 1rem;font:16px/1.5 system-ui,sans-serif;"
  "color:#24292f;background:#ffffff}"
  "figure{margin:2.5rem 0}svg{max-width:100%;height:auto}"
  "figcaption{margin-top:.5rem;font-size:15px}"
  "code{font:14px ui-monospace,monospace}pre{white-space:pre-wrap;padding:.7rem 1rem;background:#f3f5f7}"
  ".wide{overflow-x:auto}table{border-collapse:collapse}caption{text-align:left;padding:.5rem 0}"
  "th,td{padding:.25rem .9rem .25rem 0;text-align:right;border-bottom:1px solid #d8dee4}"
  "th:first-child,td:first-child{text-align:left}"
  "@media (prefers-color-scheme:dark){body{color:#e6edf3;background:#14171c}"
  "pre{background:#1d2229}th,td{border-color:#343b44}a{color:#3a9bdc}}";

std::string cells(const std::vector<std::string>& words, const char* element) {
  std::string out = "<tr>";
  for (auto& x : words)
    out += std::string{"<"} + element + ">" + xml_escape(x) + "</" + element + ">";
  return out + "</tr>\n";
}

} // namespace

std::string to_html(const page& p) {
  std::string out = "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
                    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
                    "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>";
  out += xml_escape(p.title) + "</title>\n<style>";
  out += sheet;
  out += "</style>\n</head>\n<body>\n<h1>" + xml_escape(p.title) + "</h1>\n";
  for (auto& x : p.paragraphs)
    out += "<p>" + xml_escape(x) + "</p>\n";
  out += "<pre><code>" + xml_escape(p.command) + "</code></pre>\n";
  for (auto& f : p.figures)
    out += "<figure id=\"" + xml_escape(f.name) + "\">\n" + f.svg + "<figcaption>"
           + xml_escape(f.caption) + " (<a href=\"" + xml_escape(f.name)
           + ".svg\">SVG</a>)</figcaption>\n</figure>\n";
  for (auto& t : p.tables) {
    out += "<div class=\"wide\"><table>\n<caption>" + xml_escape(t.caption) + "</caption>\n<thead>"
           + cells(t.head, "th") + "</thead>\n<tbody>\n";
    for (auto& row : t.rows)
      out += cells(row, "td");
    out += "</tbody>\n</table></div>\n";
  }
  return out + "</body>\n</html>\n";
}

} // namespace qnfv
