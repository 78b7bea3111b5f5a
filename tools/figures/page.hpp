#pragma once

// One HTML page around some figures: nothing is loaded from anywhere. Pure.

#include <string>
#include <vector>

namespace qnfv {

struct page_figure {
  std::string name; ///< Of its file, without ".svg".
  std::string svg;  ///< Put in as it is.
  std::string caption;
};

struct page_table {
  std::string caption;
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};

struct page {
  std::string title;
  std::vector<std::string> paragraphs; ///< Before the figures.
  std::string command;                 ///< That made it.
  std::vector<page_figure> figures;
  std::vector<page_table> tables; ///< After them.
};

std::string to_html(const page&);

} // namespace qnfv
